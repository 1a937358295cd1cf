from __future__ import annotations

import importlib.util
import struct
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.reports import make_demo, make_forecast, make_hostile, make_tutorial
from unrolled.errors import DataError, FileError
from unrolled.page import plot_png

if TYPE_CHECKING:
    from pathlib import Path


def size(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tutorial_gives_three_pictures(tmp_path: Path, language: str) -> None:
    paths = plot_png(make_tutorial(), tmp_path, language=language)
    assert [path.name for path in paths] == ["tutorial-1.png", "tutorial-2.png", "tutorial-3.png"]
    assert sorted(tmp_path.iterdir()) == paths
    assert {size(path) for path in paths} == {(1200, 400)}


def test_the_demo_gives_both(tmp_path: Path) -> None:
    names = [path.name for path in plot_png(make_demo(), tmp_path)]
    assert names == ["tutorial-1.png", "tutorial-2.png", "tutorial-3.png", "series-1.png"]


def test_many_series_give_twelve_pictures(tmp_path: Path) -> None:
    report = make_forecast(13)
    for series in report["series"][1:]:
        series["baselines"] = {}
    assert len(plot_png(report, tmp_path)) == 12


def test_hostile_names_and_missing_numbers_are_drawn(tmp_path: Path) -> None:
    report = make_hostile()
    series = report["real"]["series"][0]
    series["forecast"] = [None] * 6 + [float("inf")] * 6
    assert len(plot_png(report, tmp_path)) == 4


def test_the_same_report_gives_the_same_picture(tmp_path: Path) -> None:
    report = make_forecast()
    first = plot_png(report, tmp_path)[0].read_bytes()
    assert plot_png(report, tmp_path)[0].read_bytes() == first


def test_words_are_english_where_no_chinese_font_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = make_tutorial()
    english = plot_png(report, tmp_path, language="en")[0].read_bytes()
    monkeypatch.setattr("unrolled.page.png.CHINESE_FONTS", ())
    assert plot_png(report, tmp_path, language="zh")[0].read_bytes() == english


def test_without_matplotlib_nothing_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> Any:
        return None if name == "matplotlib" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    assert plot_png(make_tutorial(), tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_a_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere"):
        plot_png(make_tutorial(), tmp_path / "nowhere")


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    report: Any = {**make_tutorial(), "kind": "poem"}
    with pytest.raises(DataError, match="another kind"):
        plot_png(report, tmp_path)
