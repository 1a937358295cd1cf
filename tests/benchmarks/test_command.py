"""Check values refuse, results merge, the page says what the results say, Ctrl-C keeps what was finished."""

from __future__ import annotations

import json

import pytest

from benchmarks.accuracy import command, page, store
from benchmarks.accuracy.anchors import ANCHORS, TARGETS
from benchmarks.accuracy.command import main
from benchmarks.accuracy.methods import METHODS
from tests.benchmarks import folders

FACTS = {
    "title": "NN5 Daily",
    "series": 2,
    "points": [90, 90],
    "horizon": 56,
    "season": 7,
    "origins": 1,
    "together": True,
    "metrics": ["mase", "coverage_80"],
}


def row(method, task="nn5", **figures):
    """Return a row of results, the mean of each figure as its only value."""
    given = {"fit_s": 1.0, "predict_s": 0.5, **figures}
    return {
        "task": task,
        "method": method,
        "seeds": [],
        "threads": 2,
        "figures": {name: {"mean": one, "spread": 0.0, "each": [one]} for name, one in given.items()},
        "environment": {
            "date": "2026-01-01",
            "revision": "0123456789abcdef",
            "changed": False,
            "machine": "M",
            "processors": 2,
            "isa": "avx2",
            "python": "3.11",
            "versions": {"unrolled": "0.1.0"},
        },
    }


def results(*rows, facts=FACTS, task="nn5"):
    return {"part": "test", "tasks": {task: facts}, "checks": [], "rows": list(rows)}


def run(data, output, *more):
    return main(["--data", str(data), "--threads", "1", "--output", str(output), *more])


def test_a_published_figure_that_is_not_met_stops_everything(tmp_path, capsys):
    series = [folders.wave(150, 24, seed=n) for n in range(2)]
    folders.competition(tmp_path, "m4_hourly", ("Hourly-train.csv.gz", "Hourly-test.csv"), series, 48,
                        header=True)  # fmt: skip
    folders.classic(tmp_path)
    output = tmp_path / "out.json"
    assert run(tmp_path, output, "--sets", "classic", "m4_hourly", "--methods", "naive") == 1
    said = capsys.readouterr()
    assert "naive2 smape" in said.err
    assert "NOT MET" in said.err
    assert said.err.endswith("a published figure is not met: nothing was measured\n")
    assert said.out == ""
    assert not output.exists()


def test_sets_are_measured_and_merged(tmp_path, capsys):
    folders.classic(tmp_path)
    folders.ercot(tmp_path, {"COAST": folders.wave(24 * 20, 24), "WEST": folders.wave(24 * 20, 24, seed=1)})
    output = tmp_path / "out.json"
    assert run(tmp_path, output, "--sets", "classic", "ercot", "nn5", "--methods", "naive2", "naive") == 0
    said = capsys.readouterr()
    assert f"nn5: not run, there is no folder {tmp_path / 'nn5'}" in said.err
    assert "| Naive2 |" in said.out
    before = json.loads(output.read_text(encoding="utf-8"))
    assert len(before["rows"]) == 8
    assert run(tmp_path, output, "--sets", "ercot", "--methods", "single", "naive", "--seeds", "0", "1") == 0
    after = json.loads(output.read_text(encoding="utf-8"))
    assert len(after["rows"]) == 9
    kept = [one for one in before["rows"] if (one["task"], one["method"]) != ("ercot", "naive")]
    assert [one for one in after["rows"] if one in kept] == kept
    (single,) = (one for one in after["rows"] if one["method"] == "single")
    figures = single["figures"]
    assert single["seeds"] == [0, 1]
    assert set(figures) == {
        "smape", "mase", "owa", "wql", "coverage_80", "coverage_95", "fit_s", "predict_s"
    }  # fmt: skip
    assert figures["mase"]["spread"] == pytest.approx(
        abs(figures["mase"]["each"][0] - figures["mase"]["each"][1])
    )
    assert not list(tmp_path.glob("*.new"))
    assert "COAST" not in page.tables(after)


def test_the_training_part_is_not_mixed_with_the_test_part(tmp_path, capsys):
    folders.classic(tmp_path)
    output = tmp_path / "out.json"
    chosen = ("--sets", "classic", "--methods", "naive")
    assert run(tmp_path, output, *chosen, "--part", "train") == 0
    held = output.read_text(encoding="utf-8")
    assert json.loads(held)["part"] == "train"
    capsys.readouterr()
    assert run(tmp_path, output, *chosen) == 2
    assert capsys.readouterr().err == "the file holds results of --part train; name another file for test\n"
    assert output.read_text(encoding="utf-8") == held


def test_the_training_part_is_written_only_where_asked(tmp_path, monkeypatch):
    folders.classic(tmp_path)
    monkeypatch.setattr(store, "PATH", tmp_path / "committed.json")
    given = ["--data", str(tmp_path), "--sets", "classic", "--methods", "naive"]
    assert main([*given, "--part", "train"]) == 0
    assert not store.PATH.exists()
    assert main(given) == 0
    assert store.read(store.PATH)["part"] == "test"


def test_ctrl_c_keeps_the_sets_that_were_finished(tmp_path, monkeypatch, capsys):
    folders.classic(tmp_path)
    folders.ercot(tmp_path, {"COAST": folders.wave(24 * 20, 24)})
    measured = command.measure

    def interrupted(task, *more):
        if task.name == "ercot":
            raise KeyboardInterrupt
        return measured(task, *more)

    monkeypatch.setattr(command, "measure", interrupted)
    output = tmp_path / "out.json"
    assert run(tmp_path, output, "--sets", "classic", "ercot", "--methods", "naive") == 130
    assert capsys.readouterr().err.endswith("interrupted; the sets that were finished are kept\n")
    assert {one["task"] for one in store.read(output)["rows"]} == {
        "classic_airline",
        "classic_sunspots",
        "classic_temperatures",
    }


def test_a_library_that_is_not_installed_is_said(monkeypatch, capsys):
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None)
    assert command.available(["auto_ets", "naive"]) == ["naive"]
    assert "AutoETS: not run, it needs statsforecast, which is not installed here" in capsys.readouterr().err


def test_misuse(tmp_path, capsys):
    for given in (["--sets", "m5"], ["--threads", "0"], ["--output", str(tmp_path / "no" / "a.json")]):
        with pytest.raises(SystemExit) as stopped:
            main(given)
        assert stopped.value.code == 2
    assert "there is no folder" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "examples:" in capsys.readouterr().out


class TestPage:
    def test_what_beats_the_network_is_said_in_its_row(self):
        rows = [
            row("network", mase=0.9, coverage_80=0.78),
            row("naive", mase=1.5, coverage_80=0.81),
            row("auto_ets", mase=0.8, coverage_80=0.5),
        ]
        lines = page.rows_of_task("nn5", FACTS, rows).splitlines()
        assert lines[0] == "2 series of 90 points, K = 56, season 7."
        assert lines[4:7] == [
            "| **network, defaults** | 0.900 | 78.0 | 1.00 | 0.50 |  |",
            "| AutoETS | 0.800 | 50.0 | 1.00 | 0.50 | MASE |",
            "| naive | 1.500 | 81.0 | 1.00 | 0.50 | 80 % |",
        ]
        assert "| *TBATS (Monash)* | 0.858 | – | – | – | MASE |" in lines
        assert "| *SES (Monash)* | 1.521 | – | – | – |  |" in lines

    def test_targets_are_judged(self):
        text = page.targets(results(row("network", mase=0.87, coverage_80=0.8)))
        assert "| NN5 Daily | network, defaults | MASE <= 0.88, 60 s | <= 0.84 | 0.870 | 1.5 | yes |" in text
        text = page.targets(results(row("network", mase=0.83)))
        assert "| 0.830 | 1.5 | yes, stretch too |" in text
        text = page.targets(results(row("network", mase=0.83, fit_s=61.0)))
        assert "| 0.830 | 61.5 | **no** |" in text
        assert "| m4_hourly | network, one member | OWA <= 0.45, 20 s | – | not measured | – | – |" in text

    @pytest.mark.parametrize(
        ("ours", "answer"), [(1.09, "yes"), (1.11, "**no**"), (0.99, "yes, stretch too")]
    )
    def test_a_target_beside_a_baseline(self, ours, answer):
        facts = {**FACTS, "title": "Airline passengers"}
        both = results(
            row("network", "classic_airline", mase=2 * ours),
            row("auto_ets", "classic_airline", mase=2.0),
            facts=facts,
            task="classic_airline",
        )
        (line,) = (line for line in page.targets(both).splitlines() if "Airline" in line)
        assert line.endswith(f"| {2 * ours:.3f} ({ours:.3f} x) | 1.5 | {answer} |")

    def test_coverage_is_judged(self):
        for coverage, answer in ((0.78, "yes, stretch too"), (0.83, "yes"), (0.85, "**no**")):
            text = page.covered(results(row("network", coverage_80=coverage)))
            assert f"| NN5 Daily | {coverage * 100:.1f} | – | {answer} |" in text

    def test_tasks_with_targets_come_first(self):
        assert [name for name, _ in page.in_order({"ercot": {}, "nn5": {}, "m4_hourly": {}})] == [
            "m4_hourly",
            "nn5",
            "ercot",
        ]

    def test_several_seeds_show_their_spread(self):
        several = row("network", mase=0.9)
        several["figures"]["mase"] = {"mean": 0.9, "spread": 0.02, "each": [0.89, 0.91]}
        assert "| 0.900 ± 0.020 |" in page.rows_of_task("nn5", FACTS, [several])

    def test_the_page_is_made_anew_between_its_marks(self, tmp_path, monkeypatch):
        (tmp_path / "page.md").write_text(f"# A\n\n{page.START}\nold\n{page.END}\n\nend\n", encoding="utf-8")
        monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
        monkeypatch.setattr(store, "PATH", tmp_path / "none.json")
        assert main(["--table"]) == 0
        assert "not measured yet" in page.PAGE.read_text(encoding="utf-8")
        store.write(store.PATH, results(row("network", mase=0.9)))
        assert main(["--table"]) == 0
        text = page.PAGE.read_text(encoding="utf-8")
        assert text.startswith("# A\n\n<!-- accuracy:start -->\n\n### Targets")
        assert text.endswith("<!-- accuracy:end -->\n\nend\n")
        assert "- 2026-01-01, revision 0123456789: M, 2 processors, 2 threads, avx2" in text

    def test_every_name_of_the_data_is_known(self):
        assert set(page.TITLES) == set(METHODS)
        assert {target.task for target in TARGETS} >= set(ANCHORS)
        for target in TARGETS:
            assert target.method in METHODS
            assert target.beside is None or target.beside in METHODS
            assert target.metric in page.METRICS
        for anchors in ANCHORS.values():
            assert all(set(one.figures) <= set(page.METRICS) for one in anchors)


def test_a_file_of_results_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "a.json"
    written = results(row("network", mase=0.9), row("naive", mase=1.0))
    store.write(path, written)
    assert store.read(path) == written
    assert store.read(tmp_path / "none.json")["rows"] == []
