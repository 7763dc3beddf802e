"""The Transformer of the trainer as graph fragments; rows are flat (N, D) wherever they can be.

Shape suffixes: B sentences, K beams, R = B * K rows, S source length, T tokens so far, D width,
H heads, W width a head.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mltranslate_export.graphs.aligner import aligner_of
from mltranslate_export.graphs.builder import Array, GraphBuilder, Value
from mltranslate_export.graphs.linear import Linears
from mltranslate_export.graphs.mixers import MIXERS, attend, shares
from mltranslate_export.graphs.network import Network

if TYPE_CHECKING:
    from mltranslate_train.model.transformer import TransformerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a decoder step reads of the source."""

    keys: list[Value]
    """Per decoder layer (B, H, S, W)."""
    values: list[Value]
    mask: Value
    """Added to attention scores (B, 1, 1, S): 0, or minus infinity at padding."""


class TransformerNetwork(Network[Memory]):
    """Every variant of the trainer's Transformer."""

    def __init__(
        self, config: TransformerConfig, weights: Mapping[str, Array], linears: Linears
    ) -> None:
        self.aligner = aligner_of(config)
        """The attention that `look` gives."""
        self._config = config
        self._linears = linears
        self._weights = weights
        self._mixer = MIXERS[config.decoder](config, linears)
        self._head_width = config.d_model // config.heads
        self._source_table = "embedding" if config.embeddings == "shared" else "source_embedding"

    @property
    def state_names(self) -> list[str]:
        """See `Network.state_names`."""
        layers = range(self._config.decoder_layers)
        return [f"{name}_{i}" for i in layers for name in self._mixer.states]

    @property
    def aligner_state_names(self) -> list[str]:
        """Those of `state_names` that `look` needs."""
        return self.state_names[: (self.aligner.layer + 1) * len(self._mixer.states)]

    def encode(self, graph: GraphBuilder, source: Value, layers: int | None = None) -> Memory:
        """See `Network.encode`; with `layers` it serves only so many of the decoder's."""
        mask = self._mask(graph, source)
        positions = graph.op(
            "Slice",
            self._positions(graph, "encoder"),
            graph.constant([0]),
            graph.op("Shape", source, start=1, end=2),
        )
        embedded = self._embed(graph, source, self._source_table)
        embedded = self._placed(graph, embedded, positions, "encoder")
        x = graph.op("Reshape", embedded, graph.constant([-1, self._config.d_model]))
        lengths = graph.op("Shape", source)
        for index in range(self._config.encoder_layers):
            x = self._encoder_layer(graph, x, f"encoder_layers.{index}", lengths, mask)
        x = self._enter(graph, x, "encoder_norm")
        pairs = [
            self._split_heads(graph, x, f"decoder_layers.{i}.cross_attention.kv", lengths, 2)
            for i in range(self._config.decoder_layers if layers is None else layers)
        ]
        return Memory(keys=[p[0] for p in pairs], values=[p[1] for p in pairs], mask=mask)

    def take(self, graph: GraphBuilder, memory: Memory, sentences: Value) -> Memory:
        """See `Network.take`."""
        return Memory(
            keys=[graph.op("Gather", keys, sentences) for keys in memory.keys],
            values=[graph.op("Gather", values, sentences) for values in memory.values],
            mask=graph.op("Gather", memory.mask, sentences),
        )

    def begin(
        self, graph: GraphBuilder, memory: Memory, rows: Value, beams: Value | None
    ) -> list[Value]:
        """See `Network.begin`."""
        return [self._mixer.begin(graph, rows)] * len(self.state_names)

    def step(
        self, graph: GraphBuilder, ids: Value, position: Value, memory: Memory,
        states: Sequence[Value], beams: Value | None,
    ) -> tuple[Value, list[Value]]:  # fmt: skip
        """See `Network.step`."""
        ids, position = self._fed(graph, ids, position)
        x, following = self._advance(graph, ids, position, memory, states, beams)
        return self._linears.logits(graph, self._enter(graph, x, "decoder_norm")), following

    def look(
        self, graph: GraphBuilder, ids: Value, position: Value, memory: Memory,
        states: Sequence[Value],
    ) -> tuple[Value, list[Value]]:  # fmt: skip
        """As `step`, for the attention (R, S) that aligns; states are `aligner_state_names`."""
        layer, heads = self.aligner.layer, self.aligner.heads
        ids, position = self._fed(graph, ids, position)
        x, following = self._advance(graph, ids, position, memory, states, None, layers=layer)
        x, new = self._read_target(graph, x, layer, position, states)
        entered = self._enter(graph, x, f"decoder_layers.{layer}.cross_norm")
        query = self._query(graph, entered, layer, None)
        weights = shares(graph, query, memory.keys[layer], memory.mask, self._head_width)
        bounds = [graph.constant([bound]) for bound in (0, heads, 1)]
        chosen = graph.op("Slice", weights, *bounds)
        mean = graph.op("ReduceMean", chosen, graph.constant([1, 2]), keepdims=0)
        return self._over_whole_source(graph, mean), [*following, *new]

    def _fed(self, graph: GraphBuilder, ids: Value, position: Value) -> tuple[Value, Value]:
        """What the decoder reads for ids at a position of the search, and at which of its own."""
        return ids, position

    def _over_whole_source(self, graph: GraphBuilder, weights: Value) -> Value:
        """Attention (R, S) to the whole source, of what is over the places that are read."""
        return weights

    def _advance(
        self, graph: GraphBuilder, ids: Value, position: Value, memory: Memory,
        states: Sequence[Value], beams: Value | None, *, layers: int | None = None,
    ) -> tuple[Value, list[Value]]:  # fmt: skip
        """Feed ids (R,) at `position` (scalar): what the last layer gives, and the next states.

        With `layers` only so many are passed through, otherwise all that `memory` serves.
        """
        place = graph.op("Gather", self._positions(graph, "decoder"), position)
        x = self._placed(graph, self._embed(graph, ids, "embedding"), place, "decoder")
        following: list[Value] = []
        for index in range(len(memory.keys) if layers is None else layers):
            name = f"decoder_layers.{index}"
            x, new = self._read_target(graph, x, index, position, states)
            entered = self._enter(graph, x, f"{name}.cross_norm")
            read = self._cross_attention(graph, entered, index, memory, beams)
            x = self._leave(graph, x, read, f"{name}.cross_norm")
            x = self._feed_forward(graph, x, name)
            following += new
        return x, following

    def _read_target(
        self, graph: GraphBuilder, x: Value, index: int, position: Value, states: Sequence[Value]
    ) -> tuple[Value, list[Value]]:
        """The first sub-layer of a decoder layer; `states` are those of all layers."""
        name, count = f"decoder_layers.{index}", len(self._mixer.states)
        past = states[index * count : (index + 1) * count]
        entered = self._enter(graph, x, f"{name}.self_norm")
        mixed, new = self._mixer.step(graph, entered, f"{name}.self_attention", past, position)
        return self._leave(graph, x, mixed, f"{name}.self_norm"), new

    def _encoder_layer(
        self, graph: GraphBuilder, x: Value, name: str, lengths: Value, mask: Value
    ) -> Value:
        entered = self._enter(graph, x, f"{name}.attention_norm")
        query, key, value = self._split_heads(graph, entered, f"{name}.attention.qkv", lengths, 3)
        context = attend(graph, query, key, value, mask, self._head_width)
        merged = self._merge(graph, graph.op("Transpose", context, perm=[0, 2, 1, 3]))
        out = self._linears.linear(graph, merged, f"{name}.attention.out")
        x = self._leave(graph, x, out, f"{name}.attention_norm")
        return self._feed_forward(graph, x, name)

    def _cross_attention(
        self, graph: GraphBuilder, x: Value, index: int, memory: Memory, beams: Value | None
    ) -> Value:
        query = self._query(graph, x, index, beams)
        keys, values = memory.keys[index], memory.values[index]
        context = attend(graph, query, keys, values, memory.mask, self._head_width)
        if beams:
            context = graph.op("Transpose", context, perm=[0, 2, 1, 3])
        out = f"decoder_layers.{index}.cross_attention.out"
        return self._linears.linear(graph, self._merge(graph, context), out)

    def _query(self, graph: GraphBuilder, x: Value, index: int, beams: Value | None) -> Value:
        """What x (R, D) asks the source of a layer, (R, H, 1, W) or (B, H, K, W)."""
        # The beams of a sentence are so many queries of one attention: its memory is not repeated.
        query = self._linears.linear(graph, x, f"decoder_layers.{index}.cross_attention.q")
        query = graph.op("Reshape", query, self._queries(graph, beams))
        return graph.op("Transpose", query, perm=[0, 2, 1, 3]) if beams else query

    def _queries(self, graph: GraphBuilder, beams: Value | None) -> Value:
        """Shape of a step's queries: (R, H, 1, W), or (B, K, H, W); made once, before the loop."""
        heads = self._config.heads
        if not beams:
            return graph.constant([-1, heads, 1, self._head_width])
        rest = graph.constant([heads, self._head_width])
        return graph.once(
            "queries", lambda holder, name: holder.op("Concat", beams, rest, axis=0, name=name)
        )

    def _feed_forward(self, graph: GraphBuilder, x: Value, name: str) -> Value:
        entered = self._enter(graph, x, f"{name}.ffn_norm")
        hidden = self._linears.linear(graph, entered, f"{name}.ffn.up")
        out = self._activated(graph, hidden, f"{name}.ffn.down")
        return self._leave(graph, x, out, f"{name}.ffn_norm")

    def _activated(self, graph: GraphBuilder, hidden: Value, name: str) -> Value:
        """Apply the activation to hidden (N, F), and then the linear layer `name`."""
        return self._linears.rectified_linear(graph, hidden, name)

    def _split_heads(
        self, graph: GraphBuilder, x: Value, name: str, lengths: Value, parts: int
    ) -> list[Value]:
        """Project (B * S, D) and split into `parts` tensors (B, H, S, W)."""
        tail = graph.constant([parts * self._config.heads, self._head_width])
        size = graph.op("Concat", lengths, tail, axis=0)
        split = graph.op("Reshape", self._linears.linear(graph, x, name), size)
        split = graph.op("Transpose", split, perm=[0, 2, 1, 3])
        return graph.ops("Split", split, outputs=parts, axis=1, num_outputs=parts)

    def _merge(self, graph: GraphBuilder, context: Value) -> Value:
        return graph.op("Reshape", context, graph.constant([-1, self._config.d_model]))

    def _enter(self, graph: GraphBuilder, x: Value, norm: str) -> Value:
        """What a sub-layer, or all that follows the layers, reads of x (N, D)."""
        return x if self._config.norm == "post" else self._norm(graph, x, norm)

    def _leave(self, graph: GraphBuilder, x: Value, added: Value, norm: str) -> Value:
        """What comes out when a sub-layer adds to x (N, D)."""
        x = graph.op("Add", x, added)
        return self._norm(graph, x, norm) if self._config.norm == "post" else x

    def _norm(self, graph: GraphBuilder, x: Value, name: str) -> Value:
        scale = graph.weight(f"{name}.weight", self._weights[f"{name}.weight"])
        bias = graph.weight(f"{name}.bias", self._weights[f"{name}.bias"])
        return graph.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-5)

    def _placed(self, graph: GraphBuilder, embedded: Value, places: Value, side: str) -> Value:
        """What the layers of the encoder or the decoder read: embeddings and their positions."""
        return graph.op("Add", embedded, places)

    def _embed(self, graph: GraphBuilder, ids: Value, table: str) -> Value:
        return self._linears.embed(graph, ids, table, math.sqrt(self._config.d_model))

    def _positions(self, graph: GraphBuilder, side: str) -> Value:
        """Positions (max_length, D) of the encoder or the decoder."""
        return graph.weight("positions", self._weights["positions"])

    def _mask(self, graph: GraphBuilder, source: Value) -> Value:
        padding = graph.op("Equal", source, graph.constant(0))
        zero, never = graph.constant(0.0, np.float32), graph.constant(-np.inf, np.float32)
        mask = graph.op("Where", padding, never, zero)
        return graph.op("Unsqueeze", mask, graph.constant([1, 2]))
