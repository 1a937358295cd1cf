"""What a forecasting network is made of, its weights under torch's names, and how they begin.

    window -> steps of P values -> stacked recurrent layers -> last state -> linear -> K x C x Q
                    \\-------------------- optional linear skip --------------------/

Knows the engine. Must not know panels, training, files.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from unrolled.engine import CELLS, Array, Engine
from unrolled.errors import ArgumentError, Fault, fault, nearest, raise_any
from unrolled.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping


TORCH_MODES = {"RNN_TANH": "rnn", "RNN_RELU": "rnn_relu", "LSTM": "lstm", "GRU": "gru"}
"""The cells that torch has too, by what its modules call their mode."""

_SIZES = {
    "input_size": (1, 1 << 20),
    "hidden_size": (1, 1 << 20),
    "num_layers": (1, 1024),
    "output_size": (0, 1 << 20),
    "skip_steps": (0, 1 << 20),
}
"""The least and the most of each size, as the core knows them."""

_MOST_DILATION = 1 << 20
"""Steps that a layer may look back at the most."""

_MOST_ROWS = 1 << 20
"""Sequences that a stream runs side by side at the most."""


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """The shape of a network: all that must be known to make one.

    Attributes:
        cell: "rnn" (tanh), "rnn_relu", "lstm", "gru", "mingru", "minlstm" or "slstm".
        input_size: I, features of a step.
        hidden_size: H, size of a layer's hidden state.
        num_layers: L.
        output_size: O, outputs of the head.
        head: "last" reads the last state, "every" the state of every step.
        skip_steps: T of the linear skip from the whole window to the outputs; 0 for none.
        dropout: share of each layer's outputs set to zero while training, but for the last layer's.
        skip_inputs: the skip reads the first so many features of each step; all where it is None.
        residual: a layer above the first gives the sum of its state and its own input to what is above it,
            the head included; its state is as it would be.
        dilations: of each layer, d: its state at a step comes from the step d before, zeros before the first
            d steps (Chang et al. 2017, "Dilated Recurrent Neural Networks"); () is 1 of every layer.

    Raises:
        ArgumentError: a value cannot work; all faults are named at once.

    Example:
        >>> spec = NetworkSpec(cell="lstm", input_size=1, hidden_size=50, output_size=1)
        >>> spec.parameter_count
        10651
    """

    cell: str
    input_size: int
    hidden_size: int
    output_size: int
    num_layers: int = 1
    head: Literal["last", "every"] = "last"
    skip_steps: int = 0
    dropout: float = 0.0
    skip_inputs: int | None = None
    residual: bool = False
    dilations: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if isinstance(self.dilations, list):  # as JSON has it
            object.__setattr__(self, "dilations", tuple(self.dilations))
        faults: list[Fault] = []
        if self.cell not in CELLS:
            known = ", ".join(CELLS)
            faults.append(
                fault("network.cell", got=self.cell, known=known, nearest=nearest(str(self.cell), CELLS))
            )
        for name, (least, most) in _SIZES.items():
            value = getattr(self, name)
            if not is_whole(value) or not least <= value <= most:
                faults.append(fault("network.size", name=name, got=repr(value), least=least, most=most))
        if self.head not in ("last", "every"):
            faults.append(fault("network.head", got=repr(self.head)))
        if is_whole(self.skip_steps) and self.skip_steps and self.head == "every":
            faults.append(fault("network.skip-every"))
        if not is_number(self.dropout) or not 0 <= self.dropout < 1:
            faults.append(fault("network.dropout", got=repr(self.dropout)))
        faults += self._connection_faults()
        raise_any(ArgumentError, faults)

    def _connection_faults(self) -> list[Fault]:
        """Return what is wrong with the ways past a layer or past steps."""
        faults: list[Fault] = []
        most = self.input_size if is_whole(self.input_size) else 1
        if self.skip_inputs is not None and not (
            is_whole(self.skip_inputs) and 1 <= self.skip_inputs <= most
        ):
            got = repr(self.skip_inputs)
            faults.append(fault("network.size", name="skip_inputs", got=got, least=1, most=most))
        if not isinstance(self.residual, (bool, np.bool_)):
            faults.append(fault("argument.flag", name="residual", got=repr(self.residual)))
        given, layers = self.dilations, self.num_layers
        fit = isinstance(given, tuple) and all(is_whole(d) and 1 <= d <= _MOST_DILATION for d in given)
        if not fit or (given and len(given) != layers):
            faults.append(fault("network.dilations", got=repr(given), layers=layers, most=_MOST_DILATION))
        return faults

    @property
    def dilated(self) -> bool:
        """Whether a layer's state comes from further back than the step before."""
        return any(d > 1 for d in self.dilations)

    @property
    def parameter_count(self) -> int:
        """How many numbers the network learns, both bias vectors counted as torch does."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter, in torch's order of registration."""
        gates, _, recurrent = CELLS[self.cell]
        rows = gates * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.num_layers):
            features = self.input_size if layer == 0 else self.hidden_size
            shapes[f"weight_ih_l{layer}"] = (rows, features)
            if recurrent:
                shapes[f"weight_hh_l{layer}"] = (rows, self.hidden_size)
            shapes[f"bias_ih_l{layer}"] = (rows,)
            if recurrent:
                shapes[f"bias_hh_l{layer}"] = (rows,)
        if self.output_size:
            shapes["head.weight"] = (self.output_size, self.hidden_size)
            shapes["head.bias"] = (self.output_size,)
            if self.skip_steps:
                shapes["skip.weight"] = (
                    self.output_size,
                    self.skip_steps * (self.skip_inputs or self.input_size),
                )
        return shapes


def is_whole(value: object) -> bool:
    """Whether `value` is a whole number, of Python or NumPy; True and False are not."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether `value` is a finite real number, of Python or NumPy; True and False are not."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    # Python's whole numbers may be larger than any that NumPy can ask.
    return real and (isinstance(value, int) or bool(np.isfinite(value)))  # type: ignore[call-overload]


def initial_weights(spec: NetworkSpec, seed: int) -> dict[str, Array]:
    """Draw the weights that torch would draw for the same modules after `torch.manual_seed(seed)`.

    Every tensor is uniform on [-k, k], k = 1 / sqrt(hidden_size) in the recurrent layers and 1 /
    sqrt(fan_in) in the
    linear ones, drawn in the order of registration. torch's generator on the CPU is a Mersenne Twister; a
    float32 takes the low 24 bits of each 32-bit number.

    Formula::

        w = (bits mod 2^24) * 2^-24 * 2k - k

    Args:
        spec: the network.
        seed: 0 to 2^32 - 1.

    Returns:
        float32 arrays by name.

    References:
        Matsumoto & Nishimura (1998), Mersenne Twister. torch.nn.LSTM and torch.nn.Linear, reset_parameters.

    Example:
        >>> spec = NetworkSpec(cell="lstm", input_size=1, hidden_size=50, output_size=1)
        >>> weights = initial_weights(spec, 42)
        >>> print(f"{weights['weight_ih_l0'][0, 0]:.6f}")
        0.108122
    """
    generator = np.random.MT19937()
    generator._legacy_seeding(seed)  # what seeds it as torch's is seeded
    weights: dict[str, Array] = {}
    for name, shape in spec.shapes.items():
        fan_in = spec.hidden_size if not name.startswith("skip") else shape[1]
        bound = np.float64(np.float32(1.0 / np.sqrt(fan_in)))
        uniform = (generator.random_raw(int(np.prod(shape))) & 0xFFFFFF) * 2.0**-24
        # torch multiplies and adds in one rounding; in float64 the product is exact, so this rounds once too.
        weights[name] = (uniform * (2 * bound) - bound).astype(np.float32).reshape(shape)
    return weights


class Network:
    """A network and its weights, ready to run.

    Args:
        spec: its shape.
        weights: its parameters by name; those of `initial_weights(spec, seed=0)` where None.
        dtype: in which it computes, "float32" or "float64".

    Raises:
        ArgumentError: a parameter is missing, unknown, or of another shape.

    Example:
        >>> network = Network(NetworkSpec(cell="gru", input_size=1, hidden_size=2, output_size=3))
        >>> output, state = network.engine.forward(np.zeros((4, 5, 1)))
        >>> output.shape
        (5, 3)
    """

    def __init__(
        self, spec: NetworkSpec, weights: Mapping[str, Array] | None = None, *, dtype: str = "float32"
    ) -> None:
        self.spec = spec
        weights = initial_weights(spec, 0) if weights is None else weights
        self._check(weights)  # before there is an engine: a spec from a file may ask for any size
        self.engine = Engine(dtype=dtype, **asdict(spec))
        self.engine.set(weights)

    def __getstate__(self) -> dict[str, Any]:
        """Return what makes the network again, for copies: the engine itself cannot be copied."""
        return {"spec": self.spec, "weights": self.weights, "dtype": str(self.engine.dtype)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the network that `__getstate__` described."""
        self.spec = state["spec"]
        self.engine = Engine(dtype=state["dtype"], **asdict(self.spec))
        self.weights = state["weights"]

    @property
    def weights(self) -> dict[str, Array]:
        """A copy of all parameters by name; assign to replace them."""
        return self.engine.get()

    @weights.setter
    def weights(self, weights: Mapping[str, Any]) -> None:
        self._check(weights)
        self.engine.set(weights)

    def stream(self, batch: int = 1) -> Stream:
        """Return the network as something that runs one step at a time and keeps its state.

        Args:
            batch: B, how many sequences go on side by side.

        Raises:
            ArgumentError: the network has a skip, which reads a whole window, or dilated layers, or `batch`
                cannot work.

        Example:
            >>> network = Network(NetworkSpec(cell="gru", input_size=1, hidden_size=2, output_size=3))
            >>> network.stream().step(0.5).shape
            (1, 3)
        """
        faults: list[Fault] = []
        if self.spec.skip_steps:
            faults.append(fault("stream.skip", skip_steps=self.spec.skip_steps))
        if self.spec.dilated:
            faults.append(fault("stream.dilated", dilations=self.spec.dilations))
        if not is_whole(batch) or not 1 <= batch <= _MOST_ROWS:
            faults.append(fault("stream.batch", got=repr(batch), most=_MOST_ROWS))
        raise_any(ArgumentError, faults)
        return Stream(self.engine, batch=int(batch))

    def _check(self, weights: Mapping[str, Any]) -> None:
        """Refuse weights that are not those of the spec."""
        faults = []
        for name, shape in self.spec.shapes.items():
            if name not in weights:
                faults.append(fault("network.weight-missing", name=name, shape=shape))
            elif np.shape(weights[name]) != shape:
                faults.append(
                    fault("network.weight-shape", name=name, shape=shape, got=np.shape(weights[name]))
                )
        for name in weights:
            if name not in self.spec.shapes:
                known = nearest(name, self.spec.shapes)
                faults.append(
                    fault(
                        "network.weight-unknown", name=name, known=", ".join(self.spec.shapes), nearest=known
                    )
                )
        raise_any(ArgumentError, faults)
