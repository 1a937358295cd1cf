"""Whether windows, their split and their scaling are what they should be.

    series, windows, split, scaler -> Located, folds -> findings

Everything is read off the values: nothing is trained, and nothing is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.doctor.checkup import Checkup
from unrolled.doctor.examination import Examination
from unrolled.doctor.locating import as_numbers, locate
from unrolled.doctor.scalers import ends_of, map_of
from unrolled.doctor.splits import folds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from unrolled.doctor.locating import Located
    from unrolled.doctor.splits import Fold

_KINDS = (
    "target-misaligned",
    "windows-missing",
    "targets-overlap",
    "trains-on-future",
    "scaler-saw-test",
    "test-scaled-by-itself",
    "range-outside",
)
"""What cannot be asked where windows are not found."""

_FOUND = 0.9
"""The share of windows that must be found in the series."""

_OUTSIDE = 0.25
"""A test target further outside the training range than this share of its width is told."""


def check_windows(
    series: Any,
    windows: Any,
    split: Any,
    scaler: Any = None,
    *,
    horizon: int | None = None,
    covariates: Mapping[str, Any] | None = None,
    known: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> Checkup:
    """Return what is wrong with windows that were cut from a series, split and scaled.

    Args:
        series: [T] or [T, C], in its own units, before any scaling; the first channel is the target.
        windows: X and Y of all windows, training and test: [N, W] or [N, W, I], and [N], [N, H] or [N, H, C];
            or a dataset or loader of such pairs.
        split: the first test window; the share of windows that train; (training, test) indices; a list of
            such pairs; or what has the method `split` of scikit-learn.
        scaler: like those of scikit-learn, a pair (loc, scale), or a pair of a training and a test scaler;
            None: it is measured from the windows.
        horizon: which point ahead a target of one point is; None: the next one.
        covariates: columns [T] by name that a model reads at the time of its targets.
        known: names of those that are known when a forecast is made.
        ignore: ids of findings that are not looked for.

    Raises:
        KindError: windows are no pairs, or a scaler is none.
        DataError: sizes do not fit together.
        ArgumentError: the split is none, or there is no finding of an id.

    Example:
        >>> y = np.sin(np.arange(60.0)) + np.arange(60) / 10
        >>> X = np.stack([y[i : i + 12] for i in range(48)])
        >>> check_windows(y, (X, y[12:]), 36).findings
        []
        >>> check_windows(y, (X, y[11:59]), 36).findings[0]["id"]
        'target-misaligned'
    """
    exam = Examination(ignore)
    where = locate(series, windows, horizon=horizon)
    folds = folds_of(split, len(where.inputs))
    _covariates(exam, where, covariates, known)
    if where.found.mean() < _FOUND:
        for kind in _KINDS:
            exam.skipped(kind, "windows-not-found", found=int(where.found.sum()), count=len(where.inputs))
    else:
        _aligned(exam, where, horizon)
        _split(exam, where, folds)
        _scaled(exam, where, folds[0], scaler)
        _range(exam, where, folds[-1])
    return Checkup(exam.facts(), "windows")


# ---- targets -----------------------------------------------------------------------------------------------


def _aligned(exam: Examination, where: Located, horizon: int | None) -> None:
    """See that each target follows its window, and that no window is left out at the end."""
    more = "" if horizon is None else f", horizon={horizon}"
    lines = [f"where = doctor.locate(series, windows{more})"]
    if where.offset is None:
        exam.skipped("target-misaligned", "targets-not-found")
        exam.skipped("windows-missing", "targets-not-found")
        return
    if where.offset != 1:
        exam.failed(
            "target-misaligned",
            measured=where.offset,
            lines=[*lines, "print(where.offset)"],
            before=f"y[i] = series[i + {where.window + where.offset - 1}]",
            after=f"y[i] = series[i + {where.window}]  # i + W, the first point after the window",
            window=where.window,
        )
    exam.passed("target-misaligned")
    ahead = 0 if horizon is None or where.horizon > 1 else horizon - 1
    starts = np.sort(where.position[where.found])
    stride = int(np.median(np.diff(starts))) if len(starts) > 1 else 1
    left = len(where.series) - int(starts.max()) - where.window - ahead - where.horizon
    if max(stride, 1) <= left <= max(stride, 1) + where.horizon and where.offset == 1:
        exam.failed(
            "windows-missing",
            measured=left,
            lines=[
                *lines,
                f"end = where.position.max() + where.window + {ahead} + where.horizon",
                "print(len(where.series) - end)",
            ],
            before="for i in range(len(series) - W - H)",
            after="for i in range(len(series) - W - H + 1)",
            count=len(where.inputs),
        )
    exam.passed("windows-missing")


# ---- splits ------------------------------------------------------------------------------------------------


def _split(exam: Examination, where: Located, folds: list[Fold]) -> None:
    """See that no fold trains on its test targets, or on what came after them."""
    first = where.first_target(1)
    for i, (train, test) in enumerate(folds):
        train, test = train[where.found[train]], test[where.found[test]]
        steps = np.arange(where.horizon)
        learnt = np.unique(first[train, None] + steps)
        asked = np.unique(first[test, None] + steps)
        shared = np.intersect1d(learnt, asked).size
        lines = [
            "where = doctor.locate(series, windows)",
            f"train, test = doctor.folds_of(split, len(where.inputs))[{i}]",
        ]
        if shared and not exam.found("targets-overlap"):
            exam.failed(
                "targets-overlap",
                measured=shared,
                lines=[
                    *lines,
                    "steps = lambda part: {t + k for t in where.first_target(1)[part].tolist()"
                    " for k in range(where.horizon)}",
                    "print(len(steps(train) & steps(test)))",
                ],
                before="train, test = windows[:n], windows[n:]",
                after=f"train, test = windows[: n - {where.horizon - 1}], windows[n:]  # a gap of H - 1"
                if where.horizon > 1 and learnt.max() > asked.min() and train.max() < test.min()
                else "cut the series first, and then the windows of each part",
                fold=i + 1,
                asked=int(asked.size),
            )
        later = int((first[train] > first[test].min()).sum())
        if later and train.max() > test.min() and not exam.found("trains-on-future"):
            exam.failed(
                "trains-on-future",
                measured=later,
                lines=[
                    *lines,
                    "first = where.first_target(1)",
                    "print((first[train] > first[test].min()).sum())",
                ],
                before="train_test_split(X, y)  # or KFold",
                after="train_test_split(X, y, shuffle=False)  # or TimeSeriesSplit",
                fold=i + 1,
                training=len(train),
            )
    exam.passed("targets-overlap")
    exam.passed("trains-on-future")


# ---- scaling -----------------------------------------------------------------------------------------------


def _scaled(exam: Examination, where: Located, fold: Fold, scaler: Any) -> None:
    """See that the training part alone has scaled both parts."""
    train, test = (part[where.found[part]] for part in fold)
    given = _given(scaler)
    if given is None and where.by_window:
        for kind in ("scaler-saw-test", "test-scaled-by-itself"):
            exam.skipped(kind, "by-window")
        return
    end = int((where.first_target(1)[train] + where.horizon).max())
    (loc, scale), (test_loc, test_scale) = given or (_middle(where, train), _middle(where, test))
    spread = float(where.series[:, 0].std()) or 1.0
    if abs(loc) < 1e-6 * spread and abs(scale - 1) < 1e-6:
        for kind in ("scaler-saw-test", "test-scaled-by-itself"):
            exam.skipped(kind, "not-scaled")
        return
    lines = ["where = doctor.locate(series, windows)"]
    if abs(test_loc - loc) > 1e-4 * spread or abs(test_scale - scale) > 1e-4 * spread:
        exam.failed(
            "test-scaled-by-itself",
            measured=test_loc - loc,
            lines=[
                "import numpy as np; where = doctor.locate(series, windows)",
                "train, test = doctor.folds_of(split, len(where.inputs))[0]",
                "print(np.median(where.loc[test]) - np.median(where.loc[train]))",
            ]
            if given is None
            else ["one, other = scaler", "print(doctor.map_of(other)[0] - doctor.map_of(one)[0])"],
            before="test = StandardScaler().fit_transform(test)",
            after="test = scaler.transform(test)  # the scaler that was fitted on the training part",
            loc=loc,
            test_loc=test_loc,
        )
    exam.passed("test-scaled-by-itself")
    ends = ends_of(where.series[:, 0], loc, scale)
    if not ends.size:
        exam.skipped("scaler-saw-test", "scaler-unknown")
    elif ends.min() > end:
        told = f"{loc!r}, {scale!r}"
        exam.failed(
            "scaler-saw-test",
            measured=int(ends.min()) - end,
            lines=[
                *lines,
                f"ends = doctor.ends_of(where.series[:, 0], {told})",
                f"print(ends.min() - {end})",
            ],
            before="scaler.fit(series)",
            after=f"scaler.fit(series[:{end}])",
            end=end,
            read=int(ends.min()),
        )
    exam.passed("scaler-saw-test")


def _given(scaler: Any) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the maps of the training and the test part that a scaler says."""
    if scaler is None:
        return None
    if isinstance(scaler, tuple | list) and len(scaler) == 2 and not all(np.isscalar(one) for one in scaler):
        return map_of(scaler[0]), map_of(scaler[1])
    return map_of(scaler), map_of(scaler)


def _middle(where: Located, part: Any) -> tuple[float, float]:
    """Return the map of the windows of a part."""
    return float(np.median(where.loc[part])), float(np.median(where.scale[part]))


def _range(exam: Examination, where: Located, fold: Fold) -> None:
    """Tell how far test targets lie outside of what was known in training."""
    if where.by_window:
        exam.skipped("range-outside", "by-window")
        return
    train, test = (part[where.found[part]] for part in fold)
    y, first = where.series[:, 0], where.first_target(1)
    known = y[: int((first[train] + where.horizon).max())]
    steps = np.unique(first[test, None] + np.arange(where.horizon))
    came = y[steps[steps < len(y)]]
    low, high = float(known.min()), float(known.max())
    width = (high - low) or 1.0
    beyond = max(float(came.max()) - high, low - float(came.min()), 0.0) / width
    if beyond > _OUTSIDE:
        exam.failed(
            "range-outside",
            measured=beyond,
            lines=[
                "import numpy as np; y = np.asarray(series, float).reshape(len(series), -1)[:, 0]",
                f"y = y[{int(steps.min())}:]",
                f"print(max(y.max() - {high!r}, {low!r} - y.min()) / {width!r})",
            ],
            after="# scale each window by itself, or forecast differences: Forecaster does so by default",
            low=low,
            high=high,
            share=float(((came < low) | (came > high)).mean()),
        )
    exam.passed("range-outside")


# ---- covariates --------------------------------------------------------------------------------------------


def _covariates(
    exam: Examination, where: Located, covariates: Mapping[str, Any] | None, known: Iterable[str]
) -> None:
    """See that no input holds the target, and that covariates of the future are known."""
    wanted = set(known)
    if covariates is None:
        exam.skipped("covariate-unknown", "no-covariates")
    else:
        unknown = [name for name in covariates if name not in wanted]
        if unknown:
            exam.failed(
                "covariate-unknown",
                measured=len(unknown),
                lines=["print(len(set(covariates) - set(known)))"],
                before=f"future[{unknown[0]!r}]",
                after=f"past[{unknown[0]!r}]  # up to the origin; or a forecast of it",
                place=unknown[0],
                names=", ".join(unknown),
            )
        exam.passed("covariate-unknown")
    _leaks(exam, where, covariates or {})
    exam.passed("target-in-inputs")


def _leaks(exam: Examination, where: Located, covariates: Mapping[str, Any]) -> None:
    """See that no covariate and no further channel of the windows is the target."""
    y = where.series[:, 0]
    for name, given in covariates.items():
        column = as_numbers(name, given).reshape(-1)
        if len(column) == len(y) and _same(column, y):
            exam.failed(
                "target-in-inputs",
                measured=1.0,
                lines=[
                    "import numpy as np; y = np.asarray(series, float).reshape(len(series), -1)[:, 0]",
                    f"print(abs(np.corrcoef(np.ravel(covariates[{name!r}]), y)[0, 1]))",
                ],
                after=f"# leave {name!r} out, or shift it: only values up to the origin",
                place=name,
                name=name,
            )
    if where.offset is None:
        return
    for channel in range(1, where.inputs.shape[2]):
        if _same(where.inputs[:, -1, channel], where.values[:, 0]):
            exam.failed(
                "target-in-inputs",
                measured=1.0,
                lines=[
                    "import numpy as np; where = doctor.locate(series, windows)",
                    f"print(abs(np.corrcoef(where.inputs[:, -1, {channel}], where.values[:, 0])[0, 1]))",
                ],
                after=f"# leave channel {channel} out of the inputs, or shift it by one step",
                place=f"channel {channel}",
                name=f"channel {channel}",
            )


def _same(one: Any, other: Any) -> bool:
    """Return whether two columns are one but for their scale."""
    kept = np.isfinite(one) & np.isfinite(other)
    if kept.sum() < 4 or np.std(one[kept]) == 0 or np.std(other[kept]) == 0:
        return False
    return bool(abs(np.corrcoef(one[kept], other[kept])[0, 1]) > 1 - 1e-9)
