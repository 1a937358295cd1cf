"""A checkup is told: as text, JSON of the published schema, SARIF, JUnit, and files."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import jsonschema
import pytest

from unrolled.doctor import KINDS, Checkup
from unrolled.doctor.checkup import SUFFIXES
from unrolled.doctor.examination import Examination
from unrolled.doctor.terminal import kinds_text
from unrolled.errors import ArgumentError, FileError
from unrolled.messages import catalogue

if TYPE_CHECKING:
    from pathlib import Path

VALID = jsonschema.Draft202012Validator(
    json.loads((resources.files("unrolled.explain") / "report.schema.json").read_text(encoding="utf-8"))
)


def checkup(*, certain: bool = True, evidence: bool = True, title: str = "Net") -> Checkup:
    exam = Examination()
    exam.note("own-sizes", batch=7, steps=11)
    if certain:
        exam.failed(
            "batch-read-as-time",
            measured=0.125,
            lines=["x = 1 < 2", "print(0.125)"],
            before="nn.LSTM(1, 5)",
            after="nn.LSTM(1, 5, batch_first=True)",
            place="encoder.lstm",
            row=6,
            batch=7,
            steps=11,
        )
    if evidence:
        exam.failed(
            "no-skill",
            measured=-0.5,
            lines=["print(-0.5)"],
            after="# naive",
            method="naive",
            error=3.0,
            best=2.0,
        )
    exam.passed("state-carried")
    exam.skipped("padding-read", "no-padding")
    exam.layers.append(
        {
            "place": "encoder.lstm",
            "layer": "LSTM(1, 5)",
            "read": [{"letter": "T", "size": 7}, {"letter": "B", "size": 11}, {"letter": "I", "size": 1}],
            "output": [{"letter": "T", "size": 7}, {"letter": "B", "size": 11}, {"letter": "D*H", "size": 5}],
            "states": {"h_n": [{"letter": "L*D", "size": 1}]},
            "calls": 1,
        }
    )
    return Checkup(exam.facts(), title)


def test_text_tells_what_is_wrong_with_its_proof_and_its_fix() -> None:
    told = checkup().text("en")
    for words in (
        "Net: 3 questions asked; wrong: 1, evidence: 1",
        "✗ batch-read-as-time · encoder.lstm · proved",
        "The layer reads the batch as the time",
        "moves the answer of row 6 by 0.125",
        ">>> x = 1 < 2",
        "- nn.LSTM(1, 5)",
        "+ nn.LSTM(1, 5, batch_first=True)",
        "docs/mistakes.md, row 1",
        "• no-skill · evidence",
        "[T 7, B 11, I 1] → output [T 7, B 11, D*H 5], h_n [L*D 1]",
        "✓ state-carried: The same question has the same answer twice.",
        "– padding-read: No lengths, mask or pad_value were given.",
        "Asked with 7 rows and 11 time steps",
    ):
        assert words in told
    assert "\x1b[" not in told
    assert "\x1b[" in checkup().text("en", colours=True)
    assert "该层把批当成了时间" in checkup().text("zh")
    assert str(checkup()) == told


def test_a_healthy_one_says_so() -> None:
    healthy = checkup(certain=False, evidence=False)
    assert healthy.healthy
    assert "nothing found" in healthy.text("en")
    assert repr(healthy) == "Checkup('Net': 1 checks, no findings)"


def test_evidence_is_no_verdict() -> None:
    assert checkup(certain=False).healthy
    assert not checkup().healthy


def test_json_has_the_published_schema() -> None:
    facts = json.loads(checkup().to_json())
    VALID.validate(facts)
    assert facts["kind"] == "checkup"
    assert facts["checkup"]["findings"][0]["measured"] == 0.125


def test_sarif_has_a_result_for_each_finding() -> None:
    log = json.loads(checkup().to_sarif("en"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert [one["level"] for one in run["results"]] == ["error", "note"]
    for one in run["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
        assert one["message"]["text"]
    place = run["results"][0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
    assert place == "Net.encoder.lstm"


def test_junit_has_a_test_for_each_question() -> None:
    suite = ElementTree.fromstring(checkup(title="A <Net> \x01").to_junit("en"))
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "skipped": "1",
    }
    cases = {case.get("name"): case for case in suite}
    failure = cases["batch-read-as-time"].find("failure")
    assert failure is not None
    assert "x = 1 < 2" in (failure.text or "")
    assert cases["no-skill"].find("failure") is None
    assert cases["no-skill"].find("system-out") is not None
    assert cases["padding-read"].find("skipped") is not None
    assert len(cases["state-carried"]) == 0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_it_is_saved_by_the_name_of_the_file(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"found{suffix}"
    checkup().save(file, language="en")
    written = file.read_text(encoding="utf-8")
    assert "batch-read-as-time" in written
    assert list(tmp_path.iterdir()) == [file]


def test_other_names_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"\.sarif"):
        checkup().save(tmp_path / "found.pdf")
    with pytest.raises(FileError):
        checkup().save(tmp_path / "nowhere" / "found.txt")


def test_two_are_told_as_one() -> None:
    both = checkup(evidence=False) + checkup(certain=False, title="step")
    assert [one["id"] for one in both.findings] == ["batch-read-as-time", "no-skill"]
    assert both.title == "Net + step"
    results = {one["id"]: one["result"] for one in both.facts["checks"]}
    assert results == {
        "batch-read-as-time": "failed",
        "no-skill": "failed",
        "state-carried": "passed",
        "padding-read": "not_applicable",
    }


def test_a_notebook_shows_the_page() -> None:
    assert checkup()._repr_html_().startswith("<iframe")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_has_its_words(language: str) -> None:
    words = catalogue(language)
    for name in KINDS:
        for part in ("check", "wrong", "proof"):
            assert words[f"doctor.{name}.{part}"]


def test_every_kind_is_listed() -> None:
    told = kinds_text()
    assert all(name in told for name in KINDS)
