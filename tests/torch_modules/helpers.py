"""What the tests of the drop-in modules share: tolerances, torch's module beside ours, one run of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import unrolled.torch as ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Tensor = torch.Tensor
Tensors: TypeAlias = dict[str, Tensor]

CELLS = ("rnn", "rnn_relu", "lstm", "gru")
CLASSES: dict[str, tuple[Any, Any]] = {
    "rnn": (ours.RNN, nn.RNN),
    "rnn_relu": (ours.RNN, nn.RNN),
    "lstm": (ours.LSTM, nn.LSTM),
    "gru": (ours.GRU, nn.GRU),
}
CELL_CLASSES: dict[str, tuple[Any, Any]] = {
    "rnn": (ours.RNNCell, nn.RNNCell),
    "rnn_relu": (ours.RNNCell, nn.RNNCell),
    "lstm": (ours.LSTMCell, nn.LSTMCell),
    "gru": (ours.GRUCell, nn.GRUCell),
}
SIX = [*((ours.RNN, nn.RNN), (ours.LSTM, nn.LSTM), (ours.GRU, nn.GRU))]
SIX += [(ours.RNNCell, nn.RNNCell), (ours.LSTMCell, nn.LSTMCell), (ours.GRUCell, nn.GRUCell)]

TOLERANCES: dict[str, dict[torch.dtype, float]] = {
    # Sums of up to 275 terms, near 1e-16 (6e-8) each, over some steps; torch's own sums are off by as much.
    "output": {torch.float64: 4e-13, torch.float32: 4e-6},
    # Up to 1,300 products of numbers that are right to the line above, added up over steps and rows.
    "gradient": {torch.float64: 1e-12, torch.float32: 2e-5},
    # Five updates; Adam divides by the root of a square, so where a gradient is near 0 its own error shows.
    "trained": {torch.float64: 1e-11, torch.float32: 1e-4},
    # Numbers that other projects print with seven digits.
    "printed": {torch.float64: 1e-6, torch.float32: 1e-6},
}
"""How far a module may be off torch's, as a share of the largest number of the tensor, 1 at least."""

every_cell = pytest.mark.parametrize("cell", CELLS)
every_dtype = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
six_classes = pytest.mark.parametrize(("our", "their"), SIX, ids=[one.__name__ for one, _ in SIX])


def assert_close(actual: Tensor, expected: Tensor, *, to: str = "output", name: str = "") -> None:
    """Compare tensors within a line of the table; what is not finite must be the same at the same places."""
    assert actual.dtype == expected.dtype, f"{name}: {actual.dtype} is not {expected.dtype}"
    assert actual.shape == expected.shape, f"{name}: shape {actual.shape} is not {expected.shape}"
    if not expected.dtype.is_floating_point:
        assert torch.equal(actual, expected), name
        return
    got, want = actual.detach().double(), expected.detach().double()
    finite = want.isfinite()
    scale = max(1.0, float(want[finite].abs().max())) if finite.any() else 1.0
    torch.testing.assert_close(
        got,
        want,
        rtol=0.0,
        atol=TOLERANCES[to][expected.dtype] * scale,
        equal_nan=True,
        msg=lambda text: f"{name} differs: {text}",
    )


def assert_runs_close(
    actual: Mapping[str, Tensor], expected: Mapping[str, Tensor], *, at: object = ""
) -> None:
    """Compare everything that two runs returned and all gradients that they left."""
    assert list(actual) == list(expected), at
    for name, want in expected.items():
        to = "gradient" if name.startswith("d_") else "output"
        assert_close(actual[name], want, to=to, name=f"{name} {at}")


def same_bits(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor], at: object = "") -> None:
    """Compare everything of two runs bit for bit; NaN equals NaN."""
    assert list(actual) == list(expected), at
    for name, want in expected.items():
        assert torch.equal(actual[name].nan_to_num(7e7), want.nan_to_num(7e7)), f"{name} {at}"


def options_of(cell: str) -> dict[str, Any]:
    """Return the options of the constructor that choose this cell."""
    return {"nonlinearity": "relu"} if cell == "rnn_relu" else {}


def module_of(cell: str, *sizes: int, **options: Any) -> Any:
    """Return a module of ours for a cell."""
    return CLASSES[cell][0](*sizes, **options_of(cell), **options)


def pair(cell: str, *sizes: int, seed: int = 0, **options: Any) -> tuple[Any, Any]:
    """Return our module and torch's with the same weights."""
    return _pair(*CLASSES[cell], *sizes, seed=seed, **options_of(cell), **options)


def cell_pair(cell: str, *sizes: int, seed: int = 0, **options: Any) -> tuple[Any, Any]:
    """Return our cell of one step and torch's with the same weights."""
    return _pair(*CELL_CLASSES[cell], *sizes, seed=seed, **options_of(cell), **options)


def _pair(our: Any, their: Any, *sizes: int, seed: int, **options: Any) -> tuple[Any, Any]:
    torch.manual_seed(seed)
    reference = their(*sizes, **options)
    for parameter in reference.parameters():  # larger than what they begin with, so that the gates are bent
        nn.init.uniform_(parameter, -1.5 / parameter.shape[-1] ** 0.5, 1.5 / parameter.shape[-1] ** 0.5)
    module = our(*sizes, **options)
    module.load_state_dict(reference.state_dict())
    return module, reference


def drawn(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 1) -> Tensor:
    """Return numbers from the normal distribution, the same for the same shape and seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def states_of(module: Any, *batch: int, seed: int = 2) -> Any:
    """Return a random first state for a module: h, or (h, c) for an LSTM."""
    directions = 2 if module.bidirectional else 1
    size = (directions * module.num_layers, *batch, module.hidden_size)
    dtype = module.weight_hh_l0.dtype
    h = 0.5 * drawn(*size, dtype=dtype, seed=seed)
    return (h, drawn(*size, dtype=dtype, seed=seed + 1)) if module.mode == "LSTM" else h


def leaf(tensor: Tensor) -> Tensor:
    """Return the same numbers at the same strides as a tensor that wants a gradient."""
    return tensor.detach().requires_grad_()


def named(output: Any, state: Any) -> Tensors:
    """Return everything that a module returned by a name."""
    states = state if isinstance(state, tuple) else (state,)
    if isinstance(output, PackedSequence):
        packed = {"batch_sizes": output.batch_sizes, "output": output.data}
        indices = {"sorted": output.sorted_indices, "unsorted": output.unsorted_indices}
        first = packed | {name: value for name, value in indices.items() if value is not None}
    else:
        first = {"output": output}
    return first | dict(zip(("h_n", "c_n"), states, strict=False))


def total_of(tensors: Iterable[Tensor]) -> Tensor:
    """Return one number that depends on every element in a way of its own."""
    floating = [tensor for tensor in tensors if tensor.dtype.is_floating_point]
    terms = [
        (drawn(*tensor.shape, dtype=tensor.dtype, seed=50 + k) * tensor).sum()
        for k, tensor in enumerate(floating)
    ]
    return torch.stack(terms).sum()


def run(module: Any, x: Any, state: Any = None, *, native: bool = True, **more: Any) -> Tensors:
    """Return what a module returns, and the gradients of input, states and all parameters.

    A module of ours must have gone its own way; `native=False` is for what goes to torch's implementation.
    """
    module.zero_grad(set_to_none=True)
    inputs = leaf(x.data if isinstance(x, PackedSequence) else x)
    given = x._replace(data=inputs) if isinstance(x, PackedSequence) else inputs
    firsts = () if state is None else tuple(leaf(one) for one in as_tuple(state))
    result = module(given, firsts if isinstance(state, tuple) else (firsts or (None,))[0], **more)
    if hasattr(module, "last_path"):
        assert module.last_path.name == ("unrolled" if native else "torch"), str(module.last_path)
    found = named(*result) if isinstance(module, nn.RNNBase) else named(*as_pair(result))
    total_of(found.values()).backward()
    found |= {"d_x": inputs.grad}
    found |= {f"d_{letter}": one.grad for letter, one in zip("hc", firsts, strict=False)}
    found |= {f"d_{name}": parameter.grad for name, parameter in module.named_parameters()}
    assert all(value is not None for value in found.values()), [k for k, v in found.items() if v is None]
    return {name: value.detach() for name, value in found.items()}


def as_tuple(state: Any) -> tuple[Tensor, ...]:
    """Return a state as a tuple."""
    return state if isinstance(state, tuple) else (state,)


def as_pair(result: Any) -> tuple[Tensor, Any]:
    """Return what a cell of one step returned as output and state."""
    return (result[0], result) if isinstance(result, tuple) else (result, result)


def assert_same(
    cell_modules: tuple[Any, Any], x: Any, state: Any = None, *, at: object = "", **more: Any
) -> None:
    """Run our module, natively, and torch's, and compare everything."""
    module, reference = cell_modules
    assert_runs_close(run(module, x, state, **more), run(reference, x, state), at=at)


def padded_and_packed(
    lengths: list[int], inputs: int, *, dtype: torch.dtype = torch.float64, ordered: bool = False
) -> tuple[Tensor, PackedSequence]:
    """Return rows of these lengths, padded with zeros and packed."""
    x = drawn(max(lengths), len(lengths), inputs, dtype=dtype)
    for row, length in enumerate(lengths):
        x[length:, row] = 0.0
    return x, pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=ordered)
