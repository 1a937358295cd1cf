"""The series that come with the package: complete, in order, with a source and terms."""

from __future__ import annotations

import doctest
from importlib import resources

import numpy as np
import pytest

from unrolled import datasets, messages
from unrolled.datasets import NAMES, load
from unrolled.errors import ArgumentError

README = resources.files(datasets).joinpath("README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
class TestEvery:
    def test_values_are_finite_and_as_many_as_the_times(self, name):
        series = load(name)
        assert series.name == name
        assert series.values.dtype == np.float64
        assert series.values.shape == series.times.shape
        assert np.isfinite(series.values).all()

    def test_times_go_on_by_one_month_or_year(self, name):
        times = load(name).times
        unit = "Y" if load(name).season is None else "M"
        assert (times == times.astype(f"datetime64[{unit}]")).all()
        assert (np.diff(times.astype(f"datetime64[{unit}]").astype(int)) == 1).all()

    def test_what_is_loaded_cannot_be_changed(self, name):
        series = load(name)
        for array in (series.values, series.times):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = array[1]

    def test_source_and_terms_stand_in_the_readme(self, name):
        series = load(name)
        assert series.source
        assert README.count(f"`{name}.csv`") == 2
        assert f"| {len(series.values)} | {series.season or 'none'} |" in README
        assert series.licence.split(" (")[0] in README

    def test_title_and_unit_in_every_language(self, name):
        told = set()
        for lang in messages.LANGUAGES:
            with messages.speaking(lang):
                told.add((load(name).title, load(name).unit))
        assert len(told) == len(messages.LANGUAGES)


def test_airline_passengers():
    air = load("airline_passengers")
    assert air.values[[0, 1, -1]].tolist() == [112, 118, 432]
    assert air.values.sum() == 40363
    assert (str(air.times[0]), str(air.times[-1]), len(air.times)) == ("1949-01-01", "1960-12-01", 144)


def test_co2_rises_every_year():
    years = load("co2_monthly").values.reshape(-1, 12).mean(axis=1)
    assert len(years) == 37
    assert (np.diff(years) > 0).all()


def test_the_nile_falls_after_1898():
    nile = load("nile")
    early = nile.times < np.datetime64("1899-01-01")
    assert nile.values[early].mean() - nile.values[~early].mean() == pytest.approx(247.8, abs=0.1)


def test_no_file_without_facts():
    files = {file.name for file in resources.files(datasets).iterdir() if file.name.endswith(".csv")}
    assert files == {f"{name}.csv" for name in NAMES}


def test_the_licence_that_a_file_needs_is_beside_it():
    text = resources.files(datasets).joinpath("LICENSE-sktime.txt").read_text(encoding="utf-8")
    assert text.startswith("BSD 3-Clause License")


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("airline", "airline_passengers"), ("CO2", "co2_monthly"), ("niles", "nile"), (3, ""), ("", "")],
)
def test_an_unknown_name(wrong, near):
    with pytest.raises(ArgumentError, match=rf"no series of this name[\s\S]*try: load\(\"{near}"):
        load(wrong)


def test_examples():
    assert doctest.testmod(datasets).failed == 0
