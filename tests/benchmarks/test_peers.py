"""The comparison with whole libraries: a real turn in a process, what is merged, what the page says."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import page, store, turns
from benchmarks.peers.__main__ import main
from benchmarks.peers.jobs import jobs, many_series, same_work
from benchmarks.peers.libraries import LIBRARIES, OURS, Library
from tests.benchmarks import folders


class Here(Library):
    """A library of this environment."""

    python = property(lambda self: Path(sys.executable))


def here(name="unrolled"):
    return Here(name, name, "unrolled", model="", defaults="", better="much")


def short_job():
    """Return the same work, cut to a few steps and forecasts."""
    job = same_work("gru")
    settings = {**job.settings, "steps": 3, "repeats": 2}
    return replace(job, settings=settings, asked=job.asked[:4], truth=job.truth[:4])


def test_a_turn_is_a_process_that_fits_and_forecasts():
    (row,) = turns.in_turns(short_job(), [here()], turns=2)
    figures = row["figures"]
    assert row["turns"] == 2
    assert figures["start_to_forecast_s"]["value"] > figures["import_s"]["value"] + figures["fit_s"]["value"]
    assert figures["peak_mb"]["value"] > 20
    assert 0 < figures["mse"]["least"] < figures["mse"]["most"], "the turns had the same seed"


def test_a_library_that_fails_says_what_it_said_last():
    rows = list(turns.in_turns(short_job(), [here(), here("nowhere")], turns=1))
    assert "figures" in rows[0]
    assert "No module named 'adapters.nowhere_side'" in rows[1]["failed"]


def test_the_same_work_is_judged_on_points_that_were_held_out():
    for job in (same_work("lstm"), many_series()):
        known = {len(one) for one in job.fitted}
        assert all(np.isfinite(one).all() for one in job.asked)
        assert job.figures(job.truth)["mse"] == 0
        assert known == ({9_000} if job.at_once == 1 else {188})


def test_what_needs_a_folder_is_said(tmp_path):
    made, missing = jobs(None)
    assert [job.name for job in made] == ["same_lstm", "same_gru", "many_lstm"]
    assert len(missing) == 3
    series = [folders.wave(150, 12, seed=n) for n in range(2)]
    folders.competition(
        tmp_path,
        "tourism_monthly",
        ("tourism-Monthly-train.csv.gz", "tourism-Monthly-test.csv.gz"),
        series,
        24,
        header=False,
    )
    made, missing = jobs(tmp_path)
    assert made[-1].name == "tourism_monthly"
    assert len(missing) == 2
    assert made[-1].figures(np.stack([one[-24:] for one in series]))["mase"] == pytest.approx(0, abs=1e-6)


def test_rows_of_a_job_replace_the_old_ones_alone(tmp_path):
    path = tmp_path / "peers.json"
    for value in (1.0, 2.0):
        row = {"job": "a", "library": "darts", "figures": {"fit_s": {"value": value}}}
        store.merge(rows=[row], job=("a", {"title": "A"}), environment={"date": "now"}, path=path)
    store.merge(rows=[{"job": "b", "library": "darts", "failed": "x"}], path=path)
    found = store.read(path)
    assert [row["job"] for row in found["rows"]] == ["a", "b"]
    assert found["rows"][0]["figures"]["fit_s"]["value"] == 2.0


def results(ours, theirs):
    """Return results of the same work in two libraries."""

    def row(name, seconds):
        names = (
            "start_to_forecast_s",
            "import_s",
            "fit_s",
            "first_predict_s",
            "warm_predict_s",
            "peak_mb",
            "mse",
        )
        figures = {key: {"value": seconds, "least": seconds, "most": seconds} for key in names}
        return {"job": "same_lstm", "library": name, "figures": figures}

    settings = {"title": "the same", "settings": {}}
    return {"jobs": {"same_lstm": settings}, "rows": [row("unrolled", ours), row("darts", theirs)]}


@pytest.mark.parametrize(("theirs", "told"), [(10.0, "target 10x: reached"), (9.0, "**not reached**")])
def test_the_verdict_says_whether_the_target_is_reached(theirs, told):
    assert told in page.verdict(results(1.0, theirs))


def test_a_library_slower_or_faster_than_ours_is_shown_as_it_is():
    assert page.beside(results(2.0, 1.0), "same_lstm", "darts", "fit_s") == "1.00 s (0.5x)"


def test_every_library_says_what_it_is_better_at():
    assert all(
        library.better and page.BETTER_ZH[library.name] for library in LIBRARIES if library is not OURS
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--jobs", "nonsense", "--libraries", "unrolled"], "no job nonsense"),
        (["--libraries", "darts"], "no environment"),
    ],
)
def test_misuse_is_told(words, told, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.peers.libraries.ROOT", tmp_path)
    if "nonsense" in words:
        monkeypatch.setattr("benchmarks.peers.__main__.missing", lambda libraries: [])
    assert main(words) == 2
    assert told in capsys.readouterr().err
