"""What a ledger is made of: the numbers that fix every shape of a recurrent network, and nothing else.

Knows the table of cells. Must not know weights, data or torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from unrolled.cells import CELLS
from unrolled.checks import faults_of_whole
from unrolled.errors import ArgumentError, Fault, fault, nearest, raise_any
from unrolled.network import TORCH_MODES, NetworkSpec

if TYPE_CHECKING:
    from unrolled.cells import Cell

TORCH_CELLS = tuple(TORCH_MODES.values())
"""The cells that torch has too."""

MOST = 1 << 20
"""The most of any size but the number of layers."""

_SIZES = {
    "input_size": (1, MOST),
    "hidden_size": (1, MOST),
    "num_layers": (1, 1024),
    "proj_size": (0, MOST),
    "output_size": (0, MOST),
}
_FLAGS = ("bidirectional", "batch_first", "bias", "head_bias", "residual")


@dataclass(frozen=True, kw_only=True)
class Structure:
    """The shape of a network: those of torch's layers, and those of ours.

    Attributes:
        cell: a name of `unrolled.cells.CELLS`.
        input_size: I, features of a step.
        hidden_size: H.
        num_layers: L.
        bidirectional: whether a second direction reads each sequence from its end.
        batch_first: whether input and output are [B, T, ...]; states never are.
        proj_size: R, the size that h is projected to; 0 for none. LSTM alone.
        bias: whether the layers have biases.
        output_size: O, outputs of a linear head; 0 for no head.
        head: "last" reads the state after the last step, "every" the output of every step.
        head_bias: whether the head has a bias.
        skip_steps: T of a linear skip from the whole window to the outputs; 0 for none.
        skip_inputs: the skip reads the first so many features of each step; all where it is None.
        residual: layers above the first add their input to their output.
        dilations: of each layer, from how many steps before its state comes; () is 1 of every layer.

    Raises:
        ArgumentError: a value cannot work; all faults are named at once.

    Example:
        >>> both = Structure(cell="gru", input_size=3, hidden_size=8, num_layers=2, bidirectional=True)
        >>> both.directions, both.features(0), both.features(1)
        (2, 3, 16)
    """

    cell: str
    input_size: int
    hidden_size: int
    num_layers: int = 1
    bidirectional: bool = False
    batch_first: bool = False
    proj_size: int = 0
    bias: bool = True
    output_size: int = 0
    head: Literal["last", "every"] = "last"
    head_bias: bool = True
    skip_steps: int = 0
    skip_inputs: int | None = None
    residual: bool = False
    dilations: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        faults: list[Fault] = []
        if self.cell not in CELLS:
            close = nearest(str(self.cell), CELLS)
            faults.append(fault("network.cell", got=self.cell, known=", ".join(CELLS), nearest=close))
        for name, (least, most) in _SIZES.items():
            faults += faults_of_whole(least, most, **{name: getattr(self, name)})
        for name in _FLAGS:
            if not isinstance(getattr(self, name), bool):
                faults.append(fault("argument.flag", name=name, got=repr(getattr(self, name))))
        if self.head not in ("last", "every"):
            faults.append(fault("network.head", got=repr(self.head)))
        raise_any(ArgumentError, faults)
        raise_any(ArgumentError, self._misfits())
        NetworkSpec(  # refuses what no network of ours can have
            cell=self.cell,
            input_size=self.input_size,
            hidden_size=self.hidden_size,
            output_size=self.output_size,
            num_layers=self.num_layers,
            head=self.head,
            skip_steps=self.skip_steps,
            skip_inputs=self.skip_inputs,
            residual=self.residual,
            dilations=self.dilations,
        )

    def _misfits(self) -> list[Fault]:
        """Return what does not go together."""
        faults: list[Fault] = []
        if self.proj_size and (self.cell != "lstm" or self.proj_size >= self.hidden_size):
            faults.append(
                fault("explain.projection", got=self.proj_size, cell=self.cell, hidden_size=self.hidden_size)
            )
        chosen = [name for name in ("bidirectional", "batch_first") if getattr(self, name)]
        chosen += [] if self.bias else ["bias=False"]
        if chosen and not self.of_torch:
            faults.append(fault("explain.not-torch", got=", ".join(chosen), known=", ".join(TORCH_CELLS)))
        return faults

    @classmethod
    def of_spec(cls, spec: NetworkSpec) -> Structure:
        """Return that of one of our networks."""
        return cls(
            cell=spec.cell,
            input_size=int(spec.input_size),
            hidden_size=int(spec.hidden_size),
            num_layers=int(spec.num_layers),
            output_size=int(spec.output_size),
            head=spec.head,
            skip_steps=int(spec.skip_steps),
            skip_inputs=spec.skip_inputs,
            residual=bool(spec.residual),
            dilations=tuple(spec.dilations),
        )

    @property
    def has_skip(self) -> bool:
        """Whether there is a skip: without outputs there is none."""
        return bool(self.output_size and self.skip_steps)

    @property
    def equations(self) -> Cell[Any]:
        """The cell of the table: its gates and states."""
        return CELLS[self.cell]

    @property
    def gates(self) -> int:
        """G, how many blocks of rows the weights have."""
        return len(self.equations.gates)

    @property
    def directions(self) -> int:
        """D, 1 or 2."""
        return 2 if self.bidirectional else 1

    @property
    def state_size(self) -> int:
        """The size of h: R where it is projected, else H."""
        return self.proj_size or self.hidden_size

    @property
    def skip_width(self) -> int:
        """How many features of each step a skip reads."""
        return self.skip_inputs or self.input_size

    @property
    def of_torch(self) -> bool:
        """Whether one of torch's modules is the stack of layers."""
        return self.cell in TORCH_CELLS and not self.residual and all(d == 1 for d in self.dilations)

    def features(self, layer: int) -> int:
        """Return how many numbers a layer reads of each step."""
        return self.input_size if layer == 0 else self.directions * self.state_size

    def dilation(self, layer: int) -> int:
        """Return from how many steps before the state of a layer comes."""
        return self.dilations[layer] if self.dilations else 1
