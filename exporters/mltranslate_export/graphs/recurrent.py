"""Recurrent layers: a whole sequence by the runtime's own operators, one step by products.

Shape suffixes: R rows, B sentences, S source length, D width. Of a layer called `name`, the product
with its input is `name.ih`, and the one with its hidden state `name.hh`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mltranslate_export.graphs.builder import Array, GraphBuilder, Value
from mltranslate_export.graphs.linear import Linears


class Cell(ABC):
    """One kind of recurrent layer."""

    operator: str
    """ONNX operator that reads a whole sequence."""
    attributes: Mapping[str, Any] = {}
    gates: tuple[int, ...]
    """Order of the operator's gates among those of the trainer."""
    states: tuple[str, ...]
    """Names of what a layer carries from step to step, (R, D) each, the hidden state first."""

    @abstractmethod
    def step(
        self, graph: GraphBuilder, linears: Linears, x: Value, name: str, states: Sequence[Value]
    ) -> list[Value]:
        """States of the layer `name` after one more input x (R, …)."""

    def whole(
        self, graph: GraphBuilder, weights: Mapping[str, Array], x: Value, name: str,
        ways: Sequence[str], lengths: Value,
    ) -> tuple[Value, Value]:  # fmt: skip
        """Read x (S, B, …) ahead, and if there are two `ways` also back: (S, B, D), last (B, D).

        A sentence is read within its own of the `lengths` (B,), whose type is int32.
        """
        width = weights[f"{name}.{ways[0]}.hh.weight"].shape[1]
        found, last = graph.ops(
            self.operator,
            x,
            *(self._stacked(graph, weights, name, ways, kind) for kind in ("ih", "hh")),
            self._biases(graph, weights, name, ways),
            lengths,
            outputs=2,
            hidden_size=width,
            direction="bidirectional" if len(ways) == 2 else "forward",
            **self.attributes,
        )
        states = graph.op("Transpose", found, perm=[0, 2, 1, 3])
        final = graph.op("Transpose", last, perm=[1, 0, 2])
        return (
            graph.op("Reshape", states, graph.constant([0, 0, len(ways) * width])),
            graph.op("Reshape", final, graph.constant([-1, len(ways) * width])),
        )

    def _stacked(
        self, graph: GraphBuilder, weights: Mapping[str, Array], name: str, ways: Sequence[str],
        kind: str,
    ) -> Value:  # fmt: skip
        parts = [self._reorder(weights[f"{name}.{way}.{kind}.weight"]) for way in ways]
        return graph.weight(f"{name}.{kind}.weights", np.stack(parts))

    def _biases(
        self, graph: GraphBuilder, weights: Mapping[str, Array], name: str, ways: Sequence[str]
    ) -> Value:
        parts = [
            np.concatenate([self._reorder(weights[f"{name}.{way}.{k}.bias"]) for k in ("ih", "hh")])
            for way in ways
        ]
        return graph.weight(f"{name}.biases", np.stack(parts))

    def _reorder(self, array: Array) -> Array:
        parts = np.split(array, len(self.gates))
        return np.concatenate([parts[gate] for gate in self.gates])


class Lstm(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997)."""

    operator = "LSTM"
    gates = (0, 3, 1, 2)
    states = ("hidden", "cell")

    def step(
        self, graph: GraphBuilder, linears: Linears, x: Value, name: str, states: Sequence[Value]
    ) -> list[Value]:
        """See `Cell.step`."""
        fed = linears.linear(graph, x, f"{name}.ih")
        kept = linears.linear(graph, states[0], f"{name}.hh")
        gates = graph.op("Add", fed, kept)
        enter, keep, value, leave = graph.ops("Split", gates, outputs=4, axis=1, num_outputs=4)
        taken = graph.op("Mul", graph.op("Sigmoid", enter), graph.op("Tanh", value))
        cell = graph.op("Add", graph.op("Mul", graph.op("Sigmoid", keep), states[1]), taken)
        hidden = graph.op("Mul", graph.op("Sigmoid", leave), graph.op("Tanh", cell))
        return [hidden, cell]


class Gru(Cell):
    """Gated recurrent unit (Cho et al. 2014), its reset gate after the product."""

    operator = "GRU"
    attributes = {"linear_before_reset": 1}  # noqa: RUF012 - never changed
    gates = (1, 0, 2)
    states = ("hidden",)

    def step(
        self, graph: GraphBuilder, linears: Linears, x: Value, name: str, states: Sequence[Value]
    ) -> list[Value]:
        """See `Cell.step`."""
        fed = self._thirds(graph, linears.linear(graph, x, f"{name}.ih"))
        kept = self._thirds(graph, linears.linear(graph, states[0], f"{name}.hh"))
        reset = graph.op("Sigmoid", graph.op("Add", fed[0], kept[0]))
        keep = graph.op("Sigmoid", graph.op("Add", fed[1], kept[1]))
        new = graph.op("Tanh", graph.op("Add", fed[2], graph.op("Mul", reset, kept[2])))
        # As torch writes it: (1 - keep) * new + keep * old, with one product.
        change = graph.op("Mul", keep, graph.op("Sub", states[0], new))
        return [graph.op("Add", new, change)]

    def _thirds(self, graph: GraphBuilder, gates: Value) -> list[Value]:
        return graph.ops("Split", gates, outputs=3, axis=1, num_outputs=3)


CELLS: Mapping[str, Cell] = {"lstm": Lstm(), "gru": Gru()}
"""By `model.cell` of the recipe."""
