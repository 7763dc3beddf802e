"""The Transformer of the trainer as graph fragments; rows are flat (N, D) wherever they can be.

Shape suffixes: B sentences, K beams, R = B * K rows, S source length, T tokens so far, D width,
H heads, W width a head.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mltranslate_export.graphs.builder import MICROSOFT, Array, GraphBuilder, Value
from mltranslate_export.graphs.linear import Linears


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes that the graphs fix; all others are read from the inputs."""

    d_model: int
    heads: int
    encoder_layers: int
    decoder_layers: int

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.d_model // self.heads


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a decoder step reads of the source."""

    keys: list[Value]
    """Per decoder layer (B, H, S, W)."""
    values: list[Value]
    mask: Value
    """Added to attention scores (B, 1, 1, S): 0, or minus infinity at padding."""


Caches = list[tuple[Value, Value]]
"""Self-attention keys and values of every decoder layer, each (R, H, T, W)."""


class Network:
    """Emits encoder and decoder steps with the weights of one model in one precision."""

    def __init__(self, shape: Shape, weights: Mapping[str, Array], linears: Linears) -> None:
        self.shape = shape
        self.linears = linears
        self._weights = weights

    def encode(self, graph: GraphBuilder, source: Value) -> Memory:
        """Encode source ids (B, S), padded with 0, and make the cross-attention memory."""
        mask = self._mask(graph, source)
        positions = graph.op(
            "Slice",
            self._positions(graph),
            graph.constant([0]),
            graph.op("Shape", source, start=1, end=2),
        )
        embedded = graph.op("Add", self.linears.embed(graph, source), positions)
        x = graph.op("Reshape", embedded, graph.constant([-1, self.shape.d_model]))
        lengths = graph.op("Shape", source)
        for index in range(self.shape.encoder_layers):
            x = self._encoder_layer(graph, x, f"encoder_layers.{index}", lengths, mask)
        x = self._norm(graph, x, "encoder_norm")
        pairs = [
            self._split_heads(graph, x, f"decoder_layers.{i}.cross_attention.kv", lengths, 2)
            for i in range(self.shape.decoder_layers)
        ]
        return Memory(keys=[p[0] for p in pairs], values=[p[1] for p in pairs], mask=mask)

    def empty_caches(self, graph: GraphBuilder, rows: Value) -> Caches:
        """Make caches of length 0 for `rows` (1,) rows."""
        rest = graph.constant([self.shape.heads, 0, self.shape.head_width])
        size = graph.op("Concat", rows, rest, axis=0)
        empty = graph.op("ConstantOfShape", size)
        return [(empty, empty)] * self.shape.decoder_layers

    def step(
        self, graph: GraphBuilder, ids: Value, position: Value, memory: Memory, caches: Caches,
        beams: Value | None,
    ) -> tuple[Value, Caches]:  # fmt: skip
        """Feed ids (R,) at `position` (scalar): logits (R, V) and the grown caches.

        `beams` is the shape (B, K, H, W) of queries, or None where every sentence has one row.
        """
        place = graph.op("Gather", self._positions(graph), position)
        x = graph.op("Add", self.linears.embed(graph, ids), place)
        grown: Caches = []
        for index, past in enumerate(caches):
            name = f"decoder_layers.{index}"
            attended, cache = self._self_attention(graph, x, name, past)
            x = graph.op("Add", x, attended)
            x = graph.op("Add", x, self._cross_attention(graph, x, index, memory, beams))
            x = graph.op("Add", x, self._feed_forward(graph, x, name))
            grown.append(cache)
        return self.linears.logits(graph, self._norm(graph, x, "decoder_norm")), grown

    def _encoder_layer(
        self, graph: GraphBuilder, x: Value, name: str, lengths: Value, mask: Value
    ) -> Value:
        normed = self._norm(graph, x, f"{name}.attention_norm")
        query, key, value = self._split_heads(graph, normed, f"{name}.attention.qkv", lengths, 3)
        context = self._attend(graph, query, key, value, mask)
        merged = self._merge(graph, graph.op("Transpose", context, perm=[0, 2, 1, 3]))
        x = graph.op("Add", x, self.linears.linear(graph, merged, f"{name}.attention.out"))
        return graph.op("Add", x, self._feed_forward(graph, x, name))

    def _self_attention(
        self, graph: GraphBuilder, x: Value, name: str, past: tuple[Value, Value]
    ) -> tuple[Value, tuple[Value, Value]]:
        normed = self._norm(graph, x, f"{name}.self_norm")
        joint = self.linears.linear(graph, normed, f"{name}.self_attention.qkv")
        heads = graph.constant([-1, 3 * self.shape.heads, 1, self.shape.head_width])
        split = graph.op("Reshape", joint, heads)
        query, key, value = graph.ops("Split", split, outputs=3, axis=1, num_outputs=3)
        keys = graph.op("Concat", past[0], key, axis=2)
        values = graph.op("Concat", past[1], value, axis=2)
        merged = self._merge(graph, self._attend(graph, query, keys, values, None))
        return self.linears.linear(graph, merged, f"{name}.self_attention.out"), (keys, values)

    def _cross_attention(
        self, graph: GraphBuilder, x: Value, index: int, memory: Memory, beams: Value | None
    ) -> Value:
        # The beams of a sentence are so many queries of one attention: its memory is not repeated.
        name = f"decoder_layers.{index}"
        normed = self._norm(graph, x, f"{name}.cross_norm")
        query = self.linears.linear(graph, normed, f"{name}.cross_attention.q")
        single = graph.constant([-1, self.shape.heads, 1, self.shape.head_width])
        query = graph.op("Reshape", query, beams or single)
        if beams:
            query = graph.op("Transpose", query, perm=[0, 2, 1, 3])
        context = self._attend(graph, query, memory.keys[index], memory.values[index], memory.mask)
        if beams:
            context = graph.op("Transpose", context, perm=[0, 2, 1, 3])
        return self.linears.linear(
            graph, self._merge(graph, context), f"{name}.cross_attention.out"
        )

    def _feed_forward(self, graph: GraphBuilder, x: Value, name: str) -> Value:
        normed = self._norm(graph, x, f"{name}.ffn_norm")
        hidden = self.linears.linear(graph, normed, f"{name}.ffn.up")
        return self.linears.rectified_linear(graph, hidden, f"{name}.ffn.down")

    def _attend(
        self, graph: GraphBuilder, query: Value, keys: Value, values: Value, mask: Value | None
    ) -> Value:
        scale = 1.0 / math.sqrt(self.shape.head_width)
        scores = graph.op("FusedMatMul", query, keys, domain=MICROSOFT, transB=1, alpha=scale)
        if mask:
            scores = graph.op("Add", scores, mask)
        return graph.op("MatMul", graph.op("Softmax", scores, axis=-1), values)

    def _split_heads(
        self, graph: GraphBuilder, x: Value, name: str, lengths: Value, parts: int
    ) -> list[Value]:
        """Project (B * S, D) and split into `parts` tensors (B, H, S, W)."""
        tail = graph.constant([parts * self.shape.heads, self.shape.head_width])
        size = graph.op("Concat", lengths, tail, axis=0)
        split = graph.op("Reshape", self.linears.linear(graph, x, name), size)
        split = graph.op("Transpose", split, perm=[0, 2, 1, 3])
        return graph.ops("Split", split, outputs=parts, axis=1, num_outputs=parts)

    def _merge(self, graph: GraphBuilder, context: Value) -> Value:
        return graph.op("Reshape", context, graph.constant([-1, self.shape.d_model]))

    def _norm(self, graph: GraphBuilder, x: Value, name: str) -> Value:
        scale = graph.weight(f"{name}.weight", self._weights[f"{name}.weight"])
        bias = graph.weight(f"{name}.bias", self._weights[f"{name}.bias"])
        return graph.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-5)

    def _positions(self, graph: GraphBuilder) -> Value:
        return graph.weight("positions", self._weights["positions"])

    def _mask(self, graph: GraphBuilder, source: Value) -> Value:
        padding = graph.op("Equal", source, graph.constant(0))
        zero, never = graph.constant(0.0, np.float32), graph.constant(-np.inf, np.float32)
        mask = graph.op("Where", padding, never, zero)
        return graph.op("Unsqueeze", mask, graph.constant([1, 2]))
