"""A panel made ready to be learned from: windows, scaling, encoding, networks with their first weights.

    panel, Settings -> windows (train | validation | calibration) -> Table -> Job

Nothing behind the training part of a series has an influence on scaling or encoding. Knows everything below
the estimator but training; must not know how long or how fast is trained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.checkpoint import fingerprint
from unrolled.encoding import Encoder
from unrolled.engine import Table, Windowing
from unrolled.errors import DataError, fault
from unrolled.heads import COUNTS, Head
from unrolled.model import Model
from unrolled.network import Network, NetworkSpec, initial_weights
from unrolled.rules import check_lengths
from unrolled.scaling import SeriesScaling
from unrolled.start import start_smoothing
from unrolled.tables import check_positive, with_features
from unrolled.windows import Divided, divide_windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from unrolled.panel import Panel
    from unrolled.rules import Settings

_SEEDS = 2**32


@dataclass(frozen=True, eq=False)
class Job:
    """A panel made ready to be learned from.

    Attributes:
        arguments: of the estimator, by name, plain.
        settings: all that was chosen.
        windows: which windows are for what, for each member.
        table: what the windows are cut from: scaled, encoded.
        model: how the networks are used; its networks have their first weights.
        seeds: of the members.
        names: of the series.
    """

    arguments: Mapping[str, Any]
    settings: Settings
    windows: tuple[Divided, ...]
    table: Table
    model: Model
    seeds: tuple[int, ...]
    names: tuple[object, ...]

    @property
    def fingerprint(self) -> str:
        """The name of the training, by which its checkpoint is known."""
        table = self.table
        arrays = (table.values, table.offsets, table.features, table.feature_offsets, table.static)
        return fingerprint(self.arguments, arrays, self.model.network.spec, self.model.windowing, table.known)


def prepare(panel: Panel, arguments: Mapping[str, Any], settings: Settings) -> Job:
    """Divide the windows, scale and encode, and make the networks.

    Raises:
        ArgumentError: the window cannot be cut into patches.
        DataError: the series cannot be learned from.
    """
    check_lengths(settings, panel.lengths, panel.ids, at_once=reach(arguments))
    check_values(panel, settings, arguments["loss"])
    windows = divide(panel, settings, arguments)
    held_out = np.where(_divided(windows[0]), settings.held_out + settings.calibration, 0)
    encoder = None
    if panel.covariates is not None or arguments["calendar"]:
        encoder = Encoder.fit(panel, panel.covariates, arguments["calendar"], held_out=held_out)
    scaler = None
    if settings.scaling == "series":
        scaler = SeriesScaling.fit(panel.values, panel.offsets, held_out=held_out)
    table = table_of(panel, scaler, encoder)
    seeds = seeds_of(arguments, settings.members)
    model = _make_model(panel, table, arguments, settings, scaler, encoder, seeds)
    return Job(arguments, settings, windows, table, model, seeds, panel.ids)


def reach(arguments: Mapping[str, Any]) -> int:
    """Return how many points the network forecasts at once."""
    return int(arguments["horizon"]) if arguments["strategy"] == "direct" else 1


def seeds_of(arguments: Mapping[str, Any], members: int) -> tuple[int, ...]:
    """Return the seed of each member."""
    return tuple((arguments["seed"] + member) % _SEEDS for member in range(members))


def divide(panel: Panel, settings: Settings, arguments: Mapping[str, Any]) -> tuple[Divided, ...]:
    """Return which windows are for what, for each member."""
    made = {
        window: divide_windows(
            panel.lengths,
            window=window,
            at_once=reach(arguments),
            horizon=int(arguments["horizon"]),
            validation=settings.held_out,
            calibration=settings.calibration,
            padded=settings.mask,
        )
        for window in set(_windows(settings))
    }
    return tuple(made[window] for window in _windows(settings))


def _windows(settings: Settings) -> Sequence[int]:
    """Return how many points each member reads."""
    return settings.windows or (settings.window,) * settings.members


def _divided(windows: Divided) -> NDArray[np.bool_]:
    """Whether a series has windows that are held out, [S]."""
    return (windows.validation.counts > 0) | (windows.calibration.counts > 0)


def check_values(panel: Panel, settings: Settings, loss: str) -> None:
    """Refuse values that the scaling or the loss cannot take.

    Raises:
        DataError: naming the first of them; or a point is missing where none may be.
    """
    if settings.scaling == "log":
        check_positive(panel, "log")
    if loss == "negative_binomial" and bool((panel.values < 0).any()):
        raise DataError(fault("data.not-counts", least=float(np.nanmin(panel.values))))
    if panel.n_missing and not settings.mask:
        found = panel.missing_series()
        raise DataError(fault("fit.missing", count=found.values, series=found.first[0][0]))


def table_of(panel: Panel, scaler: SeriesScaling | None, encoder: Encoder | None) -> Table:
    """Return what the windows are cut from."""
    values = panel.values if scaler is None else scaler.apply(panel.values, panel.offsets)
    table = Table(values, panel.offsets)
    return table if encoder is None else with_features(table, encoder, panel, horizon=0)


def _make_model(
    panel: Panel,
    table: Table,
    arguments: Mapping[str, Any],
    settings: Settings,
    scaler: SeriesScaling | None,
    encoder: Encoder | None,
    seeds: tuple[int, ...],
) -> Model:
    """Make the networks with their first weights, and say how they are used."""
    head = Head(arguments["loss"], tuple(float(level) for level in arguments["quantiles"] or ()))
    windowing = Windowing(
        window=settings.window,
        horizon=reach(arguments),
        patch=settings.patch,
        scaling="none" if scaler else settings.scaling,
        mask=settings.mask,
        ahead=settings.ahead,
    )
    statics = 0 if table.static is None else table.static.shape[1]
    inputs = table.input_size(windowing)
    spec = NetworkSpec(
        cell=arguments["cell"],
        input_size=inputs,
        hidden_size=settings.hidden_size,
        num_layers=int(arguments["num_layers"]),
        output_size=windowing.horizon * panel.n_channels * head.width,
        skip_inputs=inputs - statics if settings.skip and statics else None,
        dropout=arguments["dropout"],
        dilations=tuple(arguments["dilations"] or ()),
        residual=arguments["residual"],
    )
    networks = []
    for seed, window in zip(seeds, _windows(settings), strict=True):
        own = replace(windowing, window=window)
        shape = replace(spec, skip_steps=own.steps if settings.skip else 0)
        weights = initial_weights(shape, seed)
        if settings.skip and head.loss != COUNTS:
            weights = start_smoothing(weights, own, panel.n_channels, head, arguments["season"])
        networks.append(Network(shape, weights, dtype=arguments["dtype"]))
    return Model(
        tuple(networks),
        windowing,
        int(arguments["horizon"]),
        head,
        scaler,
        encoder,
        arguments["combine"],
        arguments["memory"],
        windows=settings.windows,
    )
