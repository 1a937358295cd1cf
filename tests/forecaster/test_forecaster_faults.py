"""Every fault of the forecaster's modules: raised by a call, told in English and in Chinese."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave, waves
from tests.forecaster.lessons import lesson
from tests.forecaster.safetensors_files import changed, without_header
from unrolled import Forecaster
from unrolled.errors import (
    ArgumentError,
    DataError,
    FileError,
    KindError,
    NotFittedError,
    TrainingError,
    UnrolledError,
)
from unrolled.messages import speaking
from unrolled.network import Network, NetworkSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODULES = (
    *("checks", "rules", "estimator", "forecaster", "fitting", "jobs", "model", "tables", "streaming"),
    *("training", "network", "stream", "artefact"),
)
CHINESE = "[\u4e00-\u9fff]"
SPEC = {"cell": "lstm", "input_size": 1, "hidden_size": 2, "output_size": 1}


def spec(**changes):
    return NetworkSpec(**{**SPEC, **changes})


def weights(**changes):
    return {**Network(spec()).weights, **changes}


def fitted(**changes) -> Forecaster:
    return small(3, **changes).fit(wave())


def saved(folder: Path, **changes) -> Path:
    small(2, window=4, **changes).fit(wave(30)).save(folder / "model")
    return folder / "model"


def load_changed(folder: Path, change: Callable[[dict], object]) -> None:
    Forecaster.load(changed(saved(folder), header=change))


# id of the fault -> what raises it (given a folder), the kind of error, and a pattern of what it says.
FAULTS: dict[str, tuple[Callable[[Path], object], type[UnrolledError], str]] = {
    "argument.calendar": (
        lambda _: fitted(calendar=("months",)),
        ArgumentError,
        'no calendar feature(.|\n)*weekday(.|\n)*"month"',
    ),
    "argument.counts-scaling": (
        lambda _: fitted(loss="negative_binomial", scaling="last"),
        ArgumentError,
        "may only be divided(.|\n)*scaling='last'",
    ),
    "argument.dilations": (
        lambda _: fitted(dilations=(1, 0)),
        ArgumentError,
        r"dilations does not fit(.|\n)*each of the 1 layers(.|\n)*\(1, 0\)",
    ),
    "argument.levels": (lambda _: fitted().predict(levels=(80, 180)), ArgumentError, "between 0 and 100"),
    "argument.mask-ahead": (
        lambda _: small(3, mask=False).fit(wave(), known=np.zeros(80)),
        ArgumentError,
        "known ahead need mask(.|\n)*mask=False",
    ),
    "argument.memory": (
        lambda _: fitted(memory="all", skip=True),
        ArgumentError,
        "one state through a whole series, which skip(.|\n)*skip=True",
    ),
    "argument.names": (lambda _: fitted(past_cols="rain"), ArgumentError, "past_cols is not a list of names"),
    "argument.residual-one-layer": (
        lambda _: fitted(residual=True),
        ArgumentError,
        "passes a layer by(.|\n)*num_layers=2",
    ),
    "artefact.older": (
        lambda folder: load_changed(folder, lambda header: header.update(schema=1)),
        FileError,
        "written by an older version(.|\n)*layout 1",
    ),
    "data.not-counts": (
        lambda _: small(3, loss="negative_binomial").fit(wave() - 10),
        DataError,
        "A count is negative",
    ),
    "data.not-positive": (
        lambda _: small(3, scaling="log").fit([wave(), wave(50, level=0.0)]),
        DataError,
        'no logarithm; the first is in series 1(.|\n)*scaling="asinh"',
    ),
    "fit.missing": (
        lambda _: small(3, mask=False).fit(np.append(wave(), np.nan)),
        DataError,
        "1 points are missing, and mask=False",
    ),
    "predict.covariates-alone": (
        lambda _: fitted().predict(known=np.zeros(80)),
        ArgumentError,
        "without the series that they belong to",
    ),
    "predict.missing": (
        lambda _: fitted().predict(np.append(wave(), np.nan)),
        DataError,
        "does not read which; the first are in series 0(.|\n)*mask=True",
    ),
    "predict.no-calibration": (
        lambda _: fitted(validation=0).predict(levels=(80,)),
        ArgumentError,
        "No points were held out(.|\n)*calibration=3",
    ),
    "predict.no-distribution": (lambda _: fitted().sample(), ArgumentError, "points, not how they spread"),
    "predict.paths-direct": (
        lambda _: fitted(loss="gaussian").sample(),
        ArgumentError,
        'it has no paths(.|\n)*strategy="recursive"',
    ),
    "glass.training": (
        lambda _: fitted().explain(training=True),
        ArgumentError,
        "The training cannot be watched(.|\n)*explain\\(y, training=True\\)",
    ),
    "stream.covariates": (
        lambda _: small(3).fit(wave(), past=wave()).stream(wave()),
        DataError,
        "reads covariates too: past_0",
    ),
    "stream.point": (
        lambda _: fitted().stream(wave()).push([1.0, 2.0]),
        DataError,
        r"1 numbers(.|\n)*\(2,\)",
    ),
    "stream.point-value": (
        lambda _: fitted().stream(wave()).push(np.nan),
        DataError,
        "not finite(.|\n)*mask=True",
    ),
    "stream.restore": (
        lambda _: fitted().stream(wave()).restore({"values": np.zeros(3)}),
        ArgumentError,
        "not the state of a stream",
    ),
    "stream.series": (lambda _: fitted().stream(waves(40, 40)), DataError, "one series(.|\n)*got: 2 series"),
    "argument.choice": (lambda _: fitted(cell="lstmm"), ArgumentError, 'cell is not known(.|\n)*cell="lstm"'),
    "argument.dropout-one-layer": (
        lambda _: fitted(dropout=0.5),
        ArgumentError,
        "one layer it would do nothing",
    ),
    "argument.epochs-and-steps": (lambda _: fitted(epochs=1), ArgumentError, "both say how long to train"),
    "argument.flag": (lambda _: fitted(skip=1), ArgumentError, "skip does not fit(.|\n)*True or False"),
    "argument.none": (lambda _: fitted(cell=None), ArgumentError, "cell has no rule"),
    "argument.number": (lambda _: fitted(lr=-1), ArgumentError, "lr does not fit(.|\n)*got: -1"),
    "argument.patch": (lambda _: fitted(window=9, patch=2), ArgumentError, "cannot be cut into patches"),
    "argument.quantiles": (
        lambda _: fitted(loss="quantile"),
        ArgumentError,
        'loss "quantile" needs to know which',
    ),
    "argument.quantiles-unused": (
        lambda _: fitted(quantiles=(0.5,)),
        ArgumentError,
        "the loss does not use them",
    ),
    "argument.unknown": (
        lambda _: small().set_params(sead=1),
        ArgumentError,
        "no argument sead(.|\n)*try: seed",
    ),
    "argument.validation": (
        lambda _: fitted(validation=1),
        ArgumentError,
        "too short to judge(.|\n)*validation=3",
    ),
    "argument.whole": (lambda _: small(0).fit(wave()), ArgumentError, "horizon does not fit(.|\n)*got: 0"),
    "artefact.damaged": (
        lambda folder: Forecaster.load(changed(saved(folder), data=lambda data: data[:99])),
        FileError,
        "model cannot be read: it is cut short",
    ),
    "artefact.missing": (lambda folder: Forecaster.load(folder / "no"), FileError, "no such file(.|\n)*/no"),
    "artefact.newer": (
        lambda folder: load_changed(folder, lambda header: header.update(schema=99)),
        FileError,
        "written by a newer version(.|\n)*schema 99",
    ),
    "artefact.other-kind": (
        lambda folder: Forecaster.load(without_header(saved(folder))),
        FileError,
        "a file of another kind",
    ),
    "encoding.new": (
        lambda _: fitted().predict(wave(), past=wave()),
        DataError,
        "past_0",
    ),
    "engine.shape": (
        lambda _: Network(spec()).stream(2).step(np.zeros((1, 2))),
        ArgumentError,
        r"x does not fit(.|\n)*shape \[2, 1\](.|\n)*shape \[1, 2\]",
    ),
    "fit.no-validation": (
        lambda _: small(3, window=8, validation=10).fit(waves(20, 15)),
        DataError,
        "hold points out(.|\n)*at least 21 points(.|\n)*20 points in the longest(.|\n)*validation=0",
    ),
    "fit.no-windows": (
        lambda _: small(3, window=8).fit(waves(10, 9)),
        DataError,
        "No series is long enough(.|\n)*at least 11 points(.|\n)*10 points in the longest",
    ),
    "fit.not-fitted": (
        lambda _: small(3).predict(),
        NotFittedError,
        "has not learned anything(.|\n)*fit\\(y\\)",
    ),
    "fit.target": (
        lambda _: small(3).fit(wave(), wave()),
        ArgumentError,
        "the series alone(.|\n)*ndarray(.|\n)*past=",
    ),
    "score.covariates": (
        lambda _: small(3).fit(wave(), past=wave()).score(wave()),
        ArgumentError,
        "reads some: past_0(.|\n)*backtest",
    ),
    "fit.too-short": (
        lambda _: small(3, window=8, mask=False).fit(waves(30, 7, 6)),
        DataError,
        "2 series are shorter than the window; the first is 1(.|\n)*at least window = 8(.|\n)*7 points",
    ),
    "network.cell": (lambda _: spec(cell="lst"), ArgumentError, 'cell is not known(.|\n)*cell="lstm"'),
    "network.dilations": (
        lambda _: spec(dilations=(1, 2)),
        ArgumentError,
        r"dilations does not fit(.|\n)*each of the 1 layers(.|\n)*\(1, 2\)",
    ),
    "network.dropout": (lambda _: spec(dropout=1.0), ArgumentError, "dropout does not fit(.|\n)*got: 1.0"),
    "network.head": (lambda _: spec(head="first"), ArgumentError, "head does not fit(.|\n)*'first'"),
    "network.size": (lambda _: spec(hidden_size=0), ArgumentError, "hidden_size does not fit(.|\n)*got: 0"),
    "network.skip-every": (
        lambda _: spec(skip_steps=3, head="every"),
        ArgumentError,
        "cannot serve a head on every",
    ),
    "network.weight-missing": (
        lambda _: Network(spec(), {}),
        ArgumentError,
        "lack a parameter(.|\n)*weight_ih_l0",
    ),
    "network.weight-shape": (
        lambda _: Network(spec(), weights(**{"head.bias": np.zeros(2)})),
        ArgumentError,
        r"another shape(.|\n)*head.bias of shape \(1,\)(.|\n)*\(2,\)",
    ),
    "network.weight-unknown": (
        lambda _: Network(spec(), weights(head_bias=np.zeros(1))),
        ArgumentError,
        'no parameter head_bias(.|\n)*"head.bias"',
    ),
    "predict.channels": (
        lambda _: fitted().predict(np.ones((50, 2))),
        DataError,
        "another number of channels(.|\n)*1 channels(.|\n)*got: 2",
    ),
    "predict.no-quantiles": (
        lambda _: fitted().predict_quantiles(),
        ArgumentError,
        'points, not(.|\n)*loss="mae"',
    ),
    "predict.series-scaling": (
        lambda _: fitted(scaling="series").predict(waves(50, 50)),
        DataError,
        "only the series that were fitted(.|\n)*the 1 series(.|\n)*2 series",
    ),
    "predict.too-short": (
        lambda _: fitted(window=8).predict(waves(50, 7)),
        DataError,
        "Series 1 is too short(.|\n)*at least window = 8(.|\n)*7 points",
    ),
    "stream.dilated": (
        lambda _: Network(spec(dilations=(2,))).stream(),
        ArgumentError,
        r"dilated layers cannot run step by step(.|\n)*dilations=\(2,\)",
    ),
    "stream.batch": (
        lambda _: Network(spec()).stream(0),
        ArgumentError,
        "batch does not fit(.|\n)*from 1 to 1048576(.|\n)*got: 0",
    ),
    "stream.kind": (
        lambda _: Network(spec()).stream().step("0.5"),
        KindError,
        "x is not an array of numbers(.|\n)*got: str",
    ),
    "stream.not-finite": (
        lambda _: Network(spec(input_size=2)).stream().step([0.0, np.nan]),
        DataError,
        "sequence 0, feature 1(.|\n)*got: nan",
    ),
    "stream.skip": (
        lambda _: Network(spec(skip_steps=4)).stream(),
        ArgumentError,
        "cannot run step by step(.|\n)*got: skip_steps=4",
    ),
    "training.no-targets": (
        lambda _: lesson(y=np.append(wave(66), [np.nan] * 6)).train(),
        TrainingError,
        "every target of the windows held out is missing",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_raised_and_says_what_fits(name, tmp_path):
    call, kind, pattern = FAULTS[name]
    with pytest.raises(kind, match=pattern) as caught:
        call(tmp_path)
    assert [one.id for one in caught.value.faults][:1] == [name]
    assert re.search(r"\n  expected: .+\n  got: .+\n  try: .+", str(caught.value))
    assert "{" not in str(caught.value)


@pytest.mark.parametrize("name", FAULTS)
def test_it_speaks_chinese(name, tmp_path):
    call, kind, _ = FAULTS[name]
    with speaking("zh"), pytest.raises(kind, match=CHINESE) as caught:
        call(tmp_path)
    english = str(caught.value)
    with speaking("zh"):
        chinese = str(caught.value)
    assert english != chinese
    assert re.search(f"{CHINESE}.*\n  .*{CHINESE}", chinese)


def test_the_table_has_every_fault_of_the_modules():
    sources = (inspect.getsource(importlib.import_module(f"unrolled.{name}")) for name in MODULES)
    spoken = {one for source in sources for one in re.findall(r'\bfault\(\s*"([^"]+)"', source)}
    assert spoken == FAULTS.keys()


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (ArgumentError, ValueError),
        (DataError, ValueError),
        (FileError, ValueError),
        (KindError, TypeError),
        (NotFittedError, AttributeError),
        (NotFittedError, ValueError),
        (TrainingError, ValueError),
    ],
)
def test_errors_are_of_the_kinds_that_python_knows(kind, also):
    assert issubclass(kind, UnrolledError)
    assert issubclass(kind, also)


@pytest.mark.parametrize("ask", ["predict", "predict_quantiles", "describe", "save"])
def test_what_only_a_fitted_one_can_answer(ask, tmp_path):
    arguments = [tmp_path / "model"] if ask == "save" else []
    with pytest.raises(NotFittedError, match="has not learned anything"):
        getattr(small(3), ask)(*arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("y", "kind", "match"),
    [
        (None, KindError, "y is of a kind"),
        ("text", KindError, "y is of a kind"),
        ([], DataError, "no"),
        (np.ones((2, 3, 4, 5)), DataError, "this is not one series, nor several"),
        ([float("nan"), float("nan")], DataError, "no value|without|missing"),
        ([[1.0, 2.0], [3.0, float("inf")]], DataError, "series 1, position 1"),
        ([1.0, "x", 2.0], DataError, "position 1"),
    ],
)
def test_series_that_are_none_are_refused_when_fitting_and_when_forecasting(y, kind, match):
    with pytest.raises(kind, match=match):
        small(3).fit(y)
    if y is not None:
        with pytest.raises(kind, match=match):
            fitted().predict(y)


def test_several_weights_at_once():
    with pytest.raises(ArgumentError, match="another shape") as caught:
        Network(spec(), {"head.weight": np.zeros(3), "extra": np.zeros(1)})
    assert len(caught.value.faults) == 1 + 5 + 1


@pytest.mark.parametrize("value", [1.5, "2", True, None, -1])
@pytest.mark.parametrize("name", ["input_size", "hidden_size", "num_layers", "output_size", "skip_steps"])
def test_sizes_of_a_network(name, value):
    with pytest.raises(ArgumentError, match=f"{name} does not fit"):
        spec(**{name: value})
