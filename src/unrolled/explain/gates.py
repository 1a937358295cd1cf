"""What the gates and states of each cell mean: which keep the state, which have ends.

Knows cells; must not know windows or networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from unrolled.cells.activations import sigmoid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from unrolled.cells import State, Step

    Array = NDArray[np.float64]
    Values = Mapping[str, Array]

LOW, HIGH = 0.05, 0.95
"""A gate between 0 and 1 is saturated below and above these; one between -1 and 1 below -0.95, above 0.95."""


def _same(step: Step, state: State) -> State:
    """Return the gradient of a state as it is."""
    return state


class Reading(NamedTuple):
    """How the numbers of a cell are to be read; numbers by the names of `trace.layer_steps`.

    Attributes:
        keep: what the state before is multiplied by, for each unit; None where no gate says it.
        sigmoids: the gates between 0 and 1, by the sums that they are sigmoids of.
        tanhs: the values between -1 and 1.
        relus: the values from 0 on.
        after: gradients of the state's free coordinates -> of the state after a step.
        before: gradients of the state before a step -> of its free coordinates.
    """

    keep: Callable[[Values], Array] | None = None
    sigmoids: tuple[str, ...] = ()
    tanhs: tuple[str, ...] = ()
    relus: tuple[str, ...] = ()
    after: Callable[[Any, State], State] = _same
    before: Callable[[Any, State], State] = _same

    def saturation(self, values: Values) -> dict[str, list[float]]:
        """Return the share of values at the low and at the high end, by name.

        A value from 0 on is at its low end where it is 0, and has no high end.
        """
        found: dict[str, list[float]] = {}
        for name in self.sigmoids:
            gate = sigmoid(values[f"from_x.{name}"] + values[f"from_h.{name}"])
            found[name] = [float((gate < LOW).mean()), float((gate > HIGH).mean())]
        for name in self.tanhs:
            found[name] = [float((values[name] < -HIGH).mean()), float((values[name] > HIGH).mean())]
        for name in self.relus:
            found[name] = [float((values[name] == 0).mean()), 0.0]
        return found


def _slstm_after(step: Any, state: State) -> State:
    """Return the gradients of (h, c, n, m) from those of (h, c/n, ln n + m)."""
    dh, d_mean, d_weight = state
    n = step.n_next
    return dh, d_mean / n, (d_weight - d_mean * step.c_next / n) / n, d_weight


def _slstm_before(step: Any, state: State) -> State:
    """Return the gradients of (h, c/n, ln n + m) from those of (h, c, n, m).

    c, n and m are a mean c/n and its weight n e^m: the same weight can be said by many n and m.
    """
    dh, dc, _, dm = state
    return dh, dc * step.n, dm


READINGS: dict[str, Reading] = {
    "rnn": Reading(tanhs=("n",)),
    "rnn_relu": Reading(relus=("n",)),
    "lstm": Reading(lambda of: of["f"], sigmoids=("i", "f", "o"), tanhs=("g", "tanh_c")),
    "gru": Reading(lambda of: of["z"], sigmoids=("r", "z"), tanhs=("n",)),
    "mingru": Reading(lambda of: 1.0 - of["z"], sigmoids=("z",)),
    "minlstm": Reading(lambda of: of["f_share"], sigmoids=("f", "i")),
    "slstm": Reading(
        lambda of: 1.0 - of["i"] / of["n"],  # of the mean c/n
        sigmoids=("f", "o"),
        tanhs=("z",),
        after=_slstm_after,
        before=_slstm_before,
    ),
}
"""The table of cells."""
