"""Arguments that cannot work: each is named, all of a call at once, before anything is learned."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave
from unrolled import Forecaster
from unrolled.errors import ArgumentError
from unrolled.messages import speaking

BELOW = {
    **dict.fromkeys(("horizon", "season", "window", "hidden_size", "num_layers", "patch", "batch_size"), 0),
    **dict.fromkeys(("epochs", "steps", "threads"), 0),
    **dict.fromkeys(("validation", "patience", "seed"), -1),
}
ABOVE = {"seed": 2**32, "threads": 1025, "hidden_size": 65537, "num_layers": 65, "horizon": 2**31 + 1}
RANGES = {"dropout": (-0.1, 1.0), "delta": (0.0, 1e31), "lr": (-1e-9, 1e7), "momentum": (-0.1, 1.1)}
RANGES |= {"weight_decay": (-1.0, 1e7), "clip": (-1.0, 1e31)}
CHOICES = {"cell": "lstmm", "strategy": "directly", "scaling": "standart", "loss": "ma", "optimizer": "adamW"}
CHOICES |= {"schedule": "cosin", "dtype": "float16"}
NEVER_NONE = (
    "horizon",
    "cell",
    "num_layers",
    "strategy",
    "loss",
    "dtype",
    "seed",
    "dropout",
    "delta",
    "momentum",
)


def refused(match: str, **arguments: object) -> ArgumentError:
    """Return the error that `fit` raises; nothing was learned."""
    forecaster = Forecaster(**{"horizon": 3, "steps": 2, **arguments})
    with pytest.raises(ArgumentError, match=match) as caught:
        forecaster.fit(wave())
    assert not [name for name in vars(forecaster) if name.endswith("_")]
    return caught.value


@pytest.mark.parametrize(("name", "value"), [*BELOW.items(), *ABOVE.items()])
def test_whole_numbers_out_of_range(name, value):
    error = refused(f"^{name} does not fit", **{"epochs" if name == "steps" else "steps": None, name: value})
    assert "a whole number from" in str(error)
    assert f"got: {value}" in str(error)


@pytest.mark.parametrize("name", BELOW)
@pytest.mark.parametrize("value", ["3", 3.0, 2.5, True, [3], np.array([3, 4]), float("nan"), 1j, object()])
def test_what_is_no_whole_number(name, value):
    refused(f"^{name} does not fit", **{"epochs" if name == "steps" else "steps": None, name: value})


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, pair in RANGES.items() for value in pair]
)
def test_numbers_out_of_range(name, value):
    error = refused(f"^{name} does not fit", **{"num_layers": 2, name: value})
    assert "a number from" in str(error)


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize(
    "value",
    ["0.5", float("nan"), float("inf"), -float("inf"), True, [0.5], np.array([0.1, 0.2]), 10**400, 1j],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number(name, value):
    refused(f"^{name} does not fit", **{"num_layers": 2, name: value})


@pytest.mark.parametrize(("name", "value"), CHOICES.items())
def test_names_that_are_not_known_come_with_the_nearest(name, value):
    error = refused(f"^{name} is not known", **{name: value})
    assert re.search(rf'try: {name}="\w+"', str(error))


def test_the_nearest_is_near():
    assert 'cell="lstm"' in str(refused("cell", cell="lstmm"))
    assert 'scaling="standard"' in str(refused("scaling", scaling="standart"))


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", [3, ["lstm"], np.array(["lstm", "gru"]), b"lstm", {}])
def test_what_is_no_name(name, value):
    refused(f"^{name} is not known", **{name: value})


@pytest.mark.parametrize("name", ["shuffle", "skip", "progress"])
@pytest.mark.parametrize("value", [1, "yes", np.array([True, False])])
def test_flags(name, value):
    assert "True or False" in str(refused(f"^{name} does not fit", **{name: value}))


@pytest.mark.parametrize("name", NEVER_NONE)
def test_none_where_no_rule_chooses(name):
    refused(f"^{name} has no rule", **{name: None})


def test_shuffle_has_no_rule_either():
    refused("^shuffle", shuffle=None)


def test_clip_none_is_no_clipping():
    assert small(3, clip=None).fit(wave()).history_.stopped == "finished"


def test_epochs_and_steps():
    refused(r"epochs and steps both say how long(.|\n)*epochs=2, steps=3", epochs=2, steps=3)


class TestQuantiles:
    @pytest.mark.parametrize(
        "quantiles",
        [
            None,
            (),
            [],
            (0.5, 0.1),
            (0.1, 0.1),
            (0.0, 0.5),
            (0.5, 1.0),
            (-0.1,),
            0.5,
            "0.5",
            (0.1, "x"),
            (None,),
            (float("nan"),),
            {0.1, 0.5},
            np.array([[0.1, 0.5]]),
        ],
    )
    def test_what_cannot_be_quantiles(self, quantiles):
        refused(
            'These are not quantiles(.|\n)*loss "quantile" needs to know which',
            loss="quantile",
            quantiles=quantiles,
        )

    @pytest.mark.parametrize("quantiles", [(0.5,), [0.1, 0.9], np.array([0.1, 0.5]), (np.float32(0.25), 0.5)])
    def test_any_sequence_will_do(self, quantiles):
        forecaster = small(3, loss="quantile", quantiles=quantiles).fit(wave())
        assert forecaster.predict_quantiles().shape == (1, 3, 1, len(quantiles))

    def test_without_their_loss(self):
        refused(r'quantiles are given(.|\n)*got: loss="mae"', quantiles=(0.1, 0.9))


def test_dropout_with_one_layer():
    refused(r"with one layer it would do nothing(.|\n)*dropout=0.2, num_layers=1", dropout=0.2)


def test_validation_shorter_than_a_forecast():
    refused("validation is too short to judge", validation=2)
    for strategy in ("direct", "recursive"):
        assert small(3, validation=3, strategy=strategy).fit(wave()).report_ is not None


def test_validation_that_leaves_nothing_to_learn_from():
    with pytest.raises(ValueError, match="validation"):
        small(3, validation=1000).fit(wave())


def test_a_window_that_is_not_made_of_patches():
    refused(
        "The window cannot be cut into patches(.|\n)*multiple of patch = 5(.|\n)*window = 12",
        window=12,
        patch=5,
    )


def test_a_patch_alone_finds_its_window():
    assert small(3, patch=5).fit(wave()).settings_.window % 5 == 0


def test_more_outputs_than_a_network_can_have():
    with pytest.raises(ArgumentError, match="output_size"):
        small(2000, loss="quantile", quantiles=np.linspace(0.001, 0.999, 999).tolist(), window=1).fit(
            wave(5000)
        )


def test_all_faults_are_named_at_once():
    error = refused(
        "horizon does not fit",
        horizon=0,
        cell="lstmm",
        season=-1,
        lr=float("nan"),
        skip=1,
        loss=None,
        epochs=3,
        dropout=0.5,
        quantiles=(0.5,),
    )
    assert sorted(one.id for one in error.faults) == [
        "argument.choice",
        "argument.dropout-one-layer",
        "argument.epochs-and-steps",
        "argument.flag",
        "argument.none",
        "argument.number",
        "argument.quantiles-unused",
        "argument.whole",
        "argument.whole",
    ]
    assert str(error).count("expected:") == len(error.faults) == 9


def test_arguments_are_checked_before_the_series():
    with pytest.raises(ArgumentError, match="horizon does not fit"):
        Forecaster(0).fit("no series at all")


def test_making_and_changing_a_forecaster_checks_nothing():
    assert Forecaster(0, cell="?").set_params(lr="fast").lr == "fast"


class TestUnknownNames:
    def test_all_are_named_with_the_nearest(self):
        with pytest.raises(ArgumentError, match="There is no argument horizn") as caught:
            small().set_params(horizn=3, sead=1)
        assert "try: horizon" in str(caught.value)
        assert "try: seed" in str(caught.value)

    def test_then_nothing_is_changed(self):
        forecaster = small(3)
        with pytest.raises(ArgumentError, match="no argument"):
            forecaster.set_params(horizon=7, sead=1)
        assert forecaster.horizon == 3

    def test_python_itself_refuses_them_when_making_one(self):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            Forecaster(3, sead=1)
        with pytest.raises(TypeError, match="positional"):
            Forecaster(3, 12)


@pytest.mark.parametrize(
    "value", [np.int64(4), np.int32(4), np.uint8(4)], ids=lambda value: type(value).__name__
)
def test_numbers_of_numpy_are_numbers(value):
    names = (
        "horizon",
        "season",
        "window",
        "hidden_size",
        "batch_size",
        "steps",
        "seed",
        "threads",
        "validation",
    )
    forecaster = small(
        **dict.fromkeys(names, value), num_layers=type(value)(2), lr=np.float32(0.01), dropout=0.1
    )
    assert forecaster.fit(wave()).predict().shape == (4,)
    assert set(repr(forecaster)) >= {"4"}


def test_every_fault_speaks_chinese():
    with speaking("zh"):
        error = refused(
            "[\u4e00-\u9fff]", horizon=0, cell="x", lr=-1, skip=1, loss=None, epochs=1, dropout=0.5
        )
        for one in error.faults:
            assert re.search("[\u4e00-\u9fff]", str(one).splitlines()[0]), one.id
