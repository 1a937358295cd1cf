"""Times and names in the index of a pandas frame become columns, and the index again in the answer.

pandas itself is not imported: its frames are asked for what they have.
"""

from __future__ import annotations

from typing import Any

from unrolled.frametimes import is_period

Index = tuple[tuple[str, Any], ...]
"""The columns that came as levels of an index, with the name of each level."""


def into_columns(native: Any, id_col: str | None, time_col: str | None) -> tuple[Any, Index, str | None]:
    """Bring levels of an index into columns: those called as the columns looked for, and times.

    Args:
        native: a frame of any library; only pandas' have an index.
        id_col: the column that tells the series apart.
        time_col: the column of the times; where neither a column nor a level is called so, the one level that
            holds times takes its place.

    Returns:
        The frame, the same where nothing is brought in; the columns that came so; the column of the times.
    """
    index: Any = getattr(native, "index", None)
    if not hasattr(native, "reset_index") or not hasattr(index, "get_level_values"):
        return native, (), time_col
    columns, names = list(native.columns), list(index.names)
    found = {
        level: name
        for level, name in enumerate(names)
        if name is not None and name in (id_col, time_col) and name not in columns
    }
    if time_col is not None and time_col not in columns and time_col not in found.values():
        times = [level for level in range(index.nlevels) if _holds_times(index.get_level_values(level))]
        if len(times) == 1:
            own = names[times[0]]
            time_col = own if isinstance(own, str) and own not in columns else time_col
            found[times[0]] = time_col
    if not found:
        return native, (), time_col
    levels = sorted(found)
    flat = native.reset_index(drop=True)
    for level in reversed(levels):
        flat.insert(0, found[level], index.get_level_values(level))
    return flat, tuple((found[level], names[level]) for level in levels), time_col


def into_index(native: Any, index: Index) -> Any:
    """Return a frame with the columns that came as an index as its index again."""
    if not index:
        return native
    again = native.set_index([column for column, _ in index])
    again.index.names = [name for _, name in index]
    return again


def _holds_times(level: Any) -> bool:
    """Whether a level of an index holds dates or periods."""
    return getattr(level.dtype, "kind", "") == "M" or is_period(level)
