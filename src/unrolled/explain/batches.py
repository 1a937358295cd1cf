"""What a batch is: several windows, one mean loss, one way back; and its rows never touch.

The gradients come from the core, in float64. Where a layer takes batch for time, and time for batch, the rows
do touch: both are computed here, neither is assumed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import DataError, fault
from unrolled.explain.losses import training_loss
from unrolled.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.cells import Loss
    from unrolled.engine import Engine
    from unrolled.explain.facts import BatchFacts
    from unrolled.explain.subject import Subject

    Numbers = NDArray[np.float64]

BATCH = 8
"""So many windows are in the batch at the most."""

_OUTPUTS = 12
"""Of so many outputs, taken evenly, the influence is measured at the most."""


def batch_facts(subject: Subject, *, most: int = BATCH, delta: float = 1.0) -> BatchFacts:
    """Return one batch of windows: its losses, its gradient in two ways, and which row reaches which.

    The loss of a window is that of the training, in the scaled space of the window.

    Formula::

        L = 1/B sum_b L_b
        dL/dw = 1/B sum_b dL_b/dw            (one way back over the batch | B ways back, one a window)
        influence[i, j] = ||d y_i / d x_j||  (Frobenius)

    In `swapped` the same windows are handed over as [B, T, I] to a network that reads [T, B, I], and the
    forecast of a window is read where its last step would be. A skip, which reads a whole window, has no
    part in it.

    Args:
        subject: the network and its windows; those with all targets known are taken, the latest.
        most: so many windows.
        delta: of the loss "huber".

    Raises:
        DataError: what came after the windows is not known of any of them.
    """
    known = np.flatnonzero(np.isfinite(subject.targets_bkc).all(axis=(1, 2)))[-most:]
    if not known.size:
        raise DataError(fault("explain.no-target", windows=len(subject.targets_bkc)))
    weights = subject.network.weights
    engine = Network(subject.network.spec, weights, dtype="float64").engine
    x_tbi = np.ascontiguousarray(subject.x_tbi[:, known], np.float64)
    targets, scale = subject.targets_bkc[known], subject.scaling.scale[known]
    output, _ = engine.forward(x_tbi)

    def loss_of(rows: slice) -> Loss:
        raw = output[rows].reshape(*targets[rows].shape, subject.head.width)
        return training_loss(subject.head, targets[rows], raw, scale=scale[rows, None], delta=delta)

    whole = loss_of(slice(None))
    alone = [loss_of(slice(row, row + 1)) for row in range(known.size)]
    of_mean = engine.backward(x_tbi, whole.gradient.reshape(output.shape), want_x=False).parameters
    each = [
        engine.backward(x_tbi[:, [row]], one.gradient.reshape(1, -1), want_x=False).parameters
        for row, one in enumerate(alone)
    ]
    mean_of = {name: np.mean([one[name] for one in each], axis=0) for name in of_mean}
    return {
        "windows": known.tolist(),
        "losses": [one.value for one in alone],
        "mean_loss": whole.value,
        "gradient_names": [f"{name}[{', '.join('0' * of_mean[name].ndim)}]" for name in of_mean],
        "gradient_of_mean": [float(one.flat[0]) for one in of_mean.values()],
        "mean_of_gradients": [float(one.flat[0]) for one in mean_of.values()],
        "largest_difference": max(float(np.abs(of_mean[name] - mean_of[name]).max()) for name in of_mean),
        "influence": influence(engine, x_tbi).tolist(),
        "swapped": swapped_influence(subject.network, x_tbi).tolist(),
    }


def influence(engine: Engine, x_tbi: Numbers) -> Numbers:
    """Return how far each window's input reaches each window's output, ||d y_i / d x_j||.

    Shapes:
        x_tbi: [T, B, I]; the result: [B, B], the outputs of a row of it.

    Example:
        >>> from unrolled.network import NetworkSpec
        >>> network = Network(NetworkSpec(cell="gru", input_size=1, hidden_size=2, output_size=1))
        >>> found = influence(network.engine, np.ones((4, 3, 1)))
        >>> (found > 0).tolist()
        [[True, False, False], [False, True, False], [False, False, True]]
    """
    batch = x_tbi.shape[1]
    found = np.zeros((batch, batch))
    for row in range(batch):
        for output in _some(engine.output_width):
            asked = np.zeros((batch, engine.output_width))
            asked[row, output] = 1.0
            d_x = np.asarray(engine.backward(x_tbi, asked).x)
            found[row] += np.square(d_x).sum(axis=(0, 2))
    return np.sqrt(found)


def swapped_influence(network: Network, x_tbi: Numbers) -> Numbers:
    """Return the same as `influence` where the network takes the batch for time.

    Shapes:
        x_tbi: [T, B, I]; the result: [B, B].

    Example:
        >>> from unrolled.network import NetworkSpec
        >>> network = Network(NetworkSpec(cell="gru", input_size=1, hidden_size=2, output_size=1))
        >>> found = swapped_influence(network, np.ones((4, 3, 1)))
        >>> (found > 0).tolist()
        [[True, False, False], [True, True, False], [True, True, True]]
    """
    spec = replace(network.spec, head="every", skip_steps=0)
    weights = {name: network.weights[name] for name in spec.shapes}
    engine = Network(spec, weights, dtype="float64").engine
    mistaken = np.ascontiguousarray(x_tbi.swapaxes(0, 1))
    batch, steps, _ = mistaken.shape
    found = np.zeros((batch, batch))
    for row in range(batch):
        for output in _some(engine.output_width):
            asked = np.zeros((batch, steps, engine.output_width))
            asked[row, -1, output] = 1.0
            d_x = np.asarray(engine.backward(mistaken, asked).x)
            found[row] += np.square(d_x).sum(axis=(1, 2))
    return np.sqrt(found)


def _some(outputs: int) -> NDArray[np.int64]:
    """Return the outputs that are looked at."""
    count = min(outputs, _OUTPUTS)
    return np.arange(count, dtype=np.int64) * outputs // count
