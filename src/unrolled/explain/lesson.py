"""The tutorial, computed: its story in steps, every product of a step, and its slips put right by numbers.

Knows the tutorial and its slips; must not know how its network was made or how the story is shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from unrolled.cells import CELLS, Weights
from unrolled.explain.batches import batch_facts
from unrolled.explain.slips import (
    beside_baselines,
    output_is_state,
    slips,
    what_is_read,
    which_state_follows,
)
from unrolled.explain.tutorial import ALPHABET, Letters

if TYPE_CHECKING:
    from unrolled.explain.facts import BatchFacts, LessonFacts, LessonStep, Product, Said
    from unrolled.explain.slips import Values
    from unrolled.explain.tutorial import Tutorial

_SHOWN = 4
"""Values of a product that are told."""

View = Literal["one", "shapes", "batch", "gates", "memory", "forecast", "windows"]

STORY: tuple[tuple[str, View], ...] = (
    ("one", "one"),
    ("loop", "one"),
    ("window", "windows"),
    ("input", "shapes"),
    ("hidden", "shapes"),
    ("products", "gates"),
    ("state", "gates"),
    ("batch", "batch"),
    ("memory", "memory"),
    ("forecast", "forecast"),
    ("loops", "forecast"),
)
"""The steps of the lesson, and the view that each uses."""


def lesson_facts(tutorial: Tutorial) -> LessonFacts:
    """Return the tutorial, computed: its story, and its slips with the numbers that put them right.

    Args:
        tutorial: its network after training, and its series.
    """
    letters = Letters.of(tutorial.seed)
    both = batch_facts(letters.windows(2))
    return {
        "window": tutorial.model.windowing.window,
        "known": tutorial.known,
        "pairs": letters.pairs,
        "letters": {letter: one.tolist() for letter, one in zip(ALPHABET, letters.vectors, strict=True)},
        "letter_states": letters.states().tolist(),
        "letter_batch": both,
        "products": products(tutorial),
        "slips": slips(tutorial, letters),
        "steps": story(tutorial, letters, both),
        "mse": tutorial.errors,
        "seconds": tutorial.seconds,
    }


def products(tutorial: Tutorial) -> list[Product]:
    """Return every value on the way through the last step before the forecast, in the order of computing.

    Formula::

        a = W_ih x + b_ih + W_hh h + b_hh,  i, f, o = sigmoid(a_i, a_f, a_o),  g = tanh(a_g)
        c' = f c + i g,  h' = o tanh(c'),  y = W_head h' + b_head
    """
    step, weights = tutorial.steps[-1], tutorial.network.weights
    layer = {name: np.asarray(weights[f"{name}_l0"], np.float64) for name in Weights._fields}
    way = {
        "x": step.x[0],
        "W_ih x": layer["weight_ih"] @ step.x[0],
        "b_ih": layer["bias_ih"],
        "W_hh h": layer["weight_hh"] @ step.h[0],
        "b_hh": layer["bias_hh"],
        "sum": (step.from_x + step.from_h)[0],
        **{name: getattr(step, name)[0] for name in CELLS["lstm"].gates},
        "c": step.c_next[0],
        "h": step.h_next[0],
        "head": np.asarray(weights["head.weight"], np.float64) @ step.h_next[0] + weights["head.bias"],
    }
    return [
        {"name": name, "shape": list(value.shape), "values": value[:_SHOWN].tolist()}
        for name, value in way.items()
    ]


def story(tutorial: Tutorial, letters: Letters, both: BatchFacts) -> list[LessonStep]:
    """Return the steps of the lesson: each with a question to answer before its number is shown."""
    spec, window = tutorial.network.spec, tutorial.model.windowing.window
    layers = replace(spec, output_size=0).parameter_count
    known: dict[str, Values] = {
        "one": {"steps": window, "parameters": layers},
        "loop": {"steps": window, **which_state_follows(tutorial)},
        "window": {"points": tutorial.known, "window": window, "windows": tutorial.count},
        "input": {"letter": letters.network.spec.input_size, **what_is_read(tutorial)},
        "hidden": {
            "hidden_size": spec.hidden_size,
            "rows": 4 * spec.hidden_size,
            "parameters": layers,
            "head": spec.parameter_count - layers,
        },
        "products": _told_products(tutorial),
        "state": {
            "hidden_size": spec.hidden_size,
            "numbers": 2 * spec.hidden_size,
            **output_is_state(tutorial),
        },
        "batch": {
            "first": both["losses"][0],
            "second": both["losses"][1],
            "mean": both["mean_loss"],
            "gradient": both["gradient_of_mean"][0],
            "average": both["mean_of_gradients"][0],
            "difference": both["largest_difference"],
        },
        "memory": {"window": window, "reach": reach(tutorial)},
        "forecast": {
            "horizon": tutorial.model.horizon,
            "naive": tutorial.errors["naive"],
            **beside_baselines(tutorial),
        },
        "loops": {
            "horizon": tutorial.model.horizon,
            "closed": tutorial.errors["network"],
            "open": tutorial.errors["network_open"],
        },
    }
    return [_step(key, view, known[key]) for key, view in STORY]


def reach(tutorial: Tutorial) -> int:
    """Return how many of the newest points of the last window hold 95 % of its influence on the forecast.

    Formula::

        the least n with sum_{lag < n} |dy / dx_{T-lag}| >= 0.95 sum over all lags
    """
    d_x = tutorial.network.engine.backward(
        tutorial.last_window, np.ones((1, tutorial.network.spec.output_size))
    ).x
    by_lag = np.abs(np.asarray(d_x, np.float64))[::-1, 0, 0]
    return int(np.searchsorted(np.cumsum(by_lag), 0.95 * by_lag.sum())) + 1


def _told_products(tutorial: Tutorial) -> Values:
    """The numbers of unit 0 in the last step."""
    step = tutorial.steps[-1]
    gates = {name: float(getattr(step, name)[0, 0]) for name in ("i", "f", "g", "o")}
    return {
        **gates,
        "before": float(step.c[0, 0]),
        "c": float(step.c_next[0, 0]),
        "h": float(step.h_next[0, 0]),
    }


def _step(key: str, view: View, values: Values) -> LessonStep:
    """Return one step of the story."""

    def said(part: str) -> Said:
        return {"id": f"glass.lesson.step-{key}.{part}", "values": dict(values)}

    return {
        "view": view,
        "title": said("title"),
        "text": said("text"),
        "ask": said("ask"),
        "answer": said("answer"),
    }
