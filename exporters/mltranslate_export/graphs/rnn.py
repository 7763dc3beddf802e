"""The recurrent models of the trainer as graph fragments.

Shape suffixes: B sentences, R rows, S source length, D width. The encoder runs in fp32 in every
precision: the runtime's integer LSTM chooses its scales from all sentences of a batch at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mltranslate_export.graphs.builder import INT32, Array, GraphBuilder, Value
from mltranslate_export.graphs.linear import Linears
from mltranslate_export.graphs.network import Network
from mltranslate_export.graphs.recurrent import CELLS
from mltranslate_export.graphs.rnn_attention import (
    ATTENTIONS,
    Encoded,
    Readable,
    padding_mask,
    repeat,
)

if TYPE_CHECKING:
    from mltranslate_train.model.rnn import RnnConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the decoder learns of the source."""

    readable: Readable
    first: list[Value]
    """First states (B, D), in the order of `state_names`."""


class RnnNetwork(Network[Memory]):
    """LSTM and GRU models, with every kind of attention."""

    def __init__(self, config: RnnConfig, weights: Mapping[str, Array], linears: Linears) -> None:
        self._config = config
        self._weights = weights
        self._linears = linears
        self._cell = CELLS[config.cell]
        self._attention = ATTENTIONS[config.attention](config.d_model, weights, linears)
        self._source_table = "embedding" if config.embeddings == "shared" else "source_embedding"
        self.float_modules = ("encoder", *self._attention.float_modules)

    @property
    def state_names(self) -> list[str]:
        """See `Network.state_names`."""
        layers = range(self._config.decoder_layers)
        return [f"{name}_{i}" for i in layers for name in self._cell.states]

    def encode(self, graph: GraphBuilder, source: Value) -> Memory:
        """See `Network.encode`."""
        mask = padding_mask(graph, source)
        real = graph.op("Cast", graph.op("Greater", source, graph.constant(0)), to=INT32)
        lengths = graph.op("ReduceSum", real, graph.constant([1]), keepdims=0)
        embedded = self._embed(graph, source, self._source_table)
        x = graph.op("Transpose", embedded, perm=[1, 0, 2])
        ways = ["ahead", "back"] if self._config.bidirectional else ["ahead"]
        for index in range(self._config.encoder_layers):
            x, final = self._cell.whole(graph, self._weights, x, f"encoder.{index}", ways, lengths)
        states = graph.op("Transpose", x, perm=[1, 0, 2])
        readable = self._attention.memory(graph, Encoded(states=states, final=final, mask=mask))
        return Memory(readable=readable, first=self._bridge(graph, final))

    def take(self, graph: GraphBuilder, memory: Memory, sentences: Value) -> Memory:
        """See `Network.take`."""
        readable = self._attention.take(graph, memory.readable, sentences)
        return Memory(readable=readable, first=memory.first)

    def begin(
        self, graph: GraphBuilder, memory: Memory, rows: Value, beams: Value | None
    ) -> list[Value]:
        """See `Network.begin`."""
        return [repeat(graph, state, beams, self._config.d_model) for state in memory.first]

    def step(
        self, graph: GraphBuilder, ids: Value, position: Value, memory: Memory,
        states: Sequence[Value], beams: Value | None,
    ) -> tuple[Value, list[Value]]:  # fmt: skip
        """See `Network.step`."""
        x = self._embed(graph, ids, "embedding")
        if not self._attention.late:
            context = self._attention.read(graph, states[0], memory.readable, beams)
            x = graph.op("Concat", x, context, axis=1)
        following: list[Value] = []
        count = len(self._cell.states)
        for index in range(self._config.decoder_layers):
            past = states[index * count : (index + 1) * count]
            new = self._cell.step(graph, self._linears, x, f"decoder.{index}", past)
            following += new
            x = new[0]
        if self._attention.late:
            context = self._attention.read(graph, x, memory.readable, beams)
        joint = graph.op("Concat", x, context, axis=1)
        out = graph.op("Tanh", self._linears.linear(graph, joint, "readout"))
        return self._linears.logits(graph, out), following

    def _bridge(self, graph: GraphBuilder, final: Value) -> list[Value]:
        made = graph.op("Tanh", self._linears.linear(graph, final, "bridge"))
        count = len(self.state_names)
        return graph.ops("Split", made, outputs=count, axis=1, num_outputs=count)

    def _embed(self, graph: GraphBuilder, ids: Value, table: str) -> Value:
        return self._linears.embed(graph, ids, table, math.sqrt(self._config.d_model))
