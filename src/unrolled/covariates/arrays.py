"""Covariates given as arrays, lists and dictionaries beside arrays and lists of series.

What is given has the axes that the series have: [T] or [T, F] beside one series, [S, T, F] beside three axes,
a list beside a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unrolled.covariates.beside import Covariates, from_columns
from unrolled.covariates.columns import unmasked
from unrolled.errors import ArgumentError, DataError, Fault, fault, raise_any
from unrolled.parts import offsets_of
from unrolled.places import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.panel import Panel


def from_arrays(
    panel: Panel, *, past: object = None, known: object = None, static: object = None
) -> Covariates:
    """Return the covariates that a caller gives beside arrays and lists of series.

    Shapes:
        past, known: beside one series [T] or [T, F]; beside [S, T, C] or a list: [S, T], [S, T, F], or a list
        of S arrays [T_s] or [T_s, F]. static: [S] or [S, E]; beside one series [E].

    Args:
        panel: the series, from arrays or lists.
        past: known up to the end of each series. A dictionary name -> one column keeps its names; else they
            are past_0, past_1, ...
        known: known ahead too; each series from its first point on, and as far beyond its end as is known.
        static: what never changes; a dictionary name -> S values keeps its names.

    Returns:
        The covariates.

    Raises:
        ArgumentError: the series came as a data frame, whose columns are named instead.
        DataError: sizes do not fit, or there is what is neither number nor category; all faults at once.

    Example:
        >>> from unrolled.panel import to_panel
        >>> found = from_arrays(to_panel([1.0, 2.0]), known=[10.0, 20.0, 30.0], static={"size": [7.0]})
        >>> found.known["known_0"].tolist(), found.static["size"].tolist()
        ([10.0, 20.0, 30.0], [7.0])
    """
    if panel.kind == "frame":
        raise ArgumentError(fault("covariates.frame-arrays"))
    faults: list[Fault] = []
    past_columns = _joined(panel, "past", past, faults)
    known_columns = _joined(panel, "known", known, faults)
    static_columns = _static(panel, static, faults)
    lengths = {name: lengths for name, (_, lengths) in known_columns.items()}
    if len({tuple(one.tolist()) for one in lengths.values()}) > 1:
        faults.append(fault("covariates.known-differ", columns=", ".join(map(repr, lengths))))
    raise_any(DataError, faults)
    offsets = offsets_of(next(iter(lengths.values()), np.zeros(panel.n_series)))
    return from_columns(
        panel,
        past={name: column for name, (column, _) in past_columns.items()},
        known={name: column for name, (column, _) in known_columns.items()},
        static=static_columns,
        known_offsets=offsets,
    )


def is_single(panel: Panel) -> bool:
    """Whether the caller gave one series without an axis of series."""
    return panel.n_series == 1 and panel.kind in ("vector", "matrix", "frame")


def block_of(given: object) -> NDArray[Any] | None:
    """Return what belongs to one series as [T, F], or None where it has not one or two axes."""
    try:
        array = np.asarray(unmasked(given))
        if array.dtype.kind not in "biuf" and isinstance(given, list | tuple):
            array = np.asarray(given, dtype=object)  # so that 1 beside "x" stays a number
    except (ValueError, TypeError):
        return None
    return array.reshape(len(array), -1) if array.ndim in (1, 2) and array.size else None


def _joined(
    panel: Panel, part: str, given: object, faults: list[Fault]
) -> dict[str, tuple[NDArray[Any], NDArray[np.int64]]]:
    """Return each column, the series one after the other, and the length of each series."""
    if given is None:
        return {}
    ahead = part == "known"
    if isinstance(given, Mapping):
        named_blocks = {
            str(name): _blocks(panel, str(name), one, ahead, faults) for name, one in given.items()
        }
        wide = [name for name, blocks in named_blocks.items() if blocks and blocks[0].shape[1] != 1]
        faults += [fault("covariates.one-column", column=name) for name in wide]
        return {name: _column(blocks, 0) for name, blocks in named_blocks.items() if blocks}
    blocks = _blocks(panel, part, given, ahead, faults)
    width = blocks[0].shape[1] if blocks else 0
    return {f"{part}_{index}": _column(blocks, index) for index in range(width)}


def _column(blocks: list[NDArray[Any]], index: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    parts = [block[:, index] for block in blocks]
    if any(part.dtype.kind != parts[0].dtype.kind for part in parts):
        parts = [part.astype(object) for part in parts]  # numbers beside text must not become text
    return np.concatenate(parts), np.array(list(map(len, parts)), np.int64)


def _blocks(panel: Panel, name: str, given: object, ahead: bool, faults: list[Fault]) -> list[NDArray[Any]]:
    """Return one array [T, F] a series, or none at all and say why."""
    size = panel.n_series
    if is_single(panel):
        each: Sequence[object] = [given]
    elif hasattr(given, "__len__") and hasattr(given, "__getitem__") and len(given) == size:
        each = cast("Sequence[object]", given)
    else:
        shape = np.shape(given) if isinstance(given, np.ndarray) else _said(given)
        faults.append(fault("covariates.series", part=name, size=size, got=shape))
        return []
    blocks = [block_of(one) for one in each]
    width = next((block.shape[1] for block in blocks if block is not None), 0)
    found: list[Fault] = []
    for series, (block, length) in enumerate(zip(blocks, panel.lengths.tolist(), strict=True)):
        who = {"part": name, "series": panel.ids[series]}
        if block is None:
            found.append(fault("covariates.shape", **who, got=_said(each[series])))
        elif block.shape[1] != width:
            found.append(fault("covariates.width", **who, expected=width, got=block.shape[1]))
        elif len(block) < length or (len(block) > length and not ahead):
            name_of = "covariates.length-known" if ahead else "covariates.length"
            found.append(fault(name_of, **who, expected=length, got=len(block)))
    faults += named(found, lambda one: one)
    return [] if found else [block for block in blocks if block is not None]


def _said(given: object) -> str:
    """Return the shape of something, or its kind where it has none."""
    try:
        return f"{type(given).__name__} {np.shape(cast('Any', given))}"
    except (ValueError, TypeError):
        size = f" ({len(given)})" if hasattr(given, "__len__") else ""
        return f"{type(given).__name__}{size}"


def _static(panel: Panel, given: object, faults: list[Fault]) -> dict[str, Any]:
    """Return the static columns, [S] each."""
    if given is None:
        return {}
    size = panel.n_series
    if isinstance(given, Mapping):
        columns = {str(name): block_of(_atleast(one)) for name, one in given.items()}
        for name, block in columns.items():
            if block is None or block.shape != (size, 1):
                faults.append(fault("covariates.static", part=name, size=size, got=_said(given[name])))
        return {name: block[:, 0] for name, block in columns.items() if block is not None}
    block = block_of(given)
    if block is not None and is_single(panel) and np.ndim(cast("Any", given)) == 1:
        block = block.reshape(1, -1)
    if block is None or len(block) != size:
        faults.append(fault("covariates.static", part="static", size=size, got=_said(given)))
        return {}
    return {f"static_{index}": block[:, index] for index in range(block.shape[1])}


def _atleast(one: object) -> object:
    """Return one value as a list of one."""
    return [one] if isinstance(one, str) or not hasattr(one, "__len__") else one
