"""A report: frozen, read back as it was written, refused where it is none, kept as a file, shown safely."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.explain.samples import HOSTILE, make_facts, places
from tests.meta.repository import PACKAGE
from tests.meta.test_tools import said
from unrolled.errors import ArgumentError, DataError, FileError
from unrolled.explain.checking import check_facts
from unrolled.explain.report import Report

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads((PACKAGE / "explain" / "report.schema.json").read_text(encoding="utf-8"))
VALID = jsonschema.Draft202012Validator(SCHEMA)
WRONG = ({}, None, "y", 1.25, [], True)


def edited(place: tuple[Any, ...], change: str, value: Any = None) -> Any:
    """Return the sample with a value in another state."""
    made = copy.deepcopy(make_facts())
    inside: Any = made
    for key in place[:-1]:
        inside = inside[key]
    if change == "without":
        del inside[place[-1]]
    elif change == "beside":
        inside["of nobody"] = 1
    else:
        inside[place[-1]] = value
    return made


def fits(value: Any) -> bool:
    try:
        check_facts(value)
    except DataError:
        return False
    return True


def test_a_report_comes_back_as_it_was() -> None:
    report = Report(make_facts(title="α \u2028 </script>"))
    again = Report.from_json(report.to_json())
    assert again == report
    assert again.to_json() == report.to_json()


def test_it_is_frozen() -> None:
    report = Report(make_facts())
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.facts = make_facts()  # type: ignore[misc]


def test_it_says_what_it_is() -> None:
    assert repr(Report(make_facts(title="air"))) == "Report(network: 'air', x 2 -> 2)"


def test_the_schema_is_current() -> None:
    done = said("report_schema.py", "--check")
    assert done.returncode == 0, done.stderr


def test_the_schema_and_the_check_agree() -> None:
    """Every key left out, every value of another kind, a key of nobody in every object."""
    made = make_facts()
    VALID.validate(made)
    assert fits(made)
    refused = 0
    for number, place in enumerate(places(made)):
        changes = [edited(place, "another", WRONG[(number + more) % len(WRONG)]) for more in (0, 1)]
        if isinstance(place[-1], str):
            changes += [edited(place, "without"), edited(place, "beside")]
        for changed in changes:
            of_block = "shape" in place or place[-1] == "data"  # that both fit each other, no schema can say
            assert fits(changed) <= VALID.is_valid(changed), place
            assert of_block or fits(changed) == VALID.is_valid(changed), place
            refused += not fits(changed)
    assert refused > 900


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("windows", 0, "x", "shape"), [3], "windows[0].x.data"),
        (("windows", 0, "x", "data"), "AACAPw=", "windows[0].x.data"),
        (("memory", "layers", 0, "dead"), 1.5, "memory.layers[0].dead"),
        (("ledger", "tensors", 0, "role"), "toy", "ledger.tensors[0].role"),
        (("steps", 0, "layers", 0, "a"), 3, "steps[0].layers[0].a"),
        (("sentences", 0, "id"), None, "sentences[0].id"),
    ],
)
def test_the_place_that_does_not_fit_is_named(place: tuple[Any, ...], value: Any, says: str) -> None:
    with pytest.raises(DataError, match=re.escape(f"at {says}.")):
        Report.from_json(json.dumps(edited(place, "another", value)))


def test_a_number_that_is_none_is_refused() -> None:
    written = Report(make_facts()).to_json().replace('"mean_loss":1.5', '"mean_loss":NaN')
    with pytest.raises(DataError, match=re.escape("at batch.mean_loss.")):
        Report.from_json(written)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ('{"format": "other"}', "no report of unrolled"),
        ('{"format": "unrolled.report", "version": 7}', "newer version"),
        ('{"format": "unrolled.report", "version": true}', "at version"),
        ('{"format": ', "JSON is not JSON"),
        ('{"a":' * 100_000, "JSON is not JSON"),
    ],
)
def test_what_is_no_report_is_refused(written: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        Report.from_json(written)


def test_files(tmp_path: Path) -> None:
    report, path = Report(make_facts()), tmp_path / "air.json"
    report.save(path)
    assert Report.from_json(path) == report
    assert Report.from_json(str(path)) == report
    with pytest.raises(ArgumentError, match=r"\.json, \.html"):
        report.save(tmp_path / "air.pdf")
    with pytest.raises(FileError, match="cannot be opened"):
        Report.from_json(tmp_path / "none.json")
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(DataError, match="is not JSON"):
        Report.from_json(path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["air.json"]


def test_a_page_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "unrolled.page.glass.glass_page", lambda facts, language: f"{language}: {facts['title']}"
    )
    Report(make_facts(title="air")).save(tmp_path / "air.HTML", language="zh")
    assert (tmp_path / "air.HTML").read_text(encoding="utf-8") == "zh: air"


class Frames(HTMLParser):
    """What a browser finds in a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_notebook_gets_one_frame_that_holds_the_page() -> None:
    report = Report(make_facts(title=HOSTILE))
    shown = Frames()
    shown.feed(report._repr_html_())
    [(tag, attributes)] = shown.found
    assert (tag, attributes["sandbox"], attributes["title"]) == ("iframe", "allow-scripts", HOSTILE)
    assert attributes["srcdoc"] == report.page()


def test_a_title_is_never_code() -> None:
    page = Report(make_facts(title=HOSTILE)).page("en")
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert unescape(re.search(r"<title>(.*?)</title>", page, re.DOTALL)[1]).startswith("</script>")  # type: ignore[index]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 120])
def test_text_keeps_its_width_and_has_no_colours(language: str, width: int) -> None:
    from rich.cells import cell_len

    told = Report(make_facts(title="air")).text(language, width=width)
    assert "\x1b" not in told
    assert max(map(cell_len, told.splitlines())) <= width
    assert told.startswith("air")
    assert "10,600" in told
    assert ("10,600 numbers do all 40 steps" in " ".join(told.split())) == (language == "en")
