"""ONNX graphs put together node by node, with names that follow from the order alone.

    graph = Graph(); y = graph.add("Add", graph.constant(1.0), "x")

Every value is known by its name. Constants are kept once, in the outermost graph: the graphs inside a loop
read them from there, as they read whatever else stands outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

FLOAT, DOUBLE, INT64, BOOL = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.BOOL


class Graph:
    """Nodes in order; those of an inner graph share names and constants with the outer one.

    Args:
        outer: the graph that this one stands in.
    """

    def __init__(self, outer: Graph | None = None) -> None:
        self.nodes: list[NodeProto] = []
        self._root: Graph = self if outer is None else outer._root
        if outer is None:
            self.initializers: list[TensorProto] = []
            self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}
            self._count = 0

    def name(self, of: str) -> str:
        """Return a name that nothing has yet."""
        self._root._count += 1
        return f"{of}_{self._root._count}"

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node, and return the name of its output, or the names where there are several."""
        names = [self.name(operator.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=names[0], **attributes))
        return names[0] if outputs == 1 else names

    def rename(self, value: str, to: str) -> None:
        """Give a value another name: that of an output."""
        self.nodes.append(helper.make_node("Identity", [value], [to], name=self.name("identity")))

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """Return the name of a constant."""
        array = np.ascontiguousarray(np.asarray(value, dtype)).reshape(np.shape(value))
        root = self._root
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in root._known:
            root._known[key] = root.name("constant")
            root.initializers.append(numpy_helper.from_array(array, root._known[key]))
        return root._known[key]

    def whole(self, *values: int) -> str:
        """Return the name of constant whole numbers, [n]."""
        return self.constant(values, np.int64)

    # What is needed again and again.

    def exact(self, value: str) -> str:
        """Return a value as float64."""
        return str(self.add("Cast", value, to=DOUBLE))

    def single(self, value: str) -> str:
        """Return a value as float32."""
        return str(self.add("Cast", value, to=FLOAT))

    def cut(self, value: str, first: int | str, last: int | str, axis: int) -> str:
        """Return a stretch along an axis; the ends are numbers, or names of such, [1]."""
        begin, end = (self.whole(one) if isinstance(one, int) else one for one in (first, last))
        return str(self.add("Slice", value, begin, end, self.whole(axis)))

    def size(self, value: str, axis: int) -> str:
        """Return the size of an axis, [1]."""
        return self.cut(self.add("Shape", value), axis, axis + 1, 0)

    def shaped(self, value: str, *shape: int) -> str:
        """Return a value in another shape; 0 keeps the size, -1 is what is left."""
        return str(self.add("Reshape", value, self.whole(*shape)))

    def joined(self, parts: list[str], axis: int) -> str:
        """Return values side by side."""
        return parts[0] if len(parts) == 1 else str(self.add("Concat", *parts, axis=axis))

    def total(self, value: str, axis: int) -> str:
        """Return the sum along an axis, which stays as one of size 1."""
        return str(self.add("ReduceSum", value, self.whole(axis), keepdims=1))

    def zeros(self, *sizes: str, dtype: int = FLOAT) -> str:
        """Return zeros; the sizes are names of numbers, [1] each."""
        zero = helper.make_tensor("zero", dtype, [1], [0])
        return str(self.add("ConstantOfShape", self.joined(list(sizes), 0), value=zero))


Values = list[tuple[str, int, list[Any]]]
"""Name, type and shape of inputs or outputs."""


def inner(graph: Graph, name: str, inputs: Values, outputs: Values) -> Any:
    """Return the nodes of an inner graph as the attribute of a loop.

    Args:
        graph: the inner graph.
        name: of it.
        inputs: of it, in the order in which the loop gives them.
        outputs: of it, in the order in which the loop takes them.
    """
    made = [[helper.make_tensor_value_info(*one) for one in values] for values in (inputs, outputs)]
    return helper.make_graph(graph.nodes, name, *made)
