"""How a decoder layer mixes a token with those before it: self-attention and what replaces it.

Shape suffixes: R rows, T tokens so far, D width, H heads, W width a head.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mltranslate_export.graphs.builder import FLOAT, MICROSOFT, GraphBuilder, Value
from mltranslate_export.graphs.linear import Linears

if TYPE_CHECKING:
    from mltranslate_train.model.transformer import TransformerConfig


def attend(
    graph: GraphBuilder, query: Value, keys: Value, values: Value, mask: Value | None, width: int
) -> Value:
    """Context of queries (…, W) over keys and values (…, W); `mask` is added to the scores."""
    return graph.op("MatMul", shares(graph, query, keys, mask, width), values)


def shares(graph: GraphBuilder, query: Value, keys: Value, mask: Value | None, width: int) -> Value:
    """How much of what queries (…, T, W) read comes from each of keys (…, S, W): (…, T, S)."""
    scale = 1.0 / math.sqrt(width)
    scores = graph.op("FusedMatMul", query, keys, domain=MICROSOFT, transB=1, alpha=scale)
    if mask:
        scores = graph.op("Add", scores, mask)
    return graph.op("Softmax", scores, axis=-1)


class Mixer(ABC):
    """One kind of sub-layer in place of the decoder's self-attention."""

    states: Sequence[str]
    """Names of what a layer carries from step to step."""

    def __init__(self, config: TransformerConfig, linears: Linears) -> None:
        self.width = config.d_model
        self.heads = config.heads
        self.linears = linears

    @abstractmethod
    def begin(self, graph: GraphBuilder, rows: Value) -> Value:
        """Every state of a layer before the first step for `rows` (1,) rows."""

    @abstractmethod
    def step(
        self, graph: GraphBuilder, x: Value, name: str, states: Sequence[Value], position: Value
    ) -> tuple[Value, list[Value]]:
        """Feed x (R, D) to the sub-layer `name`: what it adds (R, D), and the next states."""


class SelfAttention(Mixer):
    """Attention to all tokens so far; its states, keys and values (R, H, T, W), grow."""

    states = ("keys", "values")

    def begin(self, graph: GraphBuilder, rows: Value) -> Value:
        """See `Mixer.begin`."""
        rest = graph.constant([self.heads, 0, self.width // self.heads])
        return graph.op("ConstantOfShape", graph.op("Concat", rows, rest, axis=0))

    def step(
        self, graph: GraphBuilder, x: Value, name: str, states: Sequence[Value], position: Value
    ) -> tuple[Value, list[Value]]:
        """See `Mixer.step`."""
        width = self.width // self.heads
        joint = self.linears.linear(graph, x, f"{name}.qkv")
        split = graph.op("Reshape", joint, graph.constant([-1, 3 * self.heads, 1, width]))
        query, key, value = graph.ops("Split", split, outputs=3, axis=1, num_outputs=3)
        keys = graph.op("Concat", states[0], key, axis=2)
        values = graph.op("Concat", states[1], value, axis=2)
        context = attend(graph, query, keys, values, None, width)
        merged = graph.op("Reshape", context, graph.constant([-1, self.width]))
        return self.linears.linear(graph, merged, f"{name}.out"), [keys, values]


class _Recurrent(Mixer):
    """What carries one state (R, D) from step to step, zero at first."""

    def begin(self, graph: GraphBuilder, rows: Value) -> Value:
        """See `Mixer.begin`."""
        size = graph.op("Concat", rows, graph.constant([self.width]), axis=0)
        return graph.op("ConstantOfShape", size)


class AverageAttention(_Recurrent):
    """Average attention (Zhang et al. 2018); its state is the sum of all tokens so far."""

    states = ("sums",)

    def step(
        self, graph: GraphBuilder, x: Value, name: str, states: Sequence[Value], position: Value
    ) -> tuple[Value, list[Value]]:
        """See `Mixer.step`."""
        total = graph.op("Add", states[0], x)
        count = graph.op("Cast", graph.op("Add", position, graph.constant(1)), to=FLOAT)
        hidden = self.linears.linear(graph, graph.op("Div", total, count), f"{name}.ffn.up")
        read = self.linears.rectified_linear(graph, hidden, f"{name}.ffn.down")
        joint = self.linears.linear(graph, graph.op("Concat", x, read, axis=1), f"{name}.gates")
        gates = graph.op("Sigmoid", joint)
        keep, take = graph.ops("Split", gates, outputs=2, axis=1, num_outputs=2)
        return graph.op("Add", graph.op("Mul", keep, x), graph.op("Mul", take, read)), [total]


class Ssru(_Recurrent):
    """Simpler simple recurrent unit (Kim et al. 2019); its state is the cell."""

    states = ("cells",)

    def step(
        self, graph: GraphBuilder, x: Value, name: str, states: Sequence[Value], position: Value
    ) -> tuple[Value, list[Value]]:
        """See `Mixer.step`."""
        forget = graph.op("Sigmoid", self.linears.linear(graph, x, f"{name}.forget"))
        value = self.linears.linear(graph, x, f"{name}.value")
        taken = graph.op("Sub", graph.constant(1.0, np.float32), forget)
        kept = graph.op("Mul", forget, states[0])
        cell = graph.op("Add", kept, graph.op("Mul", taken, value))
        return graph.op("Relu", cell), [cell]


MIXERS: Mapping[str, type[Mixer]] = {
    "attention": SelfAttention, "average": AverageAttention, "ssru": Ssru,
}  # fmt: skip
"""By `model.decoder` of the recipe."""
