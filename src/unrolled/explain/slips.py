"""What the tutorial says in passing, and the numbers that put it right.

Every function computes the numbers of one sentence. Knows the tutorial; must not know the story around it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from unrolled.cells import CELLS, Weights
from unrolled.explain.batches import batch_facts
from unrolled.explain.tutorial import ORDER
from unrolled.network import Network, initial_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.explain.facts import Slip
    from unrolled.explain.tutorial import Letters, Tutorial

    Values = Mapping[str, float | int | str | None]

TOGETHER = 32
"""Windows of a batch as it is usual."""


def slips(tutorial: Tutorial, letters: Letters) -> list[Slip]:
    """Return what the tutorial says in passing and what the numbers say."""
    computed: dict[str, Values] = {
        "a": batch_is_no_width(letters),
        "b": parameters_moved(tutorial),
        "c": which_state_follows(tutorial),
        "d": what_is_read(tutorial),
        "e": output_is_state(tutorial),
        "f": batches_of(tutorial),
        "g": beside_baselines(tutorial),
    }
    return [
        {
            "letter": letter,
            "said": {"id": f"glass.lesson.slip-{letter}.said", "values": {}},
            "computed": {"id": f"glass.lesson.slip-{letter}.computed", "values": dict(values)},
        }
        for letter, values in computed.items()
    ]


def batch_is_no_width(letters: Letters) -> Values:
    """The width of a letter is input_size; a batch of two gives each window what it gets alone."""
    spec, engine = letters.network.spec, letters.network.engine
    x_tbi = letters.windows(2).x_tbi
    together = engine.forward(x_tbi)[0]
    alone = np.concatenate([engine.forward(x_tbi[:, [row]])[0] for row in range(2)])
    return {
        "input_size": spec.input_size,
        "parameters": spec.parameter_count,
        "narrow": replace(spec, input_size=1).parameter_count,
        "difference": float(np.abs(together - alone).max()),
    }


def parameters_moved(tutorial: Tutorial) -> Values:
    """Training moves parameters; hyperparameters were chosen before it."""
    spec, settings = tutorial.network.spec, tutorial.settings
    first, weights = initial_weights(spec, tutorial.seed), tutorial.network.weights
    return {
        "parameters": spec.parameter_count,
        "moved": sum(int((weights[name] != first[name]).sum()) for name in spec.shapes),
        "hidden_size": spec.hidden_size,
        "window": settings.window,
        "lr": settings.lr,
        "epochs": tutorial.epochs,
    }


def which_state_follows(tutorial: Tutorial) -> Values:
    """The step that reads h2 and x3 gives h3."""
    cell, second, third, fourth = CELLS["lstm"], *tutorial.steps[1:4]
    weights = Weights.of_layer(
        {name: np.asarray(one, np.float64) for name, one in tutorial.network.weights.items()}, 0
    )
    made = cell.step(third.x, cell.state_after(second), weights).h_next
    return {
        "same": float(np.abs(made - third.h_next).max()),
        "other": float(np.abs(made - fourth.h_next).max()),
    }


def what_is_read(tutorial: Tutorial) -> Values:
    """The network reads past values of the series, not their positions."""
    window = tutorial.model.windowing.window
    first = tutorial.known - window
    past = np.asarray(tutorial.panel.series(0)[first : tutorial.known, 0], np.float64)
    read = tutorial.last_window[:, 0, 0]
    return {
        "difference": float(np.abs(read - past).max()),
        "least": float(read.min()),
        "greatest": float(read.max()),
        "first": first,
        "last": tutorial.known - 1,
    }


def output_is_state(tutorial: Tutorial) -> Values:
    """The output of the last step is the state h of the top layer, of every cell; an LSTM has c beside it."""
    apart: dict[str, float] = {}
    for name in ("rnn", "gru", "lstm"):
        spec = replace(tutorial.network.spec, cell=name, output_size=0)
        output, state = Network(spec, initial_weights(spec, tutorial.seed)).engine.forward(
            tutorial.last_window
        )
        apart[name] = float(np.abs(output[-1] - state.h[-1]).max())
    last = tutorial.steps[-1]
    return {
        **apart,
        "memory": float(np.abs(last.c_next - last.h_next).max()),
        "hidden_size": tutorial.network.spec.hidden_size,
    }


def batches_of(tutorial: Tutorial) -> Values:
    """One window an update, beside a batch of several: its gradient is the mean, its rows do not touch."""
    batch, size = batch_facts(tutorial.subject), tutorial.settings.batch_size
    influence = np.array(batch["influence"])
    return {
        "windows": tutorial.count,
        "batch": size,
        "updates": -(-tutorial.count // size),
        "together": TOGETHER,
        "fewer": -(-tutorial.count // TOGETHER),
        "rows": len(influence),
        "difference": batch["largest_difference"],
        "leak": float(np.abs(influence - np.diag(np.diag(influence))).max()),
    }


def beside_baselines(tutorial: Tutorial) -> Values:
    """The network beside forecasts that a line of code makes."""
    errors = tutorial.errors
    return {
        "network": errors["network"],
        "parameters": tutorial.network.spec.parameter_count,
        "seasonal": errors["seasonal_naive"],
        "lags": ORDER,
        "autoregression": errors[f"autoregression_{ORDER}"],
    }
