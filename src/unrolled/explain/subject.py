"""What is explained: one network, and windows of real series as it reads them.

    Model, panel -> some windows of each series -> x [T, B, I], their scaling, what came after them

Knows models and panels; must not know how a number is computed or shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unrolled.engine import Table, Windowing
from unrolled.errors import ArgumentError, DataError, fault
from unrolled.heads import Head
from unrolled.scaling import WindowScaling
from unrolled.tables import Cut, set_beside
from unrolled.windows import Windows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unrolled.engine import Array
    from unrolled.model import Model
    from unrolled.network import Network
    from unrolled.panel import Panel
    from unrolled.scaling import SeriesScaling

WINDOWS = 32
"""So many windows are explained where nothing else is asked for."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """One network and the windows that it is explained on.

    Shapes:
        x_tbi: [T, B, I]; series, starts: [B]; targets_bkc: [B, K, C].

    Attributes:
        network: of one member.
        windowing: how it reads a window, and how many points K it forecasts at once.
        head: what its outputs mean.
        x_tbi: the windows as the network reads them, in the dtype of its engine.
        series: the number of the series of each window.
        starts: the point of its series at which each begins; below 0 where it begins before the first one.
        scaling: how each window is scaled.
        scaler: of the series of each window where series were scaled once, else None.
        targets_bkc: what came after each window, scaled as it is; NaN where that is not known.
        input_names: what each of the I inputs of a step is.
    """

    network: Network
    windowing: Windowing
    head: Head
    x_tbi: Array
    series: NDArray[np.int64]
    starts: NDArray[np.int64]
    scaling: WindowScaling
    scaler: SeriesScaling | None
    targets_bkc: NDArray[np.float64]
    input_names: tuple[str, ...]

    @property
    def read_steps(self) -> int:
        """How many steps read points of the window; the steps after them read what is known ahead."""
        return self.windowing.window // self.windowing.patch

    @property
    def channels(self) -> int:
        """C, how many channels a point has."""
        return int(self.targets_bkc.shape[2])

    @property
    def anchors(self) -> NDArray[np.int64]:
        """The outputs that are the point forecasts, [K*C]."""
        points = self.windowing.horizon * self.channels
        return np.arange(points) * self.head.width + self.head.anchor


def subject_of(
    model: Model,
    panel: Panel,
    *,
    member: int = 0,
    windows: int = WINDOWS,
    known_as: NDArray[np.int64] | None = None,
    borders: NDArray[np.int64] | None = None,
) -> Subject:
    """Return one member of a model with windows of a panel, as this member reads them.

    The last window of each series is among them, the others are spread evenly over all series. Last windows
    are half of all at the most, since what came after them is not known: of more series, so many are taken
    evenly. Where the network reads ahead, a last window ends early
    enough for all that it reads to be known. A model of memory "all" is explained on windows too: they are
    what it learnt from.

    Args:
        model: the networks.
        panel: the series.
        member: which of the networks.
        windows: at most so many.
        known_as: where series were scaled once, the number that each had when fitting; None: the same order.
        borders: a point of each series, [S]: the window that ends before it is among them, as far as there
            is room for it.

    Raises:
        ArgumentError: there is no such member, or no window is asked for.
        DataError: the networks cannot read the series, or no window fits into one of them.
    """
    if not 0 <= member < len(model.networks):
        raise ArgumentError(fault("explain.member", got=member, members=len(model.networks)))
    if windows < 1:
        raise ArgumentError(fault("explain.windows", got=windows))
    model.check(panel)
    network, windowing = model.networks[member], model.windowings[member]
    scaler = model.scaler_of(known_as)
    values = np.asarray(panel.values, network.engine.dtype)
    table = Table(values if scaler is None else scaler.apply(values, panel.offsets), panel.offsets)
    ends = panel.lengths
    names = _input_names(windowing, panel.channels)
    if model.encoder is not None:
        room = room_ahead(panel, model.horizon if windowing.ahead else 0)
        told = model.encoder.apply(panel, panel.covariates, ahead_points=room)
        table = set_beside(table, told)
        names = _input_names(windowing, panel.channels, told.names, told.static_names)
        ends = ends + room - (windowing.horizon if windowing.ahead else 0)
    first = 1 - windowing.window if windowing.mask else 0
    also = None if borders is None else np.asarray(borders, np.int64) - windowing.window
    cut = Cut(table, *_chosen(ends - windowing.window, windows, first=first, also=also))
    if not cut.series.size:
        raise DataError(fault("explain.no-window", window=windowing.window))
    x_tbi, rows = network.engine.gather(*cut, windowing=windowing)
    scaling = WindowScaling.of(windowing.scaling, rows)
    left_out = np.zeros(panel.n_series, np.int64) if panel.left_out is None else panel.left_out
    return Subject(
        network=network,
        windowing=windowing,
        head=model.head,
        x_tbi=x_tbi,
        series=cut.series,
        starts=cut.starts + left_out[cut.series],
        scaling=scaling,
        scaler=None if scaler is None else scaler.of(cut.series),
        targets_bkc=scaling.apply(_after(cut, windowing)),
        input_names=names,
    )


def subject_from(network: Network, x_tbi: ArrayLike, targets: ArrayLike | None = None) -> Subject:
    """Return a network with windows that were made by hand, read as they are.

    The first number of a step is its point, the others are features; O points follow a window.

    Shapes:
        x_tbi: [T, B, I]; targets: [B, O].

    Args:
        network: any with a head on the last state.
        x_tbi: the windows.
        targets: what came after them; not known where not given.

    Raises:
        ArgumentError: the network has another head, or the arrays do not fit it.

    Example:
        >>> from unrolled.network import Network, NetworkSpec
        >>> network = Network(NetworkSpec(cell="gru", input_size=1, hidden_size=2, output_size=3))
        >>> subject_from(network, np.zeros((4, 5, 1))).targets_bkc.shape
        (5, 3, 1)
    """
    spec = network.spec
    if spec.head != "last" or not spec.output_size:
        raise ArgumentError(fault("explain.head", head=spec.head, outputs=spec.output_size))
    x = np.ascontiguousarray(x_tbi, network.engine.dtype)
    if x.ndim != 3 or x.shape[2] != spec.input_size or (spec.skip_steps and len(x) != spec.skip_steps):
        expected = f"[{spec.skip_steps or 'T'}, B, {spec.input_size}]"
        raise ArgumentError(fault("engine.shape", name="x", expected=expected, got=list(x.shape)))
    steps, batch, inputs = x.shape
    shape = (batch, spec.output_size)
    came = np.full(shape, np.nan) if targets is None else np.array(targets, np.float64)
    if came.shape != shape:
        raise ArgumentError(fault("engine.shape", name="targets", expected=list(shape), got=list(came.shape)))
    ones = np.ones((batch, 1))
    return Subject(
        network=network,
        windowing=Windowing(window=steps, horizon=spec.output_size),
        head=Head("mse"),
        x_tbi=x,
        series=np.arange(batch, dtype=np.int64),
        starts=np.zeros(batch, np.int64),
        scaling=WindowScaling("none", pre=ones, location=0 * ones, scale=ones),
        scaler=None,
        targets_bkc=came[..., None],
        input_names=("y[t]", *(f"x{number}[t]" for number in range(1, inputs))),
    )


def room_ahead(panel: Panel, horizon: int) -> int:
    """Return for how many points behind the end of every series the covariates are known, K at the most."""
    given = panel.covariates
    if given is None or not given.known:
        return horizon
    return int(np.clip((np.diff(given.known_offsets) - panel.lengths).min(), 0, horizon))


def _chosen(
    last: NDArray[np.int64], most: int, *, first: int, also: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return series and starts of at most so many windows, given the last start of each series, [S].

    A series whose last start lies before `first` has no window. The starts `also`, [S], are among them where
    there are such windows and they are not too many.
    """
    fits = np.flatnonzero(last >= first)
    if not fits.size:
        return fits, fits
    count = min(most - most // 2, fits.size)
    ends = fits[np.arange(count) * fits.size // count]
    starts = last if also is None else also
    named = fits[(starts[fits] >= first) & (starts[fits] < last[fits])][: most - count]
    earlier = Windows(np.zeros_like(last), np.maximum(last, 0)).some(most - count - named.size)
    pairs = np.concatenate(
        [np.stack(earlier), np.stack([named, starts[named]]), np.stack([ends, last[ends]])], axis=1
    )
    series, begins = np.ascontiguousarray(np.unique(pairs, axis=1))
    return series, begins


def _after(cut: Cut, windowing: Windowing) -> NDArray[np.float64]:
    """Return the points that follow windows, [B, K, C]; NaN where their series has ended."""
    table = cut.table
    rows = (table.offsets[cut.series] + cut.starts + windowing.window)[:, None] + np.arange(windowing.horizon)
    known = rows < table.offsets[cut.series + 1][:, None]
    came = table.values[np.minimum(rows, len(table.values) - 1)].astype(np.float64)
    return np.where(known[..., None], came, np.nan)


def _input_names(
    windowing: Windowing,
    channels: tuple[str, ...],
    features: tuple[str, ...] = (),
    statics: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Return what each input of a step is: values, flags of missing ones, features, statics."""
    backs = range(windowing.patch - 1, -1, -1)
    when = [f"[t-{back}]" if back else "[t]" for back in backs]
    values = [f"{channel}{at}" for at in when for channel in channels]
    flags = [f"missing({value})" for value in values] if windowing.mask else []
    return (*values, *flags, *(f"{name}{at}" for at in when for name in features), *statics)
