"""One network as nodes of an ONNX graph: recurrent layers, head, skip.

The cells that ONNX has are its operators, with the gates in ONNX's order; the others are a loop ("Scan") of
one step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.engine import CELLS
from unrolled.interop.onnx_graph import FLOAT, Graph, inner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.engine import Array
    from unrolled.network import NetworkSpec

_ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,), "rnn_relu": (0,)}
"""torch's gates in ONNX's order: i o f g of i f g o; z r n of r z n."""

_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {"linear_before_reset": 1}),
    "rnn": ("RNN", {"activations": ["Tanh"]}),
    "rnn_relu": ("RNN", {"activations": ["Relu"]}),
}

State = tuple[str, str | None]
"""The names of h [L, B, H] and c [L, B, E H]."""


@dataclass(frozen=True)
class OnnxNetwork:
    """A network whose weights become constants of graphs.

    Args:
        spec: its shape.
        weights: its parameters by name.
    """

    spec: NetworkSpec
    weights: Mapping[str, Array]

    @property
    def state_sizes(self) -> list[int]:
        """H, and E H where the cell keeps states beside h."""
        hidden, kept = self.spec.hidden_size, CELLS[self.spec.cell].states
        return [hidden, kept * hidden] if kept else [hidden]

    def outputs(self, graph: Graph, x: str, state: State | None, ahead: int) -> tuple[str, State | None]:
        """Return the raw outputs of a sequence, and the state before the last `ahead` steps.

        Shapes:
            x: [T, B, I]; the outputs: [B, O].
        """
        if state is not None and ahead:
            _, after = self._read(graph, graph.cut(x, 0, -ahead, 0), state)
            y, _ = self._read(graph, graph.cut(x, -ahead, _END, 0), after)
        else:
            y, after = self._read(graph, x, state)
        last = graph.add("Squeeze", graph.cut(y, -1, _END, 0), graph.whole(0))
        weight = graph.constant(np.ascontiguousarray(self.weights["head.weight"].T))
        raw = graph.add("Add", graph.add("MatMul", last, weight), graph.constant(self.weights["head.bias"]))
        spec = self.spec
        if spec.skip_steps:
            read = graph.cut(x, 0, spec.skip_inputs or spec.input_size, 2)
            flat = graph.shaped(graph.add("Transpose", read, perm=[1, 0, 2]), 0, -1)
            weight = graph.constant(np.ascontiguousarray(self.weights["skip.weight"].T))
            raw = graph.add("Add", raw, graph.add("MatMul", flat, weight))
        return raw, after

    def _read(self, graph: Graph, x: str, state: State | None) -> tuple[str, State | None]:
        """Return what the top layer gives at every step, [T, B, H], and the state after the last one."""
        after: list[tuple[str, ...]] = []
        for layer in range(self.spec.num_layers):
            own = None
            if state is not None:
                own = tuple(graph.cut(one, layer, layer + 1, 0) for one in state if one is not None)
            dilation = self.spec.dilations[layer] if self.spec.dilations else 1
            if dilation > 1:
                y = self._dilated(graph, x, layer, dilation)
            else:
                y, ends = self._layer(graph, x, layer, own)
                after.append(ends)
            x = graph.add("Add", x, y) if self.spec.residual and layer else y
        if state is None:
            return x, None
        h, *c = (graph.joined(list(one), 0) for one in zip(*after, strict=True))
        return x, (h, c[0] if c else None)

    def _dilated(self, graph: Graph, x: str, layer: int, dilation: int) -> str:
        """Read every `dilation`-th step as a sequence of its own, all from zeros."""
        steps = graph.size(x, 0)
        more = graph.add("Mod", graph.add("Neg", steps), graph.whole(dilation))
        zeros = graph.zeros(more, graph.size(x, 1), graph.size(x, 2))
        inputs = self.spec.input_size if layer == 0 else self.spec.hidden_size
        batch = graph.size(x, 1)
        rows = graph.add("Mul", batch, graph.whole(dilation))
        shape = graph.joined([graph.whole(-1), rows, graph.whole(inputs)], 0)
        folded = graph.add("Reshape", graph.joined([x, zeros], 0), shape)
        y, _ = self._layer(graph, folded, layer, None)
        shape = graph.joined([graph.whole(-1), batch, graph.whole(self.spec.hidden_size)], 0)
        return graph.cut(graph.add("Reshape", y, shape), graph.whole(0), steps, 0)

    def _layer(
        self, graph: Graph, x: str, layer: int, state: tuple[str, ...] | None
    ) -> tuple[str, tuple[str, ...]]:
        """Return what a layer gives at every step, and its state after the last one, each [1, B, ...]."""
        if self.spec.cell not in _OPERATORS:
            return self._scanned(graph, x, layer, state)
        operator, attributes = _OPERATORS[self.spec.cell]
        w, r, b, b_h = (
            self._ordered(f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        biases = np.concatenate([b, b_h])[None]
        inputs = [x, *(graph.constant(one) for one in (w[None], r[None], biases)), "", *(state or ())]
        y, *ends = graph.add(
            operator,
            *inputs,
            outputs=1 + len(self.state_sizes),
            hidden_size=self.spec.hidden_size,
            **attributes,
        )
        return graph.add("Squeeze", y, graph.whole(1)), tuple(ends)

    def _ordered(self, name: str) -> Array:
        """Return a parameter with its blocks of rows in ONNX's order."""
        order = _ORDER[self.spec.cell]
        blocks = np.split(np.asarray(self.weights[name], np.float32), len(order))
        return np.concatenate([blocks[one] for one in order])

    def _scanned(
        self, graph: Graph, x: str, layer: int, state: tuple[str, ...] | None
    ) -> tuple[str, tuple[str, ...]]:
        """The same of a cell that ONNX has not."""
        hidden, batch = self.spec.hidden_size, graph.size(x, 1)
        weight = graph.constant(np.ascontiguousarray(self.weights[f"weight_ih_l{layer}"].T))
        bias = graph.constant(self.weights[f"bias_ih_l{layer}"])
        gates = graph.add("Add", graph.add("MatMul", x, weight), bias)
        sizes = self.state_sizes
        if state is None:
            start = [graph.zeros(batch, graph.whole(size)) for size in sizes]
        else:
            start = [graph.add("Squeeze", one, graph.whole(0)) for one in state]
        step = Graph(graph)
        before = [graph.name("before") for _ in sizes]
        read = graph.name("gates")
        states = self._step(step, layer, read, before)
        after = [graph.name("after") for _ in sizes]
        for one, name in zip(states, after, strict=True):
            step.rename(one, name)
        shown = graph.name("shown")
        step.rename(states[0], shown)
        body = inner(
            step,
            f"step_of_layer_{layer}",
            [(name, FLOAT, [None, size]) for name, size in zip(before, sizes, strict=True)]
            + [(read, FLOAT, [None, self._rows])],
            [(name, FLOAT, [None, size]) for name, size in zip(after, sizes, strict=True)]
            + [(shown, FLOAT, [None, hidden])],
        )
        *ends, y = graph.add("Scan", *start, gates, outputs=len(sizes) + 1, body=body, num_scan_inputs=1)
        return y, tuple(graph.add("Unsqueeze", one, graph.whole(0)) for one in ends)

    @property
    def _rows(self) -> int:
        return int(self.weights["bias_ih_l0"].size)

    def _step(self, graph: Graph, layer: int, gates: str, before: list[str]) -> list[str]:
        """Return the states after one step of a layer."""
        cell = self.spec.cell
        h = before[0]
        if cell == "mingru":
            z, n = graph.add("Split", gates, outputs=2, axis=-1)
            return [_mixed(graph, n, h, graph.add("Sigmoid", z))]
        if cell == "minlstm":
            f, i, n = graph.add("Split", gates, outputs=3, axis=-1)
            share = graph.add("Sigmoid", graph.add("Sub", _log_sigmoid(graph, f), _log_sigmoid(graph, i)))
            return [_mixed(graph, h, n, share)]
        return self._slstm(graph, layer, gates, before)

    def _slstm(self, graph: Graph, layer: int, gates: str, before: list[str]) -> list[str]:
        """Return the states after one step of the sLSTM as its paper has it; c is [c, n, m] side by side."""
        weight = graph.constant(np.ascontiguousarray(self.weights[f"weight_hh_l{layer}"].T))
        bias = graph.constant(self.weights[f"bias_hh_l{layer}"])
        from_h = graph.add("Add", graph.add("MatMul", before[0], weight), bias)
        i, f, z, o = graph.add("Split", graph.add("Add", gates, from_h), outputs=4, axis=-1)
        c, n, m = graph.add("Split", before[1], outputs=3, axis=-1)
        empty = graph.add("Equal", n, graph.constant(0.0))
        kept = graph.add("Add", m, _log_sigmoid(graph, f))
        kept = graph.add("Where", empty, graph.constant(-1e30), kept)  # nothing was written yet
        m_next = graph.add("Max", kept, i)
        write = graph.add("Exp", graph.add("Sub", i, m_next))
        keep = graph.add("Exp", graph.add("Sub", kept, m_next))
        new = graph.add("Mul", write, graph.add("Tanh", z))
        c_next = graph.add("Add", graph.add("Mul", keep, c), new)
        n_next = graph.add("Add", graph.add("Mul", keep, n), write)
        shown = graph.add("Div", c_next, n_next)
        h_next = graph.add("Mul", graph.add("Sigmoid", o), shown)
        return [h_next, graph.joined([c_next, n_next, m_next], -1)]


_END = int(np.iinfo(np.int64).max)
"""The end of an axis, of whatever size."""


def _log_sigmoid(graph: Graph, value: str) -> str:
    """Return log(sigmoid(value)) = -softplus(-value)."""
    return str(graph.add("Neg", graph.add("Softplus", graph.add("Neg", value))))


def _mixed(graph: Graph, one: str, other: str, share: str) -> str:
    """Return share * one + (1 - share) * other."""
    return str(graph.add("Add", graph.add("Mul", graph.add("Sub", one, other), share), other))
