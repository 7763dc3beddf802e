"""Public encoder-decoder models as graph fragments: the Transformer with their few differences.

Shape suffixes as in `transformer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mltranslate.decode.types import END, PAD
from mltranslate_export.graphs.builder import Array, GraphBuilder, Value
from mltranslate_export.graphs.linear import Linears
from mltranslate_export.graphs.transformer import Memory, TransformerNetwork

if TYPE_CHECKING:
    from mltranslate_export.importers.model import ImportedConfig

_ALL = np.iinfo(np.int64).max
_PRODUCTS_A_LAYER = 6
"""Of a decoder layer in one step: self-attention 2, cross-attention 2, feed-forward 2."""


class ImportedNetwork(TransformerNetwork):
    """What `ImportedTransformer` does, as a graph; `ImportedConfig` names the differences."""

    _config: ImportedConfig

    def __init__(
        self, config: ImportedConfig, weights: Mapping[str, Array], linears: Linears
    ) -> None:
        super().__init__(config, weights, linears)
        if config.tag_follows:
            self.products_before = _PRODUCTS_A_LAYER * config.decoder_layers

    def encode(self, graph: GraphBuilder, source: Value, layers: int | None = None) -> Memory:
        """See `TransformerNetwork.encode`."""
        if not self._config.reads_tag:
            source = _places(graph, source, 1, _ALL)
        if not self._config.reads_end:
            # The first place stays, so that a sentence without subwords is not nothing.
            rest = _places(graph, source, 1, _ALL)
            ends = graph.op("Equal", rest, graph.constant(END))
            rest = graph.op("Where", ends, graph.constant(PAD), rest)
            source = graph.op("Concat", _places(graph, source, 0, 1), rest, axis=1)
        return super().encode(graph, source, layers)

    def begin(
        self, graph: GraphBuilder, memory: Memory, rows: Value, beams: Value | None
    ) -> list[Value]:
        """See `Network.begin`; with `tag_follows` the states have read the model's own mark."""
        states = super().begin(graph, memory, rows, beams)
        if not self._config.tag_follows:
            return states
        marks = graph.op("Expand", graph.constant(self._config.start), rows)
        return self._advance(graph, marks, graph.constant(0), memory, states, beams)[1]

    def _fed(self, graph: GraphBuilder, ids: Value, position: Value) -> tuple[Value, Value]:
        if self._config.tag_follows:
            return ids, graph.op("Add", position, graph.constant(1))
        first = graph.op("Equal", position, graph.constant(0))
        return graph.op("Where", first, graph.constant(self._config.start), ids), position

    def _over_whole_source(self, graph: GraphBuilder, weights: Value) -> Value:
        if self._config.reads_tag:
            return weights
        return graph.op("Pad", weights, graph.constant([0, 1, 0, 0]))

    def _activated(self, graph: GraphBuilder, hidden: Value, name: str) -> Value:
        if self._config.activation == "relu":
            return super()._activated(graph, hidden, name)
        if self._config.activation == "gelu":
            active = graph.op("Gelu", hidden)
        else:
            active = graph.op("Mul", hidden, graph.op("Sigmoid", hidden))
        return self._linears.linear(graph, active, name)

    def _placed(self, graph: GraphBuilder, embedded: Value, places: Value, side: str) -> Value:
        x = super()._placed(graph, embedded, places, side)
        return self._norm(graph, x, f"{side}_embedding_norm") if self._config.embedding_norm else x

    def _positions(self, graph: GraphBuilder, side: str) -> Value:
        own = self._config.learned_positions and side == "encoder"
        name = "encoder_positions" if own else "positions"
        return graph.weight(name, self._weights[name])

    def _embed(self, graph: GraphBuilder, ids: Value, table: str) -> Value:
        return self._linears.embed(graph, ids, table, self._config.embedding_scale)


def _places(graph: GraphBuilder, source: Value, first: int, end: int) -> Value:
    """Places `first` to `end` of every source (B, S)."""
    return graph.op("Slice", source, *(graph.constant([bound]) for bound in (first, end, 1)))
