from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.page.chart import Band, Chart, Line, Span, draw
from unrolled.page.numbers import apart, count, number
from unrolled.page.scale import index_axis, nice_step, plain_times, time_axis, value_axis

ANY_VALUE = st.one_of(st.none(), st.floats())


def chart(*lines: Line, times: list[str] | None = None) -> Chart:
    return Chart("c", "title", "caption", lines, span=Span(1, 2, "span"), times=times, unit="unit")


def paths(figure: str) -> list[str]:
    return re.findall(r'data-values="[^"]*" d="([^"]*)"', figure)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0088976, "0.008898"),
        (0.00013195, "0.0001320"),
        (0.0, "0"),
        (-1.5, "−1.500"),
        (9.99996, "10.00"),
        (123456.7, "123,457"),
        (0.000099999999, "0.0001000"),
        (3.2e-25, "3.200×10⁻²⁵"),
        (-1e300, "−1.000×10³⁰⁰"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_numbers_have_four_significant_digits(value: float | None, written: str) -> None:
    assert number(value) == written


@given(st.floats(-1e308, 1e308))
def test_a_written_number_is_the_number(value: float) -> None:
    plain = number(value).replace(",", "").replace("−", "-")
    digits, _, power = plain.partition("×10")
    exponent = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert math.isclose(float(f"{digits}e{exponent or 0}"), value, rel_tol=5.01e-4)


def test_two_numbers_are_told_apart() -> None:
    assert apart(0.45881, 0.45884) == ("0.45881", "0.45884")
    assert apart(2.0, 2.0) == ("2.000", "2.000")
    assert count(1234567) == "1,234,567"


@given(st.floats(1e-12, 1e12), st.integers(1, 12))
def test_steps_are_one_two_five_times_a_power_of_ten(span: float, parts: int) -> None:
    step = nice_step(span, parts)
    assert span / step <= parts * (1 + 1e-6)
    assert f"{step:.0e}"[0] in "125"
    assert math.isclose(step, float(f"{step:.0e}"))


@given(st.lists(ANY_VALUE, max_size=30))
def test_a_value_axis_holds_every_value(values: list[float | None]) -> None:
    axis = value_axis(values)
    assert axis.low < axis.high
    assert 1 <= len(axis.ticks) <= 7
    assert all(0 <= axis.share(tick.at) <= 1 for tick in axis.ticks)
    assert all(0 <= axis.share(v) <= 1 for v in values if v is not None and abs(v) < 1e300)
    assert len({tick.label for tick in axis.ticks}) == len(axis.ticks)


def test_labels_of_a_value_axis() -> None:
    assert [tick.label for tick in value_axis([-1.0, 1.0]).ticks] == ["−1.0", "−0.5", "0.0", "0.5", "1.0"]
    assert [tick.label for tick in value_axis([5.0, 5.0]).ticks] == ["4.6", "4.8", "5.0", "5.2", "5.4"]
    assert [tick.label for tick in value_axis([0.0, 3e9]).ticks] == ["0", "1×10⁹", "2×10⁹", "3×10⁹"]


def test_labels_of_an_index_axis() -> None:
    assert [tick.label for tick in index_axis(0, 799).ticks] == [str(i) for i in range(0, 800, 100)]
    assert [tick.label for tick in index_axis(7, 7).ticks] == ["7", "8"]


@pytest.mark.parametrize(
    ("times", "labels"),
    [
        ([f"{y}-{m:02}" for y in (2020, 2021, 2022) for m in range(1, 13)], ["2020", "2021", "2022"]),
        ([f"2020-{m:02}-{d:02}" for m in (1, 2, 3) for d in (1, 11, 21)], ["2020-01", "2020-02", "2020-03"]),
        ([f"2020-03-{d:02}" for d in range(5, 9)], [f"2020-03-{d:02}" for d in range(5, 9)]),
        ([f"2020-03-05 {h:02}:00" for h in (22, 23)], ["2020-03-05 22:00", "2020-03-05 23:00"]),
        ([f"2020-03-05T{h:02}:00" for h in range(4)], [f"03-05 {h:02}:00" for h in range(4)]),
        (["Q1", "Q2", "Q3"], ["Q1", "Q2", "Q3"]),
        ([], []),
    ],
)
def test_labels_of_a_time_axis(times: list[str], labels: list[str]) -> None:
    assert [tick.label for tick in time_axis(times).ticks] == labels


def test_long_labels_are_few_and_cut() -> None:
    ticks = time_axis([f"a very long name of a step, number {i}" for i in range(40)]).ticks
    assert len(ticks) == 4
    assert all(len(tick.label) == 20 and tick.label.endswith("…") for tick in ticks)


def test_a_band_goes_along_its_upper_end_and_back() -> None:
    line = Line("up", "history", 0, [0.0, 4.0])
    band = Band("80 % interval", 0, [0.0, 0.0, None, 1.0, 2.0], [2.0, 4.0, 3.0, None, 4.0])
    figure = draw(Chart("c", "title", "caption", [line], bands=[band]))
    path = re.findall(r'class="band" data-name="80 % interval" d="([^"]*)"', figure)
    assert len(path) == 1
    first, second = path[0].split("Z")[:2]
    assert [len(re.findall("[ML]", one)) for one in (first, second)] == [4, 2], (
        "a gap where an end is missing"
    )
    across = [float(point.split()[0]) for point in re.split("[ML]", first)[1:]]
    assert across == [across[0], across[1], across[1], across[0]]
    assert figure.index('class="band"') < figure.index('data-name="up"'), "below the lines"
    assert "80 % interval" in re.findall(r"<desc[^>]*>([^<]*)<", figure)[0]


def test_the_axis_holds_the_bands() -> None:
    line = Line("up", "history", 0, [0.0, 1.0])
    figure = draw(Chart("c", "title", "caption", [line], bands=[Band("b", 0, [-50.0], [50.0])]))
    assert ">50<" in figure
    assert ">−50<" in figure


def test_times_lose_what_says_nothing() -> None:
    assert plain_times(["2020-01-01T00:00:00", "2020-01-01T12:00:00"]) == [
        "2020-01-01 00:00",
        "2020-01-01 12:00",
    ]
    assert plain_times(["2020-01-01 00:00:00.000000"]) == ["2020-01-01"]
    assert plain_times(["Test"]) == ["Test"]


def test_a_line_has_a_point_for_every_value() -> None:
    path = paths(draw(chart(Line("up", "history", 0, [0.0, 1.0, 2.0]))))[0]
    assert path == "M0 962.96L500 500L1000 37.04"


def test_a_line_has_gaps_and_lone_points() -> None:
    values = [1.0, None, 2.0, math.nan, 3.0, 4.0, math.inf]
    path = paths(draw(chart(Line("gaps", "history", 0, values))))[0]
    assert re.sub(r"[\d. ]+", "p", path) == "MphpMphpMpLp"


def test_a_joined_line_starts_at_the_end_of_the_other() -> None:
    first = Line("first", "history", 0, [0.0, 1.0])
    figure = draw(chart(first, Line("second", "actual", 2, [2.0, 3.0], joined=1.0)))
    one, other = paths(figure)
    assert other.startswith("M" + one.split("L")[1] + "L")
    assert 'data-values="2.0 3.0"' in figure


def test_names_at_the_ends_do_not_touch() -> None:
    lines = [Line(f"line {i}", "baseline-1", 0, [0.0, 1.0 + i / 1e6]) for i in range(6)]
    tops = [float(y) for y in re.findall(r'class="end" x="100%" y="([\d.]+)%"', draw(chart(*lines)))]
    assert len(tops) == 6
    assert all(after - before > 6.7 for before, after in pairwise(tops))


def test_a_line_that_ends_early_is_named_above_the_chart() -> None:
    figure = draw(
        chart(Line("early", "history", 0, [0.0, 1.0]), Line("late", "forecast", 2, [2.0, 3.0, 4.0]))
    )
    assert re.findall(r'class="name"[^>]*>([^<]*)', figure) == ["early"]


@given(st.lists(st.lists(ANY_VALUE, max_size=8), max_size=4))
def test_any_values_can_be_drawn(lines: list[list[float | None]]) -> None:
    figure = draw(chart(*(Line("x", "history", i, values) for i, values in enumerate(lines))))
    coordinates = re.findall(r"[ML](\S+) (\S+?)(?=[MLh]|$)", " ".join(paths(figure)))
    assert all(0 <= float(n) <= 1000 for pair in coordinates for n in pair)
