"""What the recurrent layers of a model read and gave when it was called, and what was read of that.

    model, inputs -> a forward and a backward pass of a copy -> Heard of each layer

A layer's output and its last states are different tensors; the gradient of the answer with respect to each
says which of their steps, rows and directions were read. Knows torch's layers; must not know what is wrong.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from unrolled.doctor.copies import copied, undisturbed
from unrolled.doctor.probes.asking import ask, fresh, restart, tensors
from unrolled.doctor.probes.inputs import with_sequence

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.explain.facts import Axis, LayerReading


@dataclass
class Heard:
    """One call of a recurrent layer.

    Attributes:
        place: the path of the layer.
        module: the layer of the copy.
        calls: how often it was called in one answer.
        axes: of what it read: 2 or 3; a packed sequence has 3.
        rows: of the batch that it saw; one where the input has two axes.
        steps: time steps that it saw.
        features: numbers of each step.
        has_state: whether a state was given.
        state: the sizes of that state.
        output_read: [T, B, D], the largest gradient of the answer with respect to the output.
        state_read: [L*D, B], the same of `h_n`, and of `c_n` where only that is read.
    """

    place: str
    module: Any
    axes: int
    rows: int
    steps: int
    features: int
    has_state: bool
    state: tuple[int, ...] = ()
    packed: bool = False
    calls: int = 1
    output: Any = None
    h_n: Any = None
    c_n: Any = None
    output_read: Tensor = field(default_factory=lambda: torch.zeros(0))
    state_read: Tensor = field(default_factory=lambda: torch.zeros(0))

    @property
    def directions(self) -> int:
        """How many directions the layer has."""
        return 2 if self.module.bidirectional else 1

    def steps_read(self, direction: int = 0) -> list[int]:
        """Return the steps of the output that are read of one direction; 1 is the backward one."""
        if not self.output_read.numel():
            return []
        return [int(t) for t in self.output_read[:, :, direction].amax(1).nonzero().flatten()]

    def rows_read(self) -> list[int]:
        """Return the rows of the batch that are read of the output."""
        if not self.output_read.numel():
            return []
        return [int(b) for b in self.output_read.amax((0, 2)).nonzero().flatten()]

    def states_read(self) -> list[int]:
        """Return the rows of the last state that are read: layer times directions plus direction."""
        return (
            [int(i) for i in self.state_read.amax(1).nonzero().flatten()] if self.state_read.numel() else []
        )

    def state_rows_read(self) -> list[int]:
        """Return the rows of the batch that are read of the last state."""
        return (
            [int(b) for b in self.state_read.amax(0).nonzero().flatten()] if self.state_read.numel() else []
        )


@dataclass
class Listening:
    """What was heard in one call.

    Attributes:
        layers: the last call of each recurrent layer, by its path.
        failure: what the call raised; "" where it succeeded.
        kind: the class of that error.
        raw: what the model answered.
    """

    layers: dict[str, Heard] = field(default_factory=dict)
    failure: str = ""
    kind: str = ""
    raw: Any = None

    def __getitem__(self, place: str) -> Heard:
        """Return a layer by its path; "" is the model itself."""
        return self.layers[place]


def listen(model: nn.Module, inputs: Any) -> Listening:
    """Return what each RNN, LSTM and GRU of a copy of a model read and gave, and what was read of that.

    Args:
        model: it is not changed.
        inputs: as `probe` makes them.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> listen(torch.nn.LSTM(1, 3), torch.randn(11, 7, 1))[""].steps  # doctest: +SKIP
        11
    """
    own = fresh(model).eval()
    for weight in own.parameters():
        weight.requires_grad_(weight.is_floating_point())
    told = Listening()
    for place, module in own.named_modules():
        if isinstance(module, nn.RNNBase) and not isinstance(own, torch.jit.ScriptModule):
            _attend(module, place, told)
    with undisturbed(), torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        restart(own)
        torch.manual_seed(0)
        (given,) = copied(inputs)
        try:
            told.raw = ask(own, with_sequence(given, _with_gradient))
            _read(told)
        except Exception as error:
            told.failure, told.kind = str(error) or type(error).__name__, type(error).__name__
    return told


def reading_of(one: Heard) -> LayerReading:
    """Return the axes of what a layer read and gave, by their names."""
    module = one.module
    front = [("B", one.rows), ("T", one.steps)]
    front = front if module.batch_first else front[::-1]
    front = [("T", one.steps)] if one.axes == 2 else front
    given = getattr(module, "proj_size", 0) or module.hidden_size
    batch = [] if one.axes == 2 else [("B", one.rows)]
    layers = ("L*D", module.num_layers * one.directions)
    states = {"h_n": _axes(layers, *batch, ("R" if getattr(module, "proj_size", 0) else "H", given))}
    if module.mode == "LSTM":
        states["c_n"] = _axes(layers, *batch, ("H", module.hidden_size))
    return {
        "place": one.place,
        "layer": repr(module),
        "read": _axes(*front, ("I", one.features)),
        "output": _axes(*front, ("D*H", one.directions * given)),
        "states": states,
        "calls": one.calls,
    }


def _axes(*named: tuple[str, int]) -> list[Axis]:
    return [{"letter": letter, "size": size} for letter, size in named]


def _with_gradient(x: Tensor) -> Tensor:
    return x.clone().requires_grad_(True) if x.is_floating_point() else x


def _attend(module: nn.RNNBase, place: str, told: Listening) -> None:
    """Have a layer tell of its calls, those that fail too."""

    def before(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        x = args[0] if args else kwargs.get("input")
        hx = args[1] if len(args) > 1 else kwargs.get("hx")
        heard = _heard(module, place, x, hx)
        if heard is None:
            return
        if place in told.layers:
            known = told.layers[place]
            heard.calls, heard.has_state = known.calls + 1, known.has_state or heard.has_state
            heard.steps = max(heard.steps, known.steps)
        told.layers[place] = heard

    def after(module: Any, args: Any, kwargs: Any, given: Any) -> None:
        heard = told.layers.get(place)
        if heard is None:
            return
        output, states = given
        heard.output = output
        heard.h_n, heard.c_n = states if isinstance(states, tuple) else (states, None)
        for one in (output.data if isinstance(output, PackedSequence) else output, heard.h_n, heard.c_n):
            if one is not None and one.requires_grad:
                one.retain_grad()

    module.register_forward_pre_hook(before, with_kwargs=True)
    module.register_forward_hook(after, with_kwargs=True)


def _heard(module: Any, place: str, x: Any, hx: Any) -> Heard | None:
    """Return what a layer is about to read."""
    state = hx[0] if isinstance(hx, tuple) else hx
    shape = tuple(state.shape) if isinstance(state, torch.Tensor) else ()
    if isinstance(x, PackedSequence):
        rows, steps, axes, features = int(x.batch_sizes[0]), len(x.batch_sizes), 3, int(x.data.shape[-1])
    elif isinstance(x, torch.Tensor) and x.ndim in (2, 3):
        rows, steps = (1, x.shape[0]) if x.ndim == 2 else x.shape[:2]
        if x.ndim == 3 and not module.batch_first:
            rows, steps = steps, rows
        axes, features = x.ndim, x.shape[-1]
    else:
        return None
    packed = isinstance(x, PackedSequence)
    return Heard(place, module, axes, int(rows), int(steps), int(features), hx is not None, shape, packed)


def _read(told: Listening) -> None:
    """Go back from the answer to the outputs and states, and keep where a gradient arrived."""
    answers = [one for one in tensors(told.raw) if one.requires_grad]
    if not answers:
        return
    weights = torch.randn(answers[0].shape, generator=torch.Generator().manual_seed(1)).to(answers[0])
    (answers[0] * weights).sum().backward()
    for heard in told.layers.values():
        heard.output_read = _output_read(heard)
        reads = [_state_read(one) for one in (heard.h_n, heard.c_n)]
        heard.state_read = next((one for one in reads if one.numel() and one.any()), reads[0])


def _output_read(heard: Heard) -> Tensor:
    """Return the gradient's size by step, row and direction."""
    output = heard.output
    data = output.data if isinstance(output, PackedSequence) else output
    if data is None or data.grad is None:
        return torch.zeros(0)
    if isinstance(output, PackedSequence):
        gradient, _ = pad_packed_sequence(output._replace(data=data.grad))
    else:
        gradient = data.grad[:, None] if data.ndim == 2 else data.grad
        gradient = gradient.transpose(0, 1) if heard.module.batch_first and data.ndim == 3 else gradient
    return gradient.abs().unflatten(-1, (heard.directions, -1)).amax(-1).detach()


def _state_read(state: Any) -> Tensor:
    """Return the gradient's size by row of the state and row of the batch."""
    if state is None or state.grad is None:
        return torch.zeros(0)
    gradient = state.grad[:, None] if state.ndim == 2 else state.grad
    return gradient.abs().amax(-1).detach()
