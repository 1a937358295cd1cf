from __future__ import annotations

import copy
import json
import math
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.reports import HOSTILE, make_demo, make_forecast, make_hostile, make_tutorial
from unrolled.errors import DataError
from unrolled.messages import speaking
from unrolled.page import demo_page, forecast_page, tutorial_page

if TYPE_CHECKING:
    from collections.abc import Callable

VOID = {"meta", "br", "img", "input", "link", "hr"}
LANGUAGES = ("en", "zh")
PAGES: dict[str, tuple[Callable[..., str], Callable[[], Any]]] = {
    "tutorial": (tutorial_page, make_tutorial),
    "forecast": (forecast_page, make_forecast),
    "many": (forecast_page, lambda: make_forecast(15)),
    "demo": (demo_page, make_demo),
    "hostile": (demo_page, make_hostile),
}


class Reader(HTMLParser):
    """Reads a page; complains about tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute stands twice in <{tag}>"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def lines(self) -> dict[str, list[float]]:
        """The values of every line of every chart, by the name of the line; a later line replaces one."""
        found = [one for one in self.all("path") if "data-values" in one]
        return {str(one["data-name"]): [float(v) for v in str(one["data-values"]).split()] for one in found}


def every_page() -> list[Any]:
    return [pytest.param(name, language, id=f"{name}-{language}") for name in PAGES for language in LANGUAGES]


def write(name: str, language: str | None = "en") -> str:
    page, report = PAGES[name]
    return page(report(), language=language)


def told(page: str) -> str:
    """Return the words of a page."""
    return re.sub(r"\s+", " ", " ".join(Reader(page).text))


@pytest.mark.parametrize(("name", "language"), every_page())
def test_a_page_is_well_formed(name: str, language: str) -> None:
    page = write(name, language)
    reader = Reader(page)
    assert page.startswith("<!DOCTYPE html>\n")
    assert not reader.open
    assert reader.all("html") == [{"lang": {"en": "en", "zh": "zh-Hans"}[language]}]
    assert len(reader.all("h1")) == len(reader.all("title")) - len(reader.all("figure")) == 1
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("name", "language"), every_page())
def test_the_same_report_gives_the_same_bytes(name: str, language: str) -> None:
    function, make = PAGES[name]
    report = make()
    before = copy.deepcopy(report)
    page = function(report, language=language)
    assert report == before
    assert function(json.loads(json.dumps(report)), language=language).encode() == page.encode()


@pytest.mark.parametrize(("name", "language"), every_page())
def test_nothing_in_a_page_leaves_it(name: str, language: str) -> None:
    page = write(name, language)
    reader = Reader(page)
    assert not re.search(
        r"(https?|ftp|wss?|data|javascript):|//[a-z]|url\(|@import", page.replace("\n//", "")
    )
    links = [a.get("href") or "" for _, a in reader.tags if "href" in a]
    assert all(link.startswith("#") for link in links)
    assert not [a for _, a in reader.tags if a.keys() & {"src", "srcset", "xlink:href", "action", "style"}]
    assert not [a for _, a in reader.tags for key in a if key.startswith("on")]
    assert not reader.all("link") + reader.all("img") + reader.all("iframe") + reader.all("b")


def test_the_policy_allows_the_page_and_nothing_else() -> None:
    page = write("demo")
    policy = next(m["content"] for m in Reader(page).all("meta") if "http-equiv" in m)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "*" not in policy


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_are_only_names(language: str) -> None:
    page = write("hostile", language)
    assert "<img" not in page
    assert "<b>" not in page
    assert page.count("</script>") == page.count("</style>") == 1
    assert HOSTILE in told(page)
    assert Reader(page).lines()[HOSTILE] == make_hostile()["real"]["series"][0]["baselines"][HOSTILE]


def test_every_picture_can_be_heard() -> None:
    reader = Reader(write("demo"))
    pictures = [one for one in reader.all("svg") if one.get("role") == "img"]
    ids = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    assert len(pictures) == 4
    assert {p["aria-labelledby"] for p in pictures} | {p["aria-describedby"] for p in pictures} <= ids
    assert len(reader.all("details")) == 3
    assert all(one.get("scope") in ("col", "row") for one in reader.all("th"))


def test_the_tutorials_pictures_show_its_numbers() -> None:
    report = make_tutorial()
    lines = Reader(tutorial_page(report, language="en")).lines()
    assert lines["sine"] == report["series"]
    assert lines["training"] == report["series"][:760]
    assert lines["held out"] == report["series"][760:]
    assert lines["truth"] == report["series"][700:]
    assert lines["network"] == report["forecast"]


def test_the_tutorials_tables_hold_its_numbers() -> None:
    report = make_tutorial()
    page = tutorial_page(report, language="en")
    exact = [float(one["value"] or "nan") for one in Reader(page).all("data")]
    wanted = [*report["series"], *report["losses"], report["test_mse"], *report["forecast"]]
    wanted += [b["mse"] for b in report["baselines"].values()]
    assert not set(wanted) - set(exact)
    for written in ("0.09213", "0.06507", "0.0001320", "0.008898", "3.200×10⁻²⁵", "10,651"):
        assert written in told(page)


def test_the_tutorial_says_what_happened() -> None:
    page = told(write("tutorial"))
    assert "7,200 steps of SGD with a learning rate of 0.01: 720 windows" in page
    assert (
        "0.09213 in the first epoch and 0.0001320 in the last; the lowest was 0.0001201, in epoch 8." in page
    )
    assert (
        "Simpler methods did better here: autoregression (MSE 3.200×10⁻²⁵, parameters: 3), "
        "seasonal naive (MSE 1.078×10⁻⁸, parameters: 0)." in page
    )
    assert "two coefficients of an autoregression are enough" in page
    assert "stopped early" not in page
    chinese = told(write("tutorial", "zh"))
    assert "这里更简单的方法做得更好：自回归（MSE 3.200×10⁻²⁵，参数 3 个）、季节朴素预测" in chinese


def test_the_tutorial_praises_the_network_only_where_it_won() -> None:
    report = make_tutorial()
    for baseline in report["baselines"].values():
        baseline["mse"] = 1.0
        del baseline["parameters"]
    page = told(tutorial_page(report, language="en"))
    assert "No baseline did better than the network here." in page
    assert "no accident" not in page
    report["baselines"]["drift"]["mse"] = 0.001
    page = told(tutorial_page(report, language="en"))
    assert "Simpler methods did better here: drift (MSE 0.001000)." in page
    assert "no accident" not in page


def test_a_tutorial_that_was_stopped_says_so() -> None:
    report = make_tutorial()
    report["losses"] = report["losses"][:3]
    page = told(tutorial_page(report, language="en"))
    assert "Training was stopped early: 3 of 10 epochs were done." in page
    assert "2,160 steps" in page
    report["losses"] = []
    assert "0 of 10 epochs" in told(tutorial_page(report, language="en"))


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_a_tutorial_that_went_astray_says_so(nothing: float | None) -> None:
    report = make_tutorial()
    report["test_mse"] = nothing
    report["losses"] = [nothing] * 10
    report["forecast"] = [nothing] * 40
    page = told(tutorial_page(report, language="en"))
    assert "training went astray" in page
    assert "Simpler methods did better here: autoregression" in page
    assert Reader(tutorial_page(report, language="zh")).lines()["网络"] != []


def test_a_forecast_shows_its_numbers() -> None:
    report = make_forecast()
    series = report["series"][0]
    page = forecast_page(report, language="en")
    lines = Reader(page).lines()
    assert lines["history"] == series["history"][-48:]
    assert lines["truth"] == series["actual"]
    assert lines["network"] == series["forecast"]
    assert lines["seasonal naive"] == series["baselines"]["seasonal_naive"]
    exact = {float(one["value"] or "nan") for one in Reader(page).all("data")}
    assert report["comparison"] is not None
    assert {v for row in report["comparison"]["rows"].values() for v in row.values()} <= exact
    assert {*series["forecast"], *series["baselines"]["drift"], *(series["actual"] or [])} <= exact
    for written in ("The last 48 of 132 points of history", "LSTM", "5,068", "1.23 s", "1960-12-01"):
        assert written in told(page)


def test_the_best_of_each_column_is_marked() -> None:
    best = re.findall(r'<span class="best"><data value="([^"]*)"', write("forecast"))
    assert best == ["0.4588", "13.87", "2.87", "18.11"]


def test_a_forecast_says_where_a_baseline_is_better() -> None:
    page = told(write("forecast"))
    assert "A simpler method did better here: autoregression, with a MASE of 0.4588 against 0.4639" in page
    assert "thin evidence" in page
    assert "自回归的 MASE 为 0.4588，网络为 0.4639" in told(write("forecast", "zh"))


def test_a_forecast_says_where_no_baseline_is_better() -> None:
    report = make_forecast()
    assert report["comparison"] is not None
    report["comparison"]["rows"]["network"]["mase"] = 0.458799
    page = told(forecast_page(report, language="en"))
    assert "the network's MASE is 0.458799, that of the best baseline, autoregression, is 0.458800" in page


def test_the_comparison_tells_its_weak_points() -> None:
    report = make_forecast(3)
    assert report["comparison"] is not None
    report["comparison"] |= {"selected": True, "sampled_from": 3000}
    page = told(forecast_page(report, language="en"))
    assert "The last 12 points of each series were held out of training." in page
    assert "Compared on 3 of 3,000 series" in page
    assert "weights were chosen on these very points" in page
    assert "thin evidence" not in page


def test_another_metric_judges_where_mase_cannot() -> None:
    report = make_forecast()
    assert report["comparison"] is not None
    for row in report["comparison"]["rows"].values():
        row["mase"] = None
    assert "with a MAE of 13.87 against 14.02" in told(forecast_page(report, language="en"))
    report["comparison"]["rows"]["network"] = dict.fromkeys(("mae", "rmse", "smape", "mase"))
    assert "not finite numbers" in told(forecast_page(report, language="en"))


def test_the_judge_decides() -> None:
    report = make_forecast()
    assert report["comparison"] is not None
    report["comparison"]["judged_by"] = "rmse"
    assert "the network's RMSE is 18.11" in told(forecast_page(report, language="en"))


def test_a_forecast_of_what_is_to_come() -> None:
    report = make_forecast()
    report["comparison"] = report["series"][0]["actual"] = report["unit"] = report["season"] = None
    report["series"][0]["times"] = report["series"][0]["forecast_times"] = None
    page = forecast_page(report, language="en")
    assert "Nothing was held out" in told(page)
    assert "truth" not in Reader(page).lines()
    assert 'class="span-name"' in page
    assert ">forecast</text>" in page


@pytest.mark.parametrize("rows", [{}, {"network": {}}])
def test_a_comparison_without_scores_is_none(rows: dict[str, Any]) -> None:
    report = make_forecast()
    assert report["comparison"] is not None
    report["comparison"]["rows"] = rows
    assert "Nothing was held out" in told(forecast_page(report, language="en"))


def test_many_series_are_not_all_drawn() -> None:
    report = make_forecast(15)
    report["series"][14]["history"] = []
    reader = Reader(forecast_page(report, language="en"))
    assert len(reader.all("figure")) == 12
    assert "Series not shown here: 3." in " ".join(reader.text)


def test_a_long_forecast_has_a_short_table() -> None:
    report = make_forecast()
    series = report["series"][0]
    series["forecast"] = [float(i) for i in range(500)]
    series["forecast_times"], series["actual"], series["baselines"] = None, None, {}
    page = forecast_page(report, language="en")
    assert "Rows not shown here: 380." in told(page)
    assert len(Reader(page).lines()["network"]) == 500


def test_unknown_names_stand_as_they_are() -> None:
    report = make_forecast()
    report["network"]["cell"] = "tomorrow's"
    report["series"][0]["baselines"] = {f"method {i}": [1.0] * 12 for i in range(8)}
    page = forecast_page(report, language="zh")
    assert "tomorrow's" in told(page)
    assert {f"method {i}" for i in range(8)} <= set(Reader(page).lines())


def test_the_demo_holds_both() -> None:
    report = make_demo()
    reader = Reader(demo_page(report, language="en"))
    assert len(reader.all("figure")) == 4
    assert [a["href"] for a in reader.all("a")] == ["#tutorial", "#real"]
    assert {"tutorial", "real"} <= {a.get("id") for _, a in reader.tags}


def test_the_language_in_force_is_spoken() -> None:
    with speaking("zh"):
        assert '<html lang="zh-Hans">' in write("tutorial", None)
    assert '<html lang="en">' in write("tutorial", None)


@pytest.mark.parametrize("name", ["tutorial", "forecast", "demo"])
def test_a_report_of_another_kind_is_refused(name: str) -> None:
    function, make = PAGES[name]
    report = make()
    report["kind"] = "<poem>"
    with pytest.raises(DataError, match="another kind") as caught:
        function(report)
    assert "<poem>" in str(caught.value)


@pytest.mark.parametrize("version", [2, 0, None, "1"])
def test_a_report_of_another_version_is_refused(version: object) -> None:
    report: Any = make_demo()
    report["real"]["version"] = version
    with pytest.raises(DataError, match="version that cannot be read here"):
        demo_page(report)
