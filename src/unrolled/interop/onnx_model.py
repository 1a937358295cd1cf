"""What a model does between a window and its forecast, as nodes of an ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import numpy_helper

from unrolled.heads import COUNTS
from unrolled.interop.onnx_graph import BOOL, FLOAT, INT64, Graph, inner
from unrolled.interop.onnx_network import OnnxNetwork
from unrolled.interop.onnx_scaling import By, OnnxScaling, wide
from unrolled.interop.reading import LEAST

if TYPE_CHECKING:
    from unrolled.model import Model


class OnnxModel:
    """A model and the graph that it becomes.

    Args:
        model: fitted.

    Attributes:
        graph: the nodes.
        inputs: name, type and shape of each input.
        defaults: values of inputs that need not be given.
    """

    def __init__(self, model: Model) -> None:
        self.model, self.windowing = model, model.windowing
        self.scaling = OnnxScaling(model.windowing.scaling, model.windowing.window)
        self.head, self.graph = model.head, Graph()
        self.carries = model.memory == "all"
        self.networks = [OnnxNetwork(one.spec, _singles(one.weights)) for one in model.networks]
        spec = model.network.spec
        self.channels = spec.output_size // (self.windowing.horizon * self.head.width)
        encoder = model.encoder
        self.known = 0 if encoder is None else encoder.known
        self.has_features = encoder is not None and encoder.width > 0
        self.has_static = encoder is not None and encoder.statics > 0
        self.state_layers = spec.num_layers * len(self.networks)
        self.state_sizes = self.networks[0].state_sizes if self.carries else []
        self.defaults: list[Any] = []
        self.inputs = self._inputs()

    @property
    def several(self) -> list[int]:
        """The last axis of the forecast, where a target has several numbers."""
        points = self.model.recursive or not self.head.is_probabilistic
        return [] if points else [self.head.width]

    def _inputs(self) -> list[tuple[str, int, list[Any]]]:
        """Return the inputs, and remember the defaults of those that may be left out."""
        encoder, window = self.model.encoder, self.windowing.window
        points: Any = "points" if self.carries else window
        made: list[tuple[str, int, list[Any]]] = [("values", FLOAT, ["batch", points, self.channels])]
        if self.has_features and encoder is not None:
            ahead = self.model.horizon if self.windowing.ahead else 0
            reach: Any = f"points + {ahead}" if self.carries else window + ahead
            made.append(("features", FLOAT, ["batch", reach, encoder.width]))
        if self.has_static and encoder is not None:
            made.append(("static", FLOAT, ["batch", encoder.statics]))
        scaler = self.model.scaler
        if scaler is not None and len(scaler.location) > 1:
            made.append(("series", INT64, ["batch"]))
        for name, size in zip(("h0", "c0"), self.state_sizes, strict=False):
            made.append((name, FLOAT, [self.state_layers, "state_batch", size]))
            zeros = np.zeros((self.state_layers, 1, size), np.float32)
            self.defaults.append(numpy_helper.from_array(zeros, name))
        return made

    def forecast(self) -> tuple[str, list[str]]:
        """Return the forecast in the units of the series, and the states after what was read."""
        graph = self.graph
        series = self._series()
        values = "values"
        if series is not None:
            moved = graph.add("Sub", graph.exact(values), series[1])
            values = graph.single(graph.add("Div", moved, series[2]))
        ends: list[str] = []
        if self.model.recursive:
            by = self.scaling.fit(graph, values)
            result = self._fed_back(values, by)
        else:
            outputs, by, ends = self._outputs(values)
            if self.head.distribution is not None:
                return self._of_distribution(outputs, [by, *([series] if series else [])]), ends
            result = self.scaling.invert(graph, outputs, wide(graph, by))
            if not self.several:
                result = graph.add("Squeeze", result, graph.whole(3))
        if series is not None:
            _, location, scale = wide(graph, series) if self.several else series
            result = graph.add("Add", graph.add("Mul", result, scale), location)
        return graph.single(result), ends

    def _series(self) -> By | None:
        """Return how each series was scaled once, or None."""
        scaler, graph = self.model.scaler, self.graph
        if scaler is None:
            return None
        parts = [graph.constant(one[:, None], np.float64) for one in (scaler.location, scaler.scale)]
        if len(scaler.location) > 1:
            parts = [graph.add("Gather", one, "series", axis=0) for one in parts]
        return "", parts[0], parts[1]

    def _outputs(self, values: str) -> tuple[str, By, list[str]]:
        """Return the mapped outputs of all members together, [B, K, C, W], scaled, and the states."""
        graph = self.graph
        reads = self._reads(values)
        common = reads[0][1]
        layers = self.model.network.spec.num_layers
        state = [self._given(name) for name in ("h0", "c0")[: len(self.state_sizes)]]
        each, states = [], []
        for number, (network, (x, by)) in enumerate(zip(self.networks, reads, strict=True)):
            own = None
            if state:
                rows = [graph.cut(one, number * layers, (number + 1) * layers, 0) for one in state]
                own = (rows[0], rows[1] if len(rows) > 1 else None)
            raw, after = network.outputs(graph, x, own, self.windowing.ahead)
            said = self._mapped(graph, raw)
            each.append(self._moved(said, by, common) if self.model.windows else said)
            if after is not None:
                states.append([one for one in after if one is not None])
        ends = [graph.joined(list(parts), 0) for parts in zip(*states, strict=True)]
        return self._together(each), common, ends

    def _reads(self, values: str) -> list[tuple[str, By]]:
        """Return what each member reads of its own last points, and how it scales them."""
        graph, window = self.graph, self.windowing.window
        features = "features" if self.has_features else None
        if not self.model.windows:
            by = self.scaling.fit(graph, values)
            return [(self._steps(graph, values, features, by), by)] * len(self.networks)
        reads = {}
        for own in dict.fromkeys(self.model.windows):
            last = graph.cut(values, window - own, window, 1)
            reach = window + (self.model.horizon if self.windowing.ahead else 0)
            later = None if features is None else graph.cut(features, window - own, reach, 1)
            by = OnnxScaling(self.windowing.scaling, own).fit(graph, last)
            reads[own] = self._steps(graph, last, later, by), by
        return [reads[own] for own in self.model.windows]

    def _moved(self, outputs: str, by: By, common: By) -> str:
        """Return outputs that were scaled by a window of their own, scaled as all are."""
        graph = self.graph
        units = self.scaling.invert(graph, outputs, wide(graph, by))
        return graph.single(self.scaling.apply(graph, units, wide(graph, common)))

    def _given(self, name: str) -> str:
        """Return a state for every row of the batch."""
        graph = self.graph
        shape = graph.joined([graph.whole(1), graph.size("values", 0), graph.whole(1)], 0)
        return str(graph.add("Expand", name, shape))

    def _steps(self, graph: Graph, values: str, features: str | None, by: By) -> str:
        """Return what the networks read, step by step, [T, B, I]."""
        numbers = self.windowing.patch * self.channels
        scaled = graph.single(self.scaling.apply(graph, values, by))
        if self.windowing.mask:
            missing = graph.add("IsNaN", values)
            scaled = graph.add("Where", missing, graph.constant(0.0), scaled)
        parts = [graph.shaped(scaled, 0, -1, numbers)]
        if self.windowing.mask:
            parts.append(graph.shaped(graph.single(missing), 0, -1, numbers))
        points = graph.size(values, 1)
        if features is not None:
            inside = graph.cut(features, graph.whole(0), points, 1)
            parts.append(self._patched(graph, inside))
        x = self._with_static(graph, parts)
        if self.windowing.ahead:
            x = graph.joined([x, self._steps_ahead(graph, values, features, points)], 1)
        return str(graph.add("Transpose", x, perm=[1, 0, 2]))

    def _patched(self, graph: Graph, features: str) -> str:
        width = self.model.encoder.width if self.model.encoder else 0
        return graph.shaped(features, 0, -1, self.windowing.patch * width)

    def _with_static(self, graph: Graph, parts: list[str]) -> str:
        """Return the parts of each step side by side, the statics last."""
        if self.has_static:
            steps = graph.size(parts[0], 1)
            shape = graph.joined([graph.whole(1), steps, graph.whole(1)], 0)
            wide = graph.add("Unsqueeze", "static", graph.whole(1))
            parts = [*parts, graph.add("Expand", wide, shape)]
        return graph.joined(parts, 2)

    def _steps_ahead(self, graph: Graph, values: str, features: str | None, points: str) -> str:
        """Return the steps behind the window: no values, and the features that are known there."""
        steps, patch, at_once = self.windowing.ahead, self.windowing.patch, self.windowing.horizon
        flags = np.zeros((1, steps, 2 * patch * self.channels))
        flags[..., patch * self.channels :] = 1
        batch = graph.joined([graph.size(values, 0), graph.whole(1, 1)], 0)
        parts = [graph.add("Expand", graph.constant(flags), batch)]
        if features is not None:
            reach = graph.add("Add", points, graph.whole(at_once))
            ahead = self._known_alone(graph, graph.cut(features, points, reach, 1))
            pads = graph.whole(0, 0, 0, 0, steps * patch - at_once, 0)
            parts.append(self._patched(graph, graph.add("Pad", ahead, pads, graph.constant(0.0))))
        return self._with_static(graph, parts)

    def _known_alone(self, graph: Graph, features: str) -> str:
        """Return features with 0 where they are not known ahead."""
        width = self.model.encoder.width if self.model.encoder else 0
        mask = (np.arange(width) < self.known).astype(np.float32)
        return str(graph.add("Mul", features, graph.constant(mask)))

    def _mapped(self, graph: Graph, raw: str) -> str:
        """Return raw outputs [B, O] as what they mean, [B, K, C, W]; see `heads.Head.mapped`."""
        head, width = self.head, self.head.width
        raw = graph.shaped(raw, -1, self.windowing.horizon, self.channels, width)
        least = LEAST.get(head.loss)
        if width == 1 and not least:
            return raw
        parts = [graph.cut(raw, j, j + 1, 3) for j in range(width)]
        if head.quantiles:
            for j in range(head.anchor + 1, width):
                parts[j] = graph.add("Add", parts[j - 1], graph.add("Softplus", parts[j]))
            for j in range(head.anchor - 1, -1, -1):
                parts[j] = graph.add("Sub", parts[j + 1], graph.add("Softplus", parts[j]))
        for which, much in (least or {}).items():
            parts[which] = graph.add("Add", graph.add("Softplus", parts[which]), graph.constant(much))
        return graph.joined(parts, 3)

    def _together(self, each: list[str]) -> str:
        """Return the outputs of all members as one."""
        graph, count = self.graph, len(each)
        if count == 1:
            return each[0]
        stacked = graph.joined([graph.add("Unsqueeze", one, graph.whole(0)) for one in each], 0)
        if self.model.combine == "mean":
            return str(graph.add("ReduceMean", stacked, axes=[0], keepdims=0))
        ranked, _ = graph.add("TopK", stacked, graph.whole(count), outputs=2, axis=0)
        middle = graph.cut(ranked, (count - 1) // 2, count // 2 + 1, 0)
        return str(graph.add("ReduceMean", middle, axes=[0], keepdims=0))

    def _fed_back(self, values: str, by: By) -> str:
        """Return the forecasts of all members together, each of which reads its own, [B, K, C] in units."""
        graph = self.graph
        features = self._all_features(values) if self.has_features else None
        paths = [self._path(number, values, features) for number in range(len(self.networks))]
        if len(paths) == 1:
            return graph.exact(paths[0])
        scaled = [self.scaling.apply(graph, one, by) for one in paths]
        return self.scaling.invert(graph, self._together([graph.single(one) for one in scaled]), by)

    def _all_features(self, values: str) -> str:
        """Return the features of the window and of the K points behind it, 0 where they are not known."""
        graph, window = self.graph, self.windowing.window
        inside = graph.cut("features", 0, window, 1)
        if self.windowing.ahead:
            behind = self._known_alone(graph, graph.cut("features", window, window + self.model.horizon, 1))
        else:
            width = graph.size("features", 2)
            behind = graph.zeros(graph.size(values, 0), graph.whole(self.model.horizon), width)
        return graph.joined([inside, behind], 1)

    def _path(self, number: int, values: str, features: str | None) -> str:
        """Return the forecasts of one member, [B, K, C], in a loop that reads the last window each time."""
        outer, body = self.graph, Graph(self.graph)
        turn, go_on, window = (outer.name(one) for one in ("turn", "go_on", "window"))
        points = self.windowing.window + (1 if self.windowing.ahead else 0)
        own = None
        if features is not None:
            first = body.shaped(turn, 1)
            own = body.cut(features, first, body.add("Add", first, body.whole(points)), 1)
        by = self.scaling.fit(body, window)
        x = self._steps(body, window, own, by)
        raw, _ = self.networks[number].outputs(body, x, None, 0)
        outputs = self._mapped(body, raw)
        anchor = body.cut(outputs, self.head.anchor, self.head.anchor + 1, 3)
        point = body.add("Squeeze", anchor, body.whole(3))
        said = body.single(self.scaling.invert(body, point, by))
        names = [outer.name(one) for one in ("still", "moved", "said")]
        body.rename(go_on, names[0])
        kept = body.cut(window, 1, self.windowing.window, 1)
        body.rename(body.joined([kept, said], 1), names[1])
        body.rename(body.add("Squeeze", said, body.whole(1)), names[2])
        shape = [None, self.windowing.window, self.channels]
        loop = inner(
            body,
            f"points_of_member_{number}",
            [(turn, INT64, []), (go_on, BOOL, []), (window, FLOAT, shape)],
            [(names[0], BOOL, []), (names[1], FLOAT, shape), (names[2], FLOAT, [None, self.channels])],
        )
        count, yes = outer.constant(self.model.horizon, np.int64), outer.constant(True, np.bool_)
        _, said_all = outer.add("Loop", count, yes, values, outputs=2, body=loop)
        return str(outer.add("Transpose", said_all, perm=[1, 0, 2]))

    def _of_distribution(self, outputs: str, steps: list[By]) -> str:
        """Return the parameters of distributions, moved and stretched as the values are."""
        graph = self.graph
        parts = [graph.exact(graph.cut(outputs, j, j + 1, 3)) for j in range(self.head.width)]
        for by in steps:
            _, location, scale = wide(graph, by)
            parts[0] = graph.add("Add", graph.add("Mul", parts[0], scale), location)
            if self.head.loss != COUNTS:
                parts[1] = graph.add("Mul", parts[1], scale)
        return graph.single(graph.joined(parts, 3))


def _singles(weights: dict[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(one, np.float32) for name, one in weights.items()}
