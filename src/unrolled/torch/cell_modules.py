"""RNNCell, LSTMCell and GRUCell: one step of torch's own modules, computed by the native core."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from unrolled.torch.compiling import outside
from unrolled.torch.drop_in import DropIn, fits, must_leave_graph
from unrolled.torch.function import run
from unrolled.torch.paths import MISFIT, NATIVE, TRANSFORM, choose, is_traced
from unrolled.torch.shapes import Call, Network, network

_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class RecurrentCell(DropIn, nn.RNNCellBase):  # type: ignore[misc]
    """What RNNCell, LSTMCell and GRUCell share: a step on the core, and torch's own where that cannot be."""

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """Run one step; arguments and answers are those of torch's module.

        Args:
            input: [B, I] or [I].
            hx: the state, [B, H] or [H]; of an LSTMCell (h, c). None is zeros.

        Returns:
            The next state, shaped as hx. What does not fit is refused by torch, in its words.
        """
        traced = is_traced()
        net = self._network(traced)
        if net is None:
            return self._by_torch(MISFIT, input, hx, traced)
        states = hx if hx is None or net.has_c else (hx,)
        weights = self._read(_NAMES if self.bias else _NAMES[:2], traced)
        path = (
            choose(net, "cell", 0, input, states, weights, traced) if fits(input, (2, 1), states) else MISFIT
        )
        if path is not NATIVE:
            if must_leave_graph(path, traced):
                return outside(self.forward, input, hx)
            if path is not TRANSFORM:
                return self._by_torch(path, input, hx, traced)
        h, _, c = run(Call(net, "cell"), input, states, weights, native_path=path is NATIVE, traced=traced)
        self._remember(path, traced)
        return h if c is None else (h, c)

    def _cell(self) -> str:
        """Return the core's name of the cell, "" of one that torch does not know."""
        raise NotImplementedError

    def _network(self, traced: bool) -> Network | None:
        cell = self._cell()
        make = Network if traced else network
        return make(cell, self.input_size, self.hidden_size, 1, False, self.bias, 0) if cell else None


class RNNCell(RecurrentCell, nn.RNNCell):  # type: ignore[misc]
    """`torch.nn.RNNCell` on the native core: the same arguments, parameters, first values and answers.

        h' = act(W_ih x + b_ih + W_hh h + b_hh)    act: tanh, or relu by `nonlinearity`

    The arguments are those of `torch.nn.RNNCell`: input_size, hidden_size, bias, nonlinearity, device, dtype.
    Native: float32 and float64 on the CPU; all else is torch's own, as `last_path` says. See `RNN`.

    Shapes:
        input: [B, I] or [I]; hx, and the answer: [B, H] or [H]

    References:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html

    Example:
        >>> import torch
        >>> RNNCell(3, 5)(torch.zeros(2, 3)).shape
        torch.Size([2, 5])
    """

    plain = nn.RNNCell

    def _cell(self) -> str:
        return {"tanh": "rnn", "relu": "rnn_relu"}.get(self.nonlinearity, "")


class LSTMCell(RecurrentCell, nn.LSTMCell):  # type: ignore[misc]
    """`torch.nn.LSTMCell` on the native core: the same arguments, parameters, first values and answers.

    The equations are those of `LSTM`. The arguments are those of `torch.nn.LSTMCell`: input_size,
    hidden_size, bias, device, dtype. Native: float32 and float64 on the CPU; all else is torch's own, as
    `last_path` says.

    Shapes:
        input: [B, I] or [I]; hx, and the answer: (h, c), each [B, H] or [H]

    References:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html

    Example:
        >>> import torch
        >>> h, c = LSTMCell(3, 5)(torch.zeros(2, 3))
        >>> h.shape, c.shape
        (torch.Size([2, 5]), torch.Size([2, 5]))
    """

    plain = nn.LSTMCell

    def _cell(self) -> str:
        return "lstm"


class GRUCell(RecurrentCell, nn.GRUCell):  # type: ignore[misc]
    """`torch.nn.GRUCell` on the native core: the same arguments, parameters, first values and answers.

    The equations are those of `GRU`. The arguments are those of `torch.nn.GRUCell`: input_size, hidden_size,
    bias, device, dtype. Native: float32 and float64 on the CPU; all else is torch's own, as `last_path` says.

    Shapes:
        input: [B, I] or [I]; hx, and the answer: [B, H] or [H]

    References:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html

    Example:
        >>> import torch
        >>> GRUCell(3, 5)(torch.zeros(3), torch.zeros(5)).shape
        torch.Size([5])
    """

    plain = nn.GRUCell

    def _cell(self) -> str:
        return "gru"
