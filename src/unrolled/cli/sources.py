"""Where series come from: files and queries, what is known ahead of them, and what is said about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unrolled.cli.talk import say
from unrolled.errors import ArgumentError, fault
from unrolled.messages import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.covariates.rows import FutureRows
    from unrolled.forecaster import Forecaster
    from unrolled.panel import Panel


class Series(NamedTuple):
    """Where series come from: a file or a query, and what their columns are called."""

    file: str | None
    sql: str | None
    time: str | None
    target: Sequence[str]
    ids: str | None
    duplicates: str = "refuse"

    @property
    def named(self) -> dict[str, str]:
        """The file by what help calls it, if there is one."""
        return {} if self.file is None else {"FILE": self.file}

    @property
    def title(self) -> str:
        """What the series are called."""
        return text("file.query") if self.file is None else title_of(self.file)


def read(series: Series, forecaster: Forecaster) -> Panel:
    """Read the series as the forecaster does, and say how many there are, and what is missing in them."""
    from unrolled.files import read_panel

    if series.file is not None and not series.target and forecaster.layout == "long":
        raise _no_target(series)
    panel = read_panel(
        series.file,
        sql=series.sql,
        target=list(series.target) or None,
        time=series.time,
        ids=series.ids,
        dtype=forecaster.dtype,
        layout=forecaster.layout,
        freq=forecaster.freq,
        missing="allow",
        gaps="fill",
        duplicates=series.duplicates,
        past_cols=forecaster.past_cols,
        known_cols=forecaster.known_cols,
        static_cols=forecaster.static_cols,
    )
    name = text("file.query") if series.file is None else series.file
    say(text("cli.read", file=name, series=panel.n_series, points=len(panel.values)))
    if panel.n_missing:
        found = panel.missing_series(_NAMED)
        names = _names([one for one, _ in found.first], found.series)
        say(text("cli.missing", count=found.values, series=found.series, names=names))
    if panel.filled:
        count = sum(rows for _, rows in panel.filled)
        names = _names([one for one, _ in panel.filled[:_NAMED]], len(panel.filled))
        say(text("cli.filled", count=count, series=len(panel.filled), names=names))
    return panel


def _no_target(series: Series) -> ArgumentError:
    """Return what says which columns a file has, where none is named.

    Raises:
        FileError: the file cannot be read.
    """
    from unrolled.files import overview

    beside = (series.time, series.ids)
    columns = {name: how["type"] for name, how in overview(str(series.file))["columns"].items()}
    numbers = [name for name, kind in columns.items() if kind != "text" and name not in beside]
    first = next(iter([*numbers, *columns]))
    return ArgumentError(fault("cli.no-target", file=series.file, columns=", ".join(columns), first=first))


def series_like(forecaster: Forecaster, series: Series) -> Series:
    """Return where series come from, the columns called as those that a forecaster was fitted on.

    Args:
        forecaster: fitted.
        series: names what is called otherwise.
    """
    ends = forecaster.ends_
    columns = ends.columns
    target = ends.ids if forecaster.layout == "wide" else ends.channels
    return series._replace(
        target=series.target or [str(one) for one in target],
        time=series.time or (columns.time if columns else None),
        ids=series.ids or (columns.id if columns else None),
    )


_NAMED = 3
"""So many series are named where something is said of some."""


def _names(names: Sequence[object], count: int) -> str:
    """Return the first names of many."""
    return ", ".join(map(str, names)) + (", ..." if count > len(names) else "")


def read_ahead(future: str | None, series: Series, panel: Panel, *, horizon: int) -> Panel:
    """Return the series with what a file knows of the points to forecast; None leaves them as they are.

    Raises:
        ArgumentError: no column of the series is known ahead.
        DataError: the file does not know all of the points.
        FileError: the file cannot be read.
    """
    from unrolled.covariates import continued

    if future is None:
        return panel
    return continued(panel, _rows_ahead(future, series, panel), horizon=horizon)


def _rows_ahead(future: str, series: Series, panel: Panel) -> FutureRows:
    from unrolled.files import read_future

    known = () if panel.covariates is None else tuple(panel.covariates.known)
    return read_future(future, known_cols=known, time=series.time, ids=series.ids)


def check_ahead(forecaster: Forecaster, panel: Panel) -> None:
    """See before the training that all is there that the forecast will read.

    Raises:
        DataError: a covariate is not known up to the last point to forecast, or is no number.
    """
    if panel.covariates is None and not forecaster.calendar:
        return
    from unrolled.encoding import Encoder

    encoder = Encoder.fit(panel, panel.covariates, forecaster.calendar)
    encoder.apply(panel, panel.covariates, ahead_points=forecaster.horizon)


def title_of(file: str) -> str:
    """Return the name of a file as a title; a name need not be text."""
    return Path(file).name.encode("utf-8", "replace").decode()
