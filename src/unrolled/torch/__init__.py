"""torch's recurrent modules on the native core: the same classes, computed faster on a CPU.

    from unrolled.torch import LSTM    in the place of torch.nn.LSTM: the same arguments, weights and answers
    accelerate(model)                  every recurrent module inside a model, in place

Nothing else in the package imports this; it needs the extra `unrolled[torch]`.
"""

from importlib.util import find_spec

from unrolled.errors import ExtraError, fault

if find_spec("torch") is None:
    raise ExtraError(fault("torch.missing"))

from unrolled.torch.accelerating import Acceleration, accelerate
from unrolled.torch.cell_modules import GRUCell, LSTMCell, RNNCell
from unrolled.torch.compiling import admit
from unrolled.torch.modules import GRU, LSTM, RNN, Recurrent
from unrolled.torch.paths import Path

__all__ = ["GRU", "LSTM", "RNN", "Acceleration", "GRUCell", "LSTMCell", "Path", "RNNCell", "accelerate"]

admit(Recurrent)
