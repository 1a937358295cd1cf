"""How a window scales itself, as nodes of an ONNX graph: in float64, as the core does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from unrolled.interop.onnx_graph import Graph

By = tuple[str, str, str]
"""The names of pre, location and scale, each [B, 1, C] in float64."""

_LESS_SKEW = 1e-6
"""By how much logs must lower the skewness, as in the core."""

_MOST_IN_LOGS = 10.0
"""The largest deviation of logs, as in the core."""


@dataclass(frozen=True)
class OnnxScaling:
    """The scaling of windows.

    Args:
        kind: a name of `engine.WINDOW_SCALINGS`.
        window: points of one.
    """

    kind: str
    window: int

    def fit(self, graph: Graph, values: str) -> By:
        """Return how windows scale themselves, from their observed values alone; see `engine.Windowing`."""
        one, zero = (graph.constant(np.full((1, 1, 1), value), np.float64) for value in (1.0, 0.0))
        if self.kind == "none":
            return one, zero, one
        seen = graph.add("Not", graph.add("IsNaN", values))
        fill = graph.constant(1.0 if self.kind == "log" else 0.0, np.float64)
        exact = graph.add("Where", seen, graph.exact(values), fill)
        count = graph.total(graph.exact(seen), 1)
        count = graph.add("Max", count, one)
        size = self._mean(graph, graph.add("Abs", exact), seen, count)
        pre = _rounded(graph, graph.add("Where", graph.add("Greater", size, zero), size, one))
        if self.kind == "mean_abs":
            return one, zero, pre
        if self.kind == "adaptive":
            pre = self._smallest(graph, exact, seen, count)
        u = self._bent(graph, exact, pre)
        mean = self._mean(graph, u, seen, count)
        away = graph.add("Sub", u, mean)
        variance = self._mean(graph, graph.add("Mul", away, away), seen, count)
        if self.kind in ("log", "asinh", "adaptive"):
            size = self._mean(graph, graph.add("Abs", u), seen, count)
        if self.kind in ("log", "asinh"):
            size = graph.add("Max", size, one)
        deviation = graph.add("Sqrt", variance)
        least = graph.add("Mul", size, graph.constant(1e-6, np.float64))
        flat = graph.add("LessOrEqual", deviation, least)
        scale = _rounded(graph, graph.add("Where", flat, one, deviation))
        location = mean if self.kind in ("standard", "adaptive") else self._last(graph, u, seen)
        return pre if self.kind in ("asinh", "adaptive") else one, _rounded(graph, location), scale

    def _mean(self, graph: Graph, values: str, seen: str, count: str) -> str:
        """Return the mean of the values seen."""
        kept = graph.add("Where", seen, values, graph.constant(0.0, np.float64))
        return str(graph.add("Div", graph.total(kept, 1), count))

    def _last(self, graph: Graph, values: str, seen: str) -> str:
        """Return the last value seen of each window, or its first where none is."""
        order = graph.constant(np.arange(self.window)[None, :, None], np.int64)
        number = graph.add("Where", seen, order, graph.constant(0, np.int64))
        return str(
            graph.add("GatherElements", values, graph.add("ReduceMax", number, axes=[1], keepdims=1), axis=1)
        )

    def _smallest(self, graph: Graph, values: str, seen: str, count: str) -> str:
        """Return the smallest value above 0 of each channel that reads itself in logs, and 0 of any other."""
        one, zero, ten, endless, less, most = (
            graph.constant(value, np.float64) for value in (1.0, 0.0, 10.0, np.inf, _LESS_SKEW, _MOST_IN_LOGS)
        )
        above = graph.add("Where", graph.add("Greater", values, zero), values, endless)
        low = graph.add("ReduceMin", above, axes=[1], keepdims=1)
        high = graph.add("ReduceMax", values, axes=[1], keepdims=1)
        least = graph.add("ReduceMin", values, axes=[1], keepdims=1)
        fit = graph.add("Greater", high, graph.add("Mul", low, ten))
        fit = graph.add("And", fit, graph.add("GreaterOrEqual", least, zero))
        low = graph.add("Where", fit, low, one)
        shares = graph.add("Div", values, graph.add("Where", fit, high, one))
        skew, _ = self._skewness(graph, shares, seen, count)
        skew_of_logs, deviation = self._skewness(graph, _logs(graph, values, low), seen, count)
        better = graph.add("Less", graph.add("Add", skew_of_logs, less), skew)
        fit = graph.add("And", fit, graph.add("LessOrEqual", deviation, most))
        return str(graph.add("Where", graph.add("And", fit, better), low, zero))

    def _skewness(self, graph: Graph, values: str, seen: str, count: str) -> tuple[str, str]:
        """Return the size of the skewness of the values seen, NaN of a constant, and their deviation."""
        away = graph.add("Sub", values, self._mean(graph, values, seen, count))
        deviation = graph.add("Sqrt", self._mean(graph, graph.add("Mul", away, away), seen, count))
        away = graph.add("Div", away, deviation)
        cube = graph.add("Mul", graph.add("Mul", away, away), away)
        return str(graph.add("Abs", self._mean(graph, cube, seen, count))), str(deviation)

    def _bent(self, graph: Graph, values: str, pre: str) -> str:
        """Return log(y), asinh(y / pre), or y; of adaptive, log(y) where pre > 0, straight on below it.

        asinh(v) = sign(v) log(|v| + sqrt(v^2 + 1))
        """
        if self.kind == "log":
            return str(graph.add("Log", values))
        if self.kind == "adaptive":
            in_logs, least = _least(graph, pre)
            return str(graph.add("Where", in_logs, _logs(graph, values, least), values))
        if self.kind != "asinh":
            return values
        v = graph.add("Div", values, pre)
        one = graph.constant(1.0, np.float64)
        root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", v, v), one))
        size = graph.add("Log", graph.add("Add", graph.add("Abs", v), root))
        return str(graph.add("Mul", graph.add("Sign", v), size))

    def apply(self, graph: Graph, values: str, by: By) -> str:
        """Return values scaled, in float64; NaN stays NaN."""
        exact = graph.exact(values)
        u = self._bent(graph, exact, by[0])
        if self.kind == "adaptive":
            in_logs, _, high, top = _ends(graph, by)
            above = graph.add("And", in_logs, graph.add("Greater", exact, top))
            further = graph.add("Div", graph.add("Sub", exact, top), top)
            u = graph.add("Where", above, graph.add("Add", high, further), u)
        return str(graph.add("Div", graph.add("Sub", u, by[1]), by[2]))

    def invert(self, graph: Graph, scaled: str, by: By) -> str:
        """Return scaled values in the units of their series, in float64: the inverse of `apply`."""
        u = graph.add("Add", graph.add("Mul", graph.exact(scaled), by[2]), by[1])
        if self.kind == "log":
            return str(graph.add("Exp", u))
        if self.kind == "adaptive":
            in_logs, least, high, top = _ends(graph, by)
            low, one = graph.add("Log", least), graph.constant(1.0, np.float64)
            below = graph.add("Mul", least, graph.add("Add", graph.add("Sub", u, low), one))
            above = graph.add("Mul", top, graph.add("Add", graph.add("Sub", u, high), one))
            values = graph.add("Where", graph.add("Less", u, low), below, graph.add("Exp", u))
            values = graph.add("Where", graph.add("Greater", u, high), above, values)
            return str(graph.add("Where", in_logs, values, u))
        if self.kind != "asinh":
            return str(u)
        both = graph.add("Sub", graph.add("Exp", u), graph.add("Exp", graph.add("Neg", u)))
        return str(graph.add("Mul", graph.add("Mul", both, graph.constant(0.5, np.float64)), by[0]))


def wide(graph: Graph, by: By) -> By:
    """Return how windows are scaled, with an axis for the numbers of a target."""
    pre, location, scale = (one and graph.shaped(one, 0, 0, 0, 1) for one in by)
    return pre, location, scale


def _least(graph: Graph, pre: str) -> tuple[str, str]:
    """Return where channels are read in logs, and their smallest value; 1 elsewhere."""
    zero, one = (graph.constant(value, np.float64) for value in (0.0, 1.0))
    in_logs = graph.add("Greater", pre, zero)
    return str(in_logs), str(graph.add("Where", in_logs, pre, one))


def _ends(graph: Graph, by: By) -> tuple[str, str, str, str]:
    """Return where channels are read in logs, their smallest value, the largest log, and of what that is."""
    in_logs, least = _least(graph, by[0])
    high = graph.add("Add", by[1], by[2])
    high = graph.add("Where", in_logs, high, graph.constant(0.0, np.float64))
    high = graph.add("Max", high, graph.add("Log", least))
    return in_logs, least, str(high), str(graph.add("Exp", high))


def _logs(graph: Graph, values: str, pre: str) -> str:
    """Return log(y), and below pre the straight line that goes on from there."""
    under = graph.add("Less", values, pre)
    logs = graph.add("Log", graph.add("Where", under, pre, values))
    below = graph.add("Sub", graph.add("Where", under, values, pre), pre)
    return str(graph.add("Add", logs, graph.add("Div", below, pre)))


def _rounded(graph: Graph, value: str) -> str:
    """Return a float64 as the float32 that the core keeps of it."""
    return graph.exact(graph.single(value))
