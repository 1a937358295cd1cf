"""What a model is called with: the example's structure, with other sizes and other values.

An example is a tensor, a tuple of positional arguments or a dict of keyword arguments. Its main sequence is
a packed one, else the first floating tensor of two axes or more, else the first of whole numbers. Must not
know models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.errors import KindError, fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    Rows = int | slice | Sequence[int]

_OTHERS = 12345
"""The seed of all that is not the main sequence: it stays when the main sequence changes."""


def probe(
    example: Any,
    batch: int = 7,
    steps: int = 11,
    *,
    seed: int = 0,
    scale: float = 1.0,
    batch_first: bool = True,
    ordered: bool = False,
) -> Any:
    """Return inputs of the example's structure, with a batch and a number of time steps of one's own.

    Values are drawn between the smallest and the largest of the example, each feature for itself; whole
    numbers are drawn from those of the example. Lengths and masks are made anew; lengths come in no order.

    Args:
        example: what the model is called with: a tensor, a tuple of arguments, or a dict of them by name.
        batch: rows.
        steps: time steps.
        seed: of the main sequence; all else stays the same with another seed.
        scale: factor of the main sequence's values.
        batch_first: whether the first axis of the main sequence is the batch; else the second is.
        ordered: whether lengths fall from row to row.

    Raises:
        KindError: the example holds no sequence.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> probe(torch.randn(32, 40, 1)).shape  # doctest: +SKIP
        torch.Size([7, 11, 1])
    """
    example = as_inputs(example)
    leaves = _leaves(example)
    main = _main(leaves)
    own_batch, own_steps = sizes(example, batch_first=batch_first)
    lengths = _lengths(batch, steps, ordered)
    made = []
    for i, leaf in enumerate(leaves):
        if i == main:
            made.append(_sequence(leaf, batch, steps, lengths, seed, scale, batch_first))
        elif _is_lengths(leaf, own_batch, own_steps):
            own = torch.as_tensor(lengths)
            made.append(own.to(leaf) if isinstance(leaf, torch.Tensor) else lengths)
        elif isinstance(leaf, torch.Tensor):
            made.append(_beside(leaf, own_batch, own_steps, batch, steps, lengths, batch_first))
        else:
            made.append(leaf)
    return _rebuilt(example, iter(made).__next__)


def normal(*sizes: int) -> Tensor:
    """Return normal numbers, always the same: an example where only its sizes are known.

    Args:
        sizes: of the axes.
    """
    return torch.randn(sizes, generator=torch.Generator().manual_seed(0))


def swap(
    inputs: Any, others: Any, *, rows: Rows = slice(None), steps: Rows = slice(None), batch_first: bool = True
) -> Any:
    """Return inputs with some rows and steps of the main sequence taken from others of the same sizes.

    Args:
        inputs: as `probe` makes them.
        others: the same with another seed.
        rows: of the batch.
        steps: time steps.
        batch_first: whether the first axis of the main sequence is the batch.
    """
    leaves, main = _leaves(inputs), _main(_leaves(inputs))
    leaves[main] = _taken(leaves[main], _leaves(others)[main], rows, steps, batch_first)
    return _rebuilt(inputs, iter(leaves).__next__)


def taken_row(inputs: Any, row: int, *, batch_first: bool = True) -> Any:
    """Return one row of inputs as a batch of one: its main sequence, its length, and what stands beside it.

    Args:
        inputs: as `probe` makes them.
        row: of the batch.
        batch_first: whether the first axis of the main sequence is the batch.
    """
    batch, _ = sizes(inputs, batch_first=batch_first)
    main, made = _main(_leaves(inputs)), []
    for i, leaf in enumerate(_leaves(inputs)):
        if isinstance(leaf, PackedSequence):
            padded, lengths = pad_packed_sequence(leaf, batch_first=True)
            own = slice(row, row + 1)
            made.append(pack_padded_sequence(padded[own], lengths[own], batch_first=True))
        elif isinstance(leaf, torch.Tensor) and batch in leaf.shape:
            axis = (0 if batch_first else 1) if i == main else list(leaf.shape).index(batch)
            made.append(leaf.narrow(axis, row, 1))
        else:
            made.append(leaf[row : row + 1] if _is_whole(leaf) and len(leaf) == batch else leaf)
    return _rebuilt(inputs, iter(made).__next__)


def cut(inputs: Any, steps: int, *, batch_first: bool = True) -> Any:
    """Return the first steps of inputs.

    Args:
        inputs: as `probe` makes them.
        steps: that are kept.
        batch_first: whether the first axis of the main sequence is the batch.
    """
    return with_sequence(inputs, lambda x: x.narrow(1 if batch_first else 0, 0, steps))


def padded(inputs: Any, steps: int, value: float, *, batch_first: bool = True) -> Any:
    """Return inputs that hold a padding value after their first steps.

    Args:
        inputs: as `probe` makes them.
        steps: that are kept.
        value: of the padding.
        batch_first: whether the first axis of the main sequence is the batch.
    """

    def filled(x: Tensor) -> Tensor:
        axis = 1 if batch_first else 0
        return x.index_fill(axis, torch.arange(steps, x.shape[axis]), value)

    return with_sequence(inputs, filled)


def sequence(inputs: Any) -> Tensor:
    """Return the main sequence; a packed one as its data."""
    leaves = _leaves(inputs)
    leaf = leaves[_main(leaves)]
    return leaf.data if isinstance(leaf, PackedSequence) else leaf


def with_sequence(inputs: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return inputs with another main sequence, made from its own."""
    leaves = _leaves(inputs)
    main = _main(leaves)
    leaf = leaves[main]
    leaves[main] = leaf._replace(data=change(leaf.data)) if isinstance(leaf, PackedSequence) else change(leaf)
    return _rebuilt(inputs, iter(leaves).__next__)


def sizes(inputs: Any, *, batch_first: bool = True) -> tuple[int | None, int]:
    """Return the rows and the time steps of the main sequence; one axis alone is the time."""
    leaf = _leaves(inputs)[_main(_leaves(inputs))]
    if isinstance(leaf, PackedSequence):
        return int(leaf.batch_sizes[0]), len(leaf.batch_sizes)
    if leaf.ndim == 1:
        return None, len(leaf)
    rows, steps = leaf.shape[:2] if batch_first else (leaf.shape[1], leaf.shape[0])
    return int(rows), int(steps)


def lengths_of(inputs: Any, example: Any, *, batch_first: bool = True) -> Tensor | None:
    """Return the valid steps of each row, where the example has lengths, a mask or a packed sequence."""
    own = sizes(example, batch_first=batch_first)
    leaves = _leaves(inputs)
    for leaf, known in zip(leaves, _leaves(example), strict=True):
        if isinstance(leaf, PackedSequence):
            return pad_packed_sequence(leaf)[1]
        if _is_lengths(known, *own):
            return torch.as_tensor(leaf).long()
        if _is_mask(known, *own, batch_first):
            valid = leaf.bool() ^ _marks_padding(known, batch_first)
            return valid.sum(1 if batch_first else 0)
    return None


def as_inputs(example: Any) -> Any:
    """Return an example as tensors on the processor: arrays become tensors.

    Raises:
        KindError: it holds no sequence.
    """

    def plain(leaf: Any) -> Any:
        if isinstance(leaf, torch.Tensor | PackedSequence):
            return leaf.detach().cpu() if isinstance(leaf, torch.Tensor) else leaf.to("cpu")
        return torch.as_tensor(leaf) if type(leaf).__module__ == "numpy" and hasattr(leaf, "ndim") else leaf

    leaves = iter([plain(leaf) for leaf in _leaves(example)])
    made = _rebuilt(example, leaves.__next__)
    _main(_leaves(made))
    return made


def keeps_steps(example: Any, *, batch_first: bool = True) -> bool:
    """Return whether something beside the main sequence has two axes of its steps: an attention mask."""
    leaves = _leaves(example)
    _, steps = sizes(example, batch_first=batch_first)
    beside = [leaf for i, leaf in enumerate(leaves) if i != _main(leaves) and isinstance(leaf, torch.Tensor)]
    return any(list(leaf.shape).count(steps) > 1 for leaf in beside)


# ---- structure ---------------------------------------------------------------------------------------------


def _leaves(example: Any) -> list[Any]:
    """Return all within an example, in order; a list of whole numbers is one leaf: lengths."""
    if isinstance(example, dict):
        return [leaf for one in example.values() for leaf in _leaves(one)]
    if (
        isinstance(example, tuple | list)
        and not isinstance(example, PackedSequence)
        and not _is_whole(example)
    ):
        return [leaf for one in example for leaf in _leaves(one)]
    return [example]


def _rebuilt(example: Any, following: Callable[[], Any]) -> Any:
    """Return the structure of an example with other leaves."""
    if isinstance(example, dict):
        return {name: _rebuilt(one, following) for name, one in example.items()}
    if (
        isinstance(example, tuple | list)
        and not isinstance(example, PackedSequence)
        and not _is_whole(example)
    ):
        made = [_rebuilt(one, following) for one in example]
        return made if isinstance(example, list) else tuple(made)
    return following()


def _is_whole(example: Any) -> bool:
    return isinstance(example, list) and bool(example) and all(isinstance(one, int) for one in example)


def _main(leaves: list[Any]) -> int:
    """Return which leaf is the main sequence.

    Raises:
        KindError: none is.
    """
    wanted: list[Callable[[Any], bool]] = [
        lambda leaf: isinstance(leaf, PackedSequence),
        lambda leaf: _is_table(leaf) and leaf.is_floating_point() and bool(leaf.any()),  # zeros are states
        lambda leaf: _is_table(leaf) and not leaf.is_floating_point() and leaf.dtype != torch.bool,
        lambda leaf: _is_table(leaf) and leaf.is_floating_point(),
        lambda leaf: isinstance(leaf, torch.Tensor) and leaf.is_floating_point() and leaf.ndim == 1,
    ]
    for is_wanted in wanted:
        for i, leaf in enumerate(leaves):
            if is_wanted(leaf):
                return i
    raise KindError(
        fault("doctor.example", got=", ".join(type(leaf).__name__ for leaf in leaves) or "nothing")
    )


def _is_table(leaf: Any) -> bool:
    return isinstance(leaf, torch.Tensor) and leaf.ndim > 1


# ---- values ------------------------------------------------------------------------------------------------


def _sequence(
    leaf: Any, batch: int, steps: int, lengths: list[int], seed: int, scale: float, batch_first: bool
) -> Any:
    """Return a main sequence of other sizes."""
    random = torch.Generator().manual_seed(seed)
    if isinstance(leaf, PackedSequence):
        padded = _drawn(leaf.data, (batch, steps, *leaf.data.shape[1:]), random, scale)
        return pack_padded_sequence(padded, torch.as_tensor(lengths), batch_first=True, enforce_sorted=False)
    if leaf.ndim == 1:
        return _drawn(leaf, (steps,), random, scale)
    front = (batch, steps) if batch_first else (steps, batch)
    return _drawn(leaf, (*front, *leaf.shape[2:]), random, scale)


def _drawn(known: Tensor, shape: tuple[int, ...], random: torch.Generator, scale: float) -> Tensor:
    """Return values between those that are known, each feature (the third axis and on) for itself."""
    if not known.is_floating_point() or known.is_complex():
        values = known.flatten()
        return values[torch.randint(len(values), shape, generator=random)]
    features = known.shape[2:].numel() if known.ndim > 2 else 1
    if known.ndim == 2 and len(shape) > 2:  # the data of a packed sequence
        features = known.shape[-1]
    columns = known.double().reshape(-1, features)
    made = torch.empty(torch.Size(shape).numel() // features, features, dtype=torch.float64)
    for i in range(features):
        column = columns[:, i][columns[:, i].isfinite()]
        drawn = torch.rand(len(made), generator=random, dtype=torch.float64)
        if not len(column) or column.min() == column.max():
            start = float(column[0]) if len(column) else 0.0
            made[:, i] = start + torch.randn(len(made), generator=random, dtype=torch.float64)
        elif len(column.unique()) <= 2:
            made[:, i] = torch.where(drawn < 0.5, column.min(), column.max())
        else:
            made[:, i] = column.min() + drawn * (column.max() - column.min())
    return (made * scale).reshape(shape).to(known.dtype)


def _taken(leaf: Any, other: Any, rows: Rows, steps: Rows, batch_first: bool) -> Any:
    """Return a sequence with some rows and steps of another."""
    if isinstance(leaf, PackedSequence):
        (mine, lengths), (theirs, _) = (pad_packed_sequence(one, batch_first=True) for one in (leaf, other))
        mixed = _taken(mine, theirs, rows, steps, True)
        return pack_padded_sequence(mixed, lengths, batch_first=True, enforce_sorted=False)
    mixed = leaf.clone()
    if leaf.ndim == 1:
        mixed[steps] = other[steps]
        return mixed
    chosen = torch.zeros(leaf.shape[:2], dtype=torch.bool)
    (chosen if batch_first else chosen.T)[_both(chosen, rows, steps, batch_first)] = True
    mixed[chosen] = other[chosen]
    return mixed


def _both(chosen: Tensor, rows: Rows, steps: Rows, batch_first: bool) -> Any:
    """Return an index of rows by steps."""
    batch, time = chosen.shape if batch_first else chosen.T.shape
    return torch.meshgrid(
        torch.arange(batch)[rows].reshape(-1), torch.arange(time)[steps].reshape(-1), indexing="ij"
    )


# ---- what stands beside the sequence -----------------------------------------------------------------------


def _lengths(batch: int, steps: int, ordered: bool) -> list[int]:
    """Return valid steps from all of them down to half, in no order or falling."""
    least = -(-steps // 2)
    falling = [steps - i * (steps - least) // max(batch - 1, 1) for i in range(batch)]
    if ordered or batch < 3:
        return falling
    return falling[1::2] + falling[::2]


def _is_lengths(leaf: Any, batch: int | None, steps: int) -> bool:
    """Return whether a leaf holds one length for each row."""
    if _is_whole(leaf):
        leaf = torch.as_tensor(leaf)
    if not isinstance(leaf, torch.Tensor) or leaf.ndim != 1 or len(leaf) != batch:
        return False
    if leaf.is_floating_point() or leaf.dtype == torch.bool:
        return False
    return int(leaf.min()) >= 1 and int(leaf.max()) == steps


def _is_mask(leaf: Any, batch: int | None, steps: int, batch_first: bool) -> bool:
    """Return whether a leaf marks the valid steps of each row, or the others."""
    shape = (batch, steps) if batch_first else (steps, batch)
    if not isinstance(leaf, torch.Tensor) or leaf.ndim != 2 or tuple(leaf.shape) != shape:
        return False
    return leaf.dtype == torch.bool or bool(
        ((leaf == 0) | (leaf == 1)).all() and not leaf.is_floating_point()
    )


def _marks_padding(leaf: Tensor, batch_first: bool) -> bool:
    """Return whether True stands for padding: the first step of a row is never padding."""
    first = leaf[:, 0] if batch_first else leaf[0]
    return not bool(first.bool().any())


def _beside(
    leaf: Tensor,
    own_batch: int | None,
    own_steps: int,
    batch: int,
    steps: int,
    lengths: list[int],
    batch_first: bool,
) -> Tensor:
    """Return a tensor beside the main sequence, its axes of the batch and of the time resized."""
    if _is_mask(leaf, own_batch, own_steps, batch_first):
        valid = torch.arange(steps)[None] < torch.as_tensor(lengths)[:, None]
        marks = valid ^ _marks_padding(leaf, batch_first)
        return (marks if batch_first else marks.T).to(leaf.dtype)
    shape = list(leaf.shape)
    rows = [i for i, size in enumerate(shape) if size == own_batch]
    wanted = 0 if batch_first else 1
    axis = next((i for i in ([1] if leaf.ndim == 3 and shape[0] < 9 else []) + [wanted] if i in rows), None)
    axis = rows[0] if axis is None and rows else axis
    times = [i for i, size in enumerate(shape) if size == own_steps and i != axis and own_steps > 1]
    if axis is not None:
        shape[axis] = batch
    if times:
        shape[times[0]] = steps
    if tuple(shape) == tuple(leaf.shape):
        return leaf
    values = leaf.flatten()
    random = torch.Generator().manual_seed(_OTHERS)
    return values[torch.randint(len(values), tuple(shape), generator=random)]
