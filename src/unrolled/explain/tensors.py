"""Every tensor of a network with named axes, and the line of code that has it.

A line is PyTorch's where PyTorch has the layers, else that of our NumPy reference. Knows nothing of values.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Literal

from unrolled.explain.code import Code

if TYPE_CHECKING:
    from unrolled.explain.facts import Axis, EqualAxes, TensorFact
    from unrolled.explain.structure import Structure

Role = Literal["data", "weight", "output", "state", "forecast"]


def tensors_of(structure: Structure, *, batch: int, time: int) -> list[TensorFact]:
    """Return every tensor of a network, in the order in which they are met.

    Shapes:
        input: [T, B, I]; of a layer: weight_ih [G*H, I] ([G*H, D*H] above the first), weight_hh [G*H, H],
        bias_ih, bias_hh [G*H]; h_0, h_n, c_0, c_n: [D*L, B, H]; output: [T, B, D*H]; head.weight: [O, D*H];
        forecast: [B, O], or [T, B, O] of a head on every step. With `batch_first` B stands before T in input,
        output and forecast, never in a state. With a projection h has R in the place of H, and weight_hr is
        [R, H]. D is written where there are two directions.
    """
    sizes = _Sizes(structure, batch=batch, time=time)
    code = Code(structure, batch=batch, time=time)
    found = [_tensor("input", "data", sizes.sequence("I"), code.input)]
    for layer in range(structure.num_layers):
        for direction in range(structure.directions):
            found += _layer(structure, sizes, code, layer, direction)
    states = structure.equations.states
    found += [_tensor(f"{name}_0", "state", sizes.state(name), code.first_state(name)) for name in states]
    found.append(_tensor("output", "output", sizes.sequence(sizes.above), code.output))
    found += [_tensor(f"{name}_n", "state", sizes.state(name), code.last_state(name)) for name in states]
    return found + (_head(structure, sizes, code) if structure.output_size else [])


def equal_axes_of(tensors: list[TensorFact]) -> list[EqualAxes]:
    """Return where axes of one tensor have the same size, so that a swap cannot raise an error.

    Axes of size 1 are left out: a swap of those changes nothing.

    Example:
        >>> axes = [{"letter": "T", "size": 32}, {"letter": "B", "size": 32}, {"letter": "I", "size": 1}]
        >>> x = dict(name="input", role="data", axes=axes, count=1024, code="x", gates=[])
        >>> equal_axes_of([x])
        [{'size': 32, 'tensor': 'input', 'letters': ['T', 'B']}]
    """
    found: list[EqualAxes] = []
    for tensor in tensors:
        for size in dict.fromkeys(axis["size"] for axis in tensor["axes"]):
            letters = [axis["letter"] for axis in tensor["axes"] if axis["size"] == size]
            if size > 1 and len(letters) > 1:
                found.append({"size": size, "tensor": tensor["name"], "letters": letters})
    return found


class _Sizes:
    """The axes of tensors: letters with their sizes."""

    def __init__(self, structure: Structure, *, batch: int, time: int) -> None:
        self.structure = structure
        self.letters = {
            "T": time,
            "B": batch,
            "I": structure.input_size,
            "H": structure.hidden_size,
            "R": structure.proj_size,
            "L": structure.num_layers,
            "D": structure.directions,
            "G": structure.gates,
            "O": structure.output_size,
            "J": structure.skip_width,
        }
        self.h = "R" if structure.proj_size else "H"
        self._both = "D*" if structure.bidirectional else ""
        self.above = f"{self._both}{self.h}"

    def axes(self, *names: str) -> list[Axis]:
        """Return axes by name; the size of a product is the product of the sizes."""
        return [
            {"letter": name, "size": prod(self.letters[letter] for letter in name.split("*"))}
            for name in names
        ]

    def sequence(self, features: str) -> list[Axis]:
        """Return the axes of something that has a value at every step."""
        return self.axes(*("BT" if self.structure.batch_first else "TB"), features)

    def state(self, name: str) -> list[Axis]:
        """Return the axes of a state; h alone is projected."""
        return self.axes(f"{self._both}L", "B", self.h if name == "h" else "H")


def _layer(structure: Structure, sizes: _Sizes, code: Code, layer: int, direction: int) -> list[TensorFact]:
    """Return the weights of one layer in one direction, in torch's order."""
    recurrent = structure.equations.recurrent
    below = "I" if layer == 0 else sizes.above
    weights: dict[str, tuple[str, ...]] = {"weight_ih": ("G*H", below)}
    if recurrent:
        weights["weight_hh"] = ("G*H", sizes.h)
    if structure.bias:
        weights["bias_ih"] = ("G*H",)
        if recurrent:
            weights["bias_hh"] = ("G*H",)
    if structure.proj_size:
        weights["weight_hr"] = ("R", "H")
    gates = structure.equations.gates
    suffix = f"_l{layer}" + ("_reverse" if direction else "")
    return [
        _tensor(
            name + suffix,
            "weight",
            sizes.axes(*axes),
            code.weight(name + suffix),
            gates=gates if axes[0] == "G*H" else (),
        )
        for name, axes in weights.items()
    ]


def _head(structure: Structure, sizes: _Sizes, code: Code) -> list[TensorFact]:
    """Return the weights on top of the layers, and the forecast."""
    found = [_tensor("head.weight", "weight", sizes.axes("O", sizes.above), code.head("head.weight"))]
    if structure.head_bias:
        found.append(_tensor("head.bias", "weight", sizes.axes("O"), code.head("head.bias")))
    if structure.skip_steps:
        read = "T*I" if structure.skip_width == structure.input_size else "T*J"
        found.append(_tensor("skip.weight", "weight", sizes.axes("O", read), code.head("skip.weight")))
    forecast = sizes.sequence("O") if structure.head == "every" else sizes.axes("B", "O")
    return [*found, _tensor("forecast", "forecast", forecast, code.forecast)]


def _tensor(name: str, role: Role, axes: list[Axis], code: str, *, gates: tuple[str, ...] = ()) -> TensorFact:
    return {
        "name": name,
        "role": role,
        "axes": axes,
        "count": prod(axis["size"] for axis in axes),
        "code": code,
        "gates": list(gates),
    }
