"""A small typed layer over onnx.helper: values are names, weights are shared by all sub-graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]
Value = str
"""Name of a value in a graph."""

OPSET = 21
IR_VERSION = 10
"""Newest that onnxruntime 1.23 reads; later runtimes keep reading it."""

MICROSOFT = "com.microsoft"
FLOAT = int(TensorProto.FLOAT)
INT32 = int(TensorProto.INT32)
INT64 = int(TensorProto.INT64)
DOUBLE = int(TensorProto.DOUBLE)
BOOL = int(TensorProto.BOOL)

LOCATION = "location"
"""What onnx calls the file of an external tensor."""

Dimension = int | str


class GraphBuilder:
    """Collects the nodes of one graph; `body` makes a builder for a sub-graph.

    A sub-graph sees the values of the graphs around it. Constants lie in the outermost graph, and
    weights too, except those of a sub-graph that `holds` its own and lends them to those inside it.
    """

    def __init__(
        self, name: str, parent: GraphBuilder | None = None, *, holds: bool = False
    ) -> None:
        self.name = name
        self._root: GraphBuilder = parent._root if parent else self
        self._holder: GraphBuilder = parent._holder if parent and not holds else self
        self._nodes: list[onnx.NodeProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._count = 0
        self.weights: dict[str, Array] = {}
        """Of the outermost graph: large tensors by name, which go to the external data file."""
        self._held: dict[Value, str] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._initializers: list[onnx.TensorProto] = []
        self._shared: set[Value] = set()

    def input(
        self, name: str, kind: int, shape: Sequence[Dimension] | None = None, *,
        default: Array | None = None,
    ) -> Value:  # fmt: skip
        """Declare an input; `kind` is FLOAT, INT64 or BOOL.

        One of the outermost graph that has a `default` may be left out; its dimensions may differ.
        """
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        if default is not None:
            self._initializers.append(numpy_helper.from_array(default, name))
        return name

    def output(self, value: Value, kind: int, shape: Sequence[Dimension] | None = None) -> None:
        """Declare `value` an output."""
        self._outputs.append(helper.make_tensor_value_info(value, kind, shape))

    def weight(self, name: str, array: Array) -> Value:
        """Use a weight by its name; the same name always means the same array."""
        self._root.weights.setdefault(name, array)
        holder = self._holder
        value = name if holder is self._root else f"{holder.name}.{name}"
        holder._held[value] = name
        return value

    def constant(self, value: ArrayLike, dtype: type[np.generic] = np.int64) -> Value:
        """Use a small constant; equal constants are stored once."""
        array = np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        known = self._root._constants
        if key not in known:
            known[key] = f"constant_{len(known)}"
            self._root._initializers.append(numpy_helper.from_array(array, known[key]))
        return known[key]

    def outermost(self, name: Value, make: Callable[[GraphBuilder], Value]) -> Value:
        """Value `name` of the outermost graph, made by `make` on first use."""
        return self._root._make_once(name, make)

    def once(self, name: str, make: Callable[[GraphBuilder, Value], Value]) -> Value:
        """A value that `make` makes once, under the name it is given, where weights are held."""
        holder = self._holder
        value = name if holder is self._root else f"{holder.name}.{name}"
        return holder._make_once(value, lambda graph: make(graph, value))

    def _make_once(self, name: Value, make: Callable[[GraphBuilder], Value]) -> Value:
        if name not in self._shared:
            self._shared.add(make(self))
        return name

    def fresh(self, hint: str) -> Value:
        """Make a name that no other value has."""
        self._root._count += 1
        return f"{hint}_{self._root._count}"

    def op(
        self, kind: str, *inputs: Value, domain: str = "", name: str = "", **attributes: Any
    ) -> Value:
        """Add a node with one output and return it, called `name` if given."""
        (output,) = self.ops(kind, *inputs, outputs=1, domain=domain, name=name, **attributes)
        return output

    def ops(
        self, kind: str, *inputs: Value, outputs: int, domain: str = "", name: str = "",
        **attributes: Any,
    ) -> list[Value]:  # fmt: skip
        """Add a node with several outputs and return them."""
        names = [name] if name else [self.fresh(kind.lower()) for _ in range(outputs)]
        label = self.fresh(kind)
        self._nodes.append(
            helper.make_node(kind, list(inputs), names, name=label, domain=domain, **attributes)
        )
        return names

    def body(self, name: str, *, holds: bool = False) -> GraphBuilder:
        """Start a sub-graph that may use every value of this graph.

        The runtime packs a product's weights when it loads if they lie in the product's own graph
        or in the one around that, not farther out: a sub-graph with a loop in it `holds` them.
        """
        return GraphBuilder(name, parent=self, holds=holds)

    def graph(self) -> onnx.GraphProto:
        """Finish the graph; the tensors of its weights name them as their location in `weights`."""
        weights = [
            _declared(value, name, self._root.weights[name]) for value, name in self._held.items()
        ]
        return helper.make_graph(
            self._nodes, self.name, self._inputs, self._outputs,
            initializer=[*self._initializers, *weights],
        )  # fmt: skip

    def model(self) -> onnx.ModelProto:
        """Finish the outermost graph; `storage.save_graphs` gives its weights their true places."""
        graph = self.graph()
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="mltranslate"
        )


def _declared(value: Value, name: str, array: Array) -> onnx.TensorProto:
    tensor = onnx.TensorProto(
        name=value,
        data_type=helper.np_dtype_to_tensor_dtype(array.dtype),
        dims=array.shape,
        data_location=onnx.TensorProto.EXTERNAL,
    )
    tensor.external_data.add(key=LOCATION, value=name)
    return tensor
