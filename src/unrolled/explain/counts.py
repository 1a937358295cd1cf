"""What a network costs: parameters, multiply-adds, steps that wait for each other, numbers kept.

Plain sums of products of sizes and one table of cells. Knows nothing of values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from unrolled.explain.facts import BackwardMemory, LayerParameters, ParameterFacts, WorkFacts
    from unrolled.explain.structure import Structure

BYTES = 4
"""Of a float32."""


class PerUnit(NamedTuple):
    """What one hidden unit costs at one step, beside the products with the weights.

    Attributes:
        pointwise: products, quotients and sums of gates and states, as `unrolled.cells` writes the equations;
            activations are not counted, and neither is what keeps the sLSTM's exponentials in range.
        kept: numbers kept for the way back, beside states and outputs: the gates, and of a GRU also
            W_hn h + b_hn, which its reset gate multiplies. A plain cell's new value is its output.
    """

    pointwise: int
    kept: int


PER_UNIT = {
    "rnn": PerUnit(pointwise=0, kept=0),
    "rnn_relu": PerUnit(pointwise=0, kept=0),
    "lstm": PerUnit(pointwise=4, kept=4),
    "gru": PerUnit(pointwise=4, kept=4),
    "mingru": PerUnit(pointwise=3, kept=2),
    "minlstm": PerUnit(pointwise=5, kept=3),
    "slstm": PerUnit(pointwise=7, kept=4),
}


def parameters_of(structure: Structure) -> ParameterFacts:
    """Return how many numbers are learned, of each layer and direction and in total.

    Formula::

        layer    = G H I + G H R + G H + G H (+ R H of a projection), R the size of h
        per_gate = (layer - R H) / G
        one_bias = total - G H for each second bias

    Where no gate reads h, the second and the fourth term are not there.
    """
    layers = [
        _layer(structure, layer, direction)
        for layer in range(structure.num_layers)
        for direction in range(structure.directions)
    ]
    head = skip = 0
    if structure.output_size:
        read = structure.directions * structure.state_size + structure.head_bias
        head = structure.output_size * read
        skip = structure.output_size * structure.skip_steps * structure.skip_width
    total = sum(one["total"] for one in layers) + head + skip
    second = sum(one["bias_hh"] for one in layers)
    return {"layers": layers, "head": head, "skip": skip, "total": total, "one_bias": total - second}


def _layer(structure: Structure, layer: int, direction: int) -> LayerParameters:
    """Return the parameters of one layer in one direction."""
    rows, features = structure.gates * structure.hidden_size, structure.features(layer)
    recurrent = structure.equations.recurrent
    weight_ih, weight_hh = rows * features, rows * structure.state_size * recurrent
    bias_ih, bias_hh = rows * structure.bias, rows * structure.bias * recurrent
    gates = weight_ih + weight_hh + bias_ih + bias_hh
    weight_hr = structure.proj_size * structure.hidden_size
    return {
        "layer": layer,
        "direction": "backward" if direction else "forward",
        "input_size": features,
        "weight_ih": weight_ih,
        "weight_hh": weight_hh,
        "bias_ih": bias_ih,
        "bias_hh": bias_hh,
        "weight_hr": weight_hr,
        "total": gates + weight_hr,
        "per_gate": gates // structure.gates,
    }


def work_of(structure: Structure, *, batch: int, time: int) -> WorkFacts:
    """Return the multiply-adds of one pass forward: one for each weight at each step, biases not counted.

    Formula::

        per_step         = the weights of all layers and directions
        per_sequence     = T per_step + head + skip
        per_batch        = B per_sequence
        sequential_steps = T of each layer, one layer after the other; ceil(T / d) with dilation d
    """
    layers = parameters_of(structure)["layers"]
    per_step = sum(one["weight_ih"] + one["weight_hh"] + one["weight_hr"] for one in layers)
    readings = time if structure.head == "every" else 1
    head = readings * structure.output_size * structure.directions * structure.state_size
    skip = structure.output_size * structure.skip_steps * structure.skip_width
    per_sequence = time * per_step + head + skip
    units = structure.num_layers * structure.directions * structure.hidden_size
    return {
        "per_step": per_step,
        "per_sequence": per_sequence,
        "per_batch": batch * per_sequence,
        "head": head,
        "skip": skip,
        "pointwise": time * units * PER_UNIT[structure.cell].pointwise,
        "sequential_steps": sum(-(-time // structure.dilation(k)) for k in range(structure.num_layers)),
    }


def memory_of(structure: Structure, *, batch: int, time: int) -> BackwardMemory:
    """Return what back-propagation through time keeps of the way forward, the input itself not counted.

    It is what the gradients cannot be had without; a program may keep more. What it costs to keep less,
    computing parts again, is time.

    Formula::

        gates   = B T D L H kept
        states  = B T D L H (states beside h)
        outputs = B T D L R, R the size of h
    """
    rows = batch * time * structure.directions * structure.num_layers
    gates = rows * structure.hidden_size * PER_UNIT[structure.cell].kept
    states = rows * structure.hidden_size * (len(structure.equations.states) - 1)
    outputs = rows * structure.state_size
    total = gates + states + outputs
    return {"gates": gates, "states": states, "outputs": outputs, "total": total, "bytes": BYTES * total}
