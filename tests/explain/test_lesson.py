"""The tutorial's numbers, each computed again by other means than the lesson's."""

from __future__ import annotations

import json
import string
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.explain.helpers import TOLERANCES, assert_close
from unrolled import Forecaster, messages
from unrolled.demo import sine, tutorial_forecaster
from unrolled.engine import Learning, Table, Trainer, Windowing
from unrolled.explain.lesson import lesson_facts
from unrolled.explain.tutorial import ALPHABET, Letters, Tutorial
from unrolled.network import Network, NetworkSpec, initial_weights
from unrolled.panel import to_panel

if TYPE_CHECKING:
    from unrolled.explain.facts import LessonFacts, Said

KNOWN, WINDOW, SEED = 760, 40, 42
SERIES = sine()
TRUE = SERIES[KNOWN:].astype(np.float64)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return tutorial_forecaster(seed=SEED, progress=False).fit(SERIES[:KNOWN])


@pytest.fixture(scope="module")
def tutorial(fitted: Forecaster) -> Tutorial:
    return Tutorial(
        model=fitted._model,
        panel=to_panel(SERIES),
        settings=fitted.settings_,
        known=KNOWN,
        season=40,
        seed=SEED,
        epochs=10,
        seconds=fitted.history_.seconds,
    )


@pytest.fixture(scope="module")
def facts(tutorial: Tutorial) -> LessonFacts:
    return lesson_facts(tutorial)


def computed(facts: LessonFacts, letter: str) -> dict[str, Any]:
    return next(slip["computed"]["values"] for slip in facts["slips"] if slip["letter"] == letter)


def told(facts: LessonFacts, key: str) -> dict[str, Any]:
    ids = f"glass.lesson.step-{key}.answer"
    return next(step["answer"]["values"] for step in facts["steps"] if step["answer"]["id"] == ids)


def sigmoid(a: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-a))


def by_hand(weights: dict[str, Any], read: Any) -> list[dict[str, Any]]:
    """Return every step of an LSTM of one layer over [T], written out again."""
    h, c, steps = np.zeros(50), np.zeros(50), []
    for x in read:
        from_x = weights["weight_ih_l0"] @ [x]
        from_h = weights["weight_hh_l0"] @ h
        total = from_x + weights["bias_ih_l0"] + from_h + weights["bias_hh_l0"]
        i, f, g, o = total[:50], total[50:100], total[100:150], total[150:]
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        ways = {"W_ih x": from_x, "W_hh h": from_h, "sum": total}
        steps.append({**ways, "i": i, "f": f, "g": g, "o": o, "c": c, "h": h})
    return steps


@pytest.fixture(scope="module")
def steps(fitted: Forecaster) -> list[dict[str, Any]]:
    weights = {name: one.astype(np.float64) for name, one in fitted.network_.weights.items()}
    return by_hand(weights, SERIES[KNOWN - WINDOW : KNOWN].astype(np.float64))


def test_the_letters_are_the_tutorials(facts: LessonFacts) -> None:
    assert facts["pairs"] == [["AB", "C"], ["BC", "D"], ["CD", "E"]]
    assert facts["letters"] == {letter: [number] * 5 for number, letter in enumerate(ALPHABET, 1)}
    assert facts["window"] == WINDOW
    assert facts["known"] == KNOWN


def test_the_states_of_the_letters_are_those_of_an_rnn(facts: LessonFacts) -> None:
    spec = NetworkSpec(cell="rnn", input_size=5, hidden_size=3, output_size=5)
    weights = {name: one.astype(np.float64) for name, one in initial_weights(spec, SEED).items()}
    h = np.zeros(3)
    for letter, told_state in zip("AB", facts["letter_states"], strict=True):
        from_x = weights["weight_ih_l0"] @ facts["letters"][letter] + weights["bias_ih_l0"]
        h = np.tanh(from_x + weights["weight_hh_l0"] @ h + weights["bias_hh_l0"])
        assert_close(told_state, h, to="order")


def test_two_windows_of_letters_have_one_mean_loss_and_one_gradient(facts: LessonFacts) -> None:
    network = Letters.of(SEED).network
    values = np.repeat(np.arange(1.0, 6.0), 5).reshape(5, 5)
    batch = facts["letter_batch"]
    for starts in ([0], [1], [0, 1]):
        trainer = Trainer(
            network.engine, Table(values, np.array([0, 5])), windowing=Windowing(2, 1), learning=Learning()
        )
        series = np.zeros(len(starts), np.int64)
        loss = trainer.run(series, np.array(starts), len(starts), np.zeros(1))[0]
        expected = batch["mean_loss"] if len(starts) == 2 else batch["losses"][starts[0]]
        assert loss == pytest.approx(expected, rel=1e-12)
    found = [one.flat[0] for one in trainer.gradients().values()]
    assert_close(batch["gradient_of_mean"], found, to="order")
    assert np.flatnonzero(batch["influence"]).tolist() == [0, 3]
    assert np.flatnonzero(batch["swapped"]).tolist() == [0, 2, 3]


def test_every_product_of_the_last_step(facts: LessonFacts, fitted: Forecaster, steps: Any) -> None:
    weights = fitted.network_.weights
    whole = {
        "x": SERIES[KNOWN - 1 : KNOWN],
        "b_ih": weights["bias_ih_l0"],
        "b_hh": weights["bias_hh_l0"],
        **steps[-1],
        "head": weights["head.weight"] @ steps[-1]["h"] + weights["head.bias"],
    }
    names = [one["name"] for one in facts["products"]]
    assert names == ["x", "W_ih x", "b_ih", "W_hh h", "b_hh", "sum", "i", "f", "g", "o", "c", "h", "head"]
    for one in facts["products"]:
        expected = np.asarray(whole[one["name"]], np.float64)
        assert one["shape"] == list(expected.shape)
        assert_close(one["values"], expected[:4], to="order", name=one["name"])
    said = fitted._model.forecast(to_panel(SERIES[:KNOWN]), threads=1)[0, 0, 0]
    assert_close(facts["products"][-1]["values"], [said], to="core")


class TestSlips:
    def test_a_the_width_of_a_vector_is_input_size(self, facts: LessonFacts) -> None:
        found = computed(facts, "a")
        assert found["parameters"] == 3 * 5 + 3 * 3 + 3 + 3 + 5 * 3 + 5
        assert found["narrow"] == 3 * 1 + 3 * 3 + 3 + 3 + 5 * 3 + 5
        assert found["input_size"] == 5
        assert found["difference"] == 0.0

    def test_b_what_training_moves(self, facts: LessonFacts, fitted: Forecaster) -> None:
        found = computed(facts, "b")
        first = np.concatenate([one.ravel() for one in initial_weights(fitted.network_.spec, SEED).values()])
        now = np.concatenate([one.ravel() for one in fitted.network_.weights.values()])
        assert found["parameters"] == first.size == 200 + 10_000 + 400 + 51
        assert found["moved"] == np.count_nonzero(first != now)
        chosen = {name: found[name] for name in ("hidden_size", "window", "lr", "epochs")}
        assert chosen == {"hidden_size": 50, "window": 40, "lr": 0.01, "epochs": 10}

    def test_c_h2_and_x3_give_h3(self, facts: LessonFacts, steps: Any) -> None:
        found = computed(facts, "c")
        assert found["same"] == 0.0
        assert found["other"] == pytest.approx(np.abs(steps[2]["h"] - steps[3]["h"]).max(), rel=1e-10)
        assert found["other"] > 0.01

    def test_d_past_values_are_read(self, facts: LessonFacts) -> None:
        found = computed(facts, "d")
        read = SERIES[720:760].astype(np.float64)
        assert (found["least"], found["greatest"]) == (read.min(), read.max())
        assert (found["first"], found["last"], found["difference"]) == (720, 759, 0.0)

    def test_e_the_output_is_the_state(self, facts: LessonFacts, steps: Any) -> None:
        found = computed(facts, "e")
        assert (found["rnn"], found["gru"], found["lstm"]) == (0.0, 0.0, 0.0)
        assert found["memory"] == pytest.approx(np.abs(steps[-1]["c"] - steps[-1]["h"]).max(), rel=1e-10)
        assert found["hidden_size"] == 50

    def test_f_one_window_an_update(self, facts: LessonFacts, fitted: Forecaster) -> None:
        found = computed(facts, "f")
        assert (found["windows"], found["batch"], found["updates"]) == (720, 1, 720)
        assert len(fitted.history_.losses) == 10 * found["updates"]
        assert (found["together"], found["fewer"], found["rows"]) == (32, 23, 8)
        assert found["difference"] < TOLERANCES["order"]["atol"]
        assert found["leak"] == 0.0

    def test_g_simple_forecasts_are_better(self, facts: LessonFacts, fitted: Forecaster) -> None:
        found = computed(facts, "g")
        network = np.mean((fitted.predict() - TRUE) ** 2)
        assert found["network"] == pytest.approx(network, rel=1e-6)
        assert found["seasonal"] == np.mean((SERIES[720:760].astype(np.float64) - TRUE) ** 2)
        past = SERIES[:KNOWN].astype(np.float64)
        design = np.column_stack([past[:-2], past[1:-1], np.ones(KNOWN - 2)])
        slope = np.linalg.lstsq(design, past[2:], rcond=None)[0]
        path = past[-2:].tolist()
        for _ in range(40):
            path.append(slope @ [path[-2], path[-1], 1.0])
        least = np.mean((np.array(path[2:]) - TRUE) ** 2)
        assert found["autoregression"] == pytest.approx(least, rel=1e-3)
        assert found["lags"] == 2
        assert found["seasonal"] < 1e-9 < 1e-3 < found["network"]


def test_both_loops_and_the_baselines_are_judged(facts: LessonFacts, fitted: Forecaster) -> None:
    firsts = [fitted.predict(SERIES[: KNOWN + k])[0] for k in range(40)]
    assert facts["mse"]["network_open"] == pytest.approx(np.mean((firsts - TRUE) ** 2), rel=1e-6)
    assert facts["mse"]["naive"] == pytest.approx(np.mean((SERIES[KNOWN - 1] - TRUE) ** 2), rel=1e-12)
    assert told(facts, "loops")["closed"] == facts["mse"]["network"]
    assert told(facts, "loops")["open"] == facts["mse"]["network_open"]


def test_what_the_story_counts(facts: LessonFacts) -> None:
    assert told(facts, "one") == {"steps": 40, "parameters": 10_600}
    assert told(facts, "window") == {"points": 760, "window": 40, "windows": len(range(40, 760))}
    hidden = {"hidden_size": 50, "rows": 200, "parameters": 200 + 200 * 50 + 200 + 200, "head": 51}
    assert told(facts, "hidden") == hidden
    batch = told(facts, "batch")
    assert batch["mean"] == pytest.approx((batch["first"] + batch["second"]) / 2, rel=1e-12)


def test_the_points_that_hold_the_influence(facts: LessonFacts, fitted: Forecaster) -> None:
    network = Network(fitted.network_.spec, fitted.network_.weights, dtype="float64")
    x = SERIES[720:760].astype(np.float64).reshape(40, 1, 1)
    slopes = np.empty(40)
    for t in range(40):
        up, down = x.copy(), x.copy()
        up[t] += 1e-5
        down[t] -= 1e-5
        slopes[t] = (network.engine.forward(up)[0] - network.engine.forward(down)[0]).item() / 2e-5
    share = np.cumsum(np.abs(slopes[::-1])) / np.abs(slopes).sum()
    held = told(facts, "memory")["reach"]
    assert share[held - 1] >= 0.95 > share[held - 2]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_sentence_can_be_said(facts: LessonFacts, language: str) -> None:
    said = [slip[part] for slip in facts["slips"] for part in ("said", "computed")]  # type: ignore[literal-required]
    said += [step[part] for step in facts["steps"] for part in ("title", "text", "ask", "answer")]  # type: ignore[literal-required]
    assert len({one["id"] for one in said}) == len(said) == 2 * 7 + 4 * 11
    with messages.speaking(language):
        for one in said:
            sentence = messages.text(one["id"], **one["values"])
            assert sentence
            assert "{" not in sentence


def test_a_question_does_not_give_its_answer_away(facts: LessonFacts) -> None:
    def fields(one: Said) -> set[str]:
        sentence = messages.catalogue("en")[one["id"]]
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}

    for step in facts["steps"]:
        assert fields(step["answer"]) - fields(step["text"]) - fields(step["ask"]), step["answer"]["id"]


def test_the_facts_are_json_and_quick(tutorial: Tutorial, facts: LessonFacts) -> None:
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    begin = time.perf_counter()
    again = lesson_facts(replace(tutorial))
    assert again == facts
    assert time.perf_counter() - begin < 2.0
