"""Forecasts become rows, and rows a file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.atomic import replace_file
from unrolled.errors import FileError, fault
from unrolled.files.database import connected, literal, name, said
from unrolled.files.source import KINDS
from unrolled.panel import as_cube, hat_names
from unrolled.timestep import to_text, unit_of
from unrolled.wide import labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

    from numpy.typing import ArrayLike

    from unrolled.panel import Panel

_CHUNK = 2048
"""Rows handed to DuckDB at a time; its older versions need a time that grows with the square of the chunk."""

_CSV = "FORMAT csv, HEADER, DELIMITER {delimiter}, COMPRESSION {compression}"


def forecast_rows(
    panel: Panel, forecasts: ArrayLike, *, beside: Mapping[str, ArrayLike] | None = None
) -> dict[str, list[Any]]:
    """Return forecasts as columns of a table, series by series: names, times, and one column a channel.

    Shapes:
        forecasts, each of beside: [S, K, C], or the shape that `answer` gives.

    Args:
        panel: the series that were forecast.
        forecasts: K values for each series and channel.
        beside: what else is said of each point, by what its columns end with: "lo_80" becomes "y_hat_lo_80".

    Returns:
        By name: the ids, where the panel knows their column or holds several series ("series"); times that
        follow each series' own end, as integers or ISO text of the resolution in which they came, else "step"
        from 1 to K; "y_hat", or with several channels "<channel>_hat" each; in wide layout one row a time
        and one column a series, called as it was. Values are Python's own, fit for
        JSON; a float32 is given with the digits that tell it from its neighbours.

    Example:
        >>> from unrolled.panel import to_panel
        >>> forecast_rows(to_panel([1.0, 2.0, 3.0]), [4.0, 5.5], beside={"lo_80": [3.0, 4.0]})
        {'step': [1, 2], 'y_hat': [4.0, 5.5], 'y_hat_lo_80': [3.0, 4.0]}
    """
    cube = as_cube(panel, forecasts)
    hats, cubes = hat_names(panel), [cube]
    for end, values in (beside or {}).items():
        hats += [f"{hat}_{end}" for hat in hats[: panel.n_channels]]
        cubes.append(as_cube(panel, values))
    series, horizon = cube.shape[:2]
    columns = panel.columns
    rows: dict[str, list[Any]] = {}
    wide = columns is not None and columns.layout == "wide"
    if not wide and ((columns and columns.id is not None) or series > 1):
        known = (columns.id if columns else None) or "series"
        names = [one if isinstance(one, int | str) else str(one) for one in panel.ids]
        rows[known] = [one for one in names for _ in range(horizon)]
    future = panel.future(horizon)
    if wide and future is not None:
        future = future[:1]
    if future is None:
        rows["step"] = [*range(1, horizon + 1)] * (1 if wide else series)
    else:
        rows[time_name(panel)] = to_text(future.reshape(-1), utc=bool(columns and columns.utc))
    if wide:
        for index, own in enumerate(labels(panel.ids, hats)):
            rows |= {name: _digits(one[index]) for name, one in zip(own, cubes, strict=True)}
        return rows
    channels = [one[:, :, channel] for one in cubes for channel in range(panel.n_channels)]
    return rows | {hat: _digits(values) for hat, values in zip(hats, channels, strict=True)}


def time_name(panel: Panel) -> str:
    """Return what the column of the times of forecasts is called."""
    return (panel.columns.time if panel.columns else None) or "time"


def csv_text(rows: Mapping[str, Sequence[Any]]) -> str:
    r"""Return the columns of a table as CSV, the names first.

    Example:
        >>> csv_text({"step": [1, 2], "y_hat": [4.0, 5.5]})
        'step,y_hat\n1,4.0\n2,5.5\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows)
    writer.writerows(zip(*rows.values(), strict=True))
    return text.getvalue()


def write_forecast(
    path: str | PathLike[str],
    panel: Panel,
    forecasts: ArrayLike,
    *,
    beside: Mapping[str, ArrayLike] | None = None,
) -> None:
    """Write forecasts into a CSV or Parquet file; an old file is replaced at once or not at all.

    Parquet gets typed times: integers, dates (the first of a month), timestamps (with a zone: in UTC).

    Shapes:
        forecasts, each of beside: [S, K, C], or the shape that `answer` gives.

    Args:
        path: a file that ends in .csv, .tsv, .csv.gz, .tsv.gz, .parquet or .pq.
        panel: the series that were forecast.
        forecasts: K values for each series and channel.
        beside: what else is said of each point, as for `forecast_rows`.

    Raises:
        FileError: the ending is none of these, or the file cannot be written: no folder, permission or space.
        ArgumentError: the forecasts do not fit the panel.

    Example:
        >>> from unrolled.panel import to_panel
        >>> write_forecast("forecast.csv", to_panel([1.0, 2.0, 3.0]), [4.0, 5.5])
        >>> Path("forecast.csv").read_text().split()
        ['step,y_hat', '1,4.0', '2,5.5']
    """
    ending = next((one for one in reversed(KINDS) if Path(path).name.lower().endswith(one)), None)
    if ending is None:
        raise FileError(fault("file.kind", file=path, known=", ".join(KINDS)))
    rows = forecast_rows(panel, forecasts, beside=beside)
    types = {column: _type_of(values) for column, values in rows.items()}
    chosen = [f"c{index} AS {name(column)}" for index, column in enumerate(rows)]
    if ending in (".parquet", ".pq"):
        options = "FORMAT parquet"
        if panel.times is not None:
            at = list(rows).index(time_name(panel))
            chosen[at] = f"{_typed(at, panel)} AS {name(list(rows)[at])}"
    else:
        delimiter = "'\\t'" if ending.startswith(".tsv") else "','"
        options = _CSV.format(delimiter=delimiter, compression="gzip" if ending.endswith("gz") else "none")

    def write(part: Path) -> None:
        _copy(part, rows, types, f"SELECT {', '.join(chosen)} FROM rows", options)

    replace_file(path, write)


def _copy(
    part: Path, rows: Mapping[str, Sequence[Any]], types: Mapping[str, str], query: str, options: str
) -> None:
    """Let DuckDB write a file."""
    import duckdb

    try:
        with connected() as connection:
            columns = ", ".join(f"c{index} {kind}" for index, kind in enumerate(types.values()))
            connection.execute(f"CREATE TEMP TABLE rows ({columns})")
            lists = ", ".join(f"unnest(?::{kind}[])" for kind in types.values())
            for chunk in _chunks(list(rows.values())):
                connection.execute(f"INSERT INTO rows SELECT {lists}", chunk)
            connection.execute(f"COPY ({query}) TO {literal(str(part))} ({options})")
    except duckdb.Error as error:
        raise OSError(said(error)) from error


def _chunks(columns: Sequence[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """Yield the columns of a table, some rows at a time."""
    for start in range(0, len(columns[0]), _CHUNK):
        yield [column[start : start + _CHUNK] for column in columns]


def _type_of(values: Sequence[Any]) -> str:
    """Return the DuckDB type of a column."""
    if all(isinstance(one, int) for one in values):
        return "BIGINT"
    return "DOUBLE" if all(isinstance(one, float) for one in values) else "VARCHAR"


def _typed(index: int, panel: Panel) -> str:
    """Return the SQL of the column of times, typed."""
    assert panel.times is not None
    unit, column = unit_of(panel.times), f"c{index}"
    if unit == "step":
        return column
    if unit in ("M", "D"):
        return f"({column}{' || ' + literal('-01') if unit == 'M' else ''})::DATE"
    if panel.columns is not None and panel.columns.utc:
        whole = f"replace({column}, 'Z', ':00Z')" if unit in ("h", "m") else column
        return f"{whole}::TIMESTAMPTZ"
    return f"{column}::{'TIMESTAMP_NS' if unit == 'ns' else 'TIMESTAMP'}"


def _digits(numbers: np.ndarray[Any, Any]) -> list[float]:
    """Return numbers as Python's floats; of a float32 only the digits that it has."""
    if numbers.dtype == np.float32:
        return [float(text) for text in numbers.reshape(-1).astype(str)]
    plain: list[float] = numbers.reshape(-1).astype(np.float64).tolist()
    return plain
