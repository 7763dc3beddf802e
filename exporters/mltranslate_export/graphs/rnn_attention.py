"""What the decoder of a recurrent model learns of the source, as graph fragments.

Shape suffixes: B sentences, K beams (one where there is no beam search), R = B * K rows, S source
length, D width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mltranslate_export.graphs.builder import MICROSOFT, Array, GraphBuilder, Value
from mltranslate_export.graphs.linear import Linears

NAME = "attention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The source as the encoder gives it."""

    states: Value
    """(B, S, D)."""
    final: Value
    """(B, D)."""
    mask: Value
    """Added to attention scores (B, 1, S): 0, or minus infinity at padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """What attention reads at every step, made once."""

    keys: Value
    encoded: Encoded


class Attention(ABC):
    """One way to read the source."""

    late = False
    """Read after the decoder's layers, with the last hidden state; before them otherwise."""
    float_modules: tuple[str, ...] = ()

    def __init__(self, width: int, weights: Mapping[str, Array], linears: Linears) -> None:
        self.width = width
        self.weights = weights
        self.linears = linears

    @abstractmethod
    def memory(self, graph: GraphBuilder, encoded: Encoded) -> Readable:
        """Prepare what `read` needs."""

    def take(self, graph: GraphBuilder, memory: Readable, sentences: Value) -> Readable:
        """What `memory` has of the sentences numbered `sentences` (R,)."""
        encoded = memory.encoded
        return Readable(
            keys=memory.keys and graph.op("Gather", memory.keys, sentences),
            encoded=Encoded(
                states=graph.op("Gather", encoded.states, sentences),
                final=graph.op("Gather", encoded.final, sentences),
                mask=graph.op("Gather", encoded.mask, sentences),
            ),
        )

    @abstractmethod
    def read(
        self, graph: GraphBuilder, query: Value, memory: Readable, beams: Value | None
    ) -> Value:
        """Context (R, D) of a query (R, D) a row; `beams` as in `Network`."""

    def keys(self, graph: GraphBuilder, encoded: Encoded) -> Value:
        """Project the encoder's states to keys (B, S, D)."""
        rows = graph.op("Reshape", encoded.states, graph.constant([-1, self.width]))
        keys = self.linears.linear(graph, rows, f"{NAME}.key")
        return graph.op("Reshape", keys, graph.op("Shape", encoded.states))

    def mix(self, graph: GraphBuilder, scores: Value, encoded: Encoded) -> Value:
        """Mean (R, D) of the encoder's states weighted by the softmax of scores (B, K, S)."""
        weights = graph.op("Softmax", graph.op("Add", scores, encoded.mask), axis=-1)
        context = graph.op("MatMul", weights, encoded.states)
        return graph.op("Reshape", context, graph.constant([-1, self.width]))


class FinalState(Attention):
    """No attention: the encoder's last state at every step (Cho et al. 2014)."""

    def memory(self, graph: GraphBuilder, encoded: Encoded) -> Readable:
        """See `Attention.memory`."""
        return Readable(keys="", encoded=encoded)

    def read(
        self, graph: GraphBuilder, query: Value, memory: Readable, beams: Value | None
    ) -> Value:
        """See `Attention.read`."""
        final = memory.encoded.final
        if not beams:
            return final
        return graph.once(
            "repeated_final",
            lambda holder, name: repeat(holder, final, beams, self.width, name=name),
        )


class Additive(Attention):
    """Attention by a small network (Bahdanau et al. 2015)."""

    float_modules = (f"{NAME}.score",)

    def memory(self, graph: GraphBuilder, encoded: Encoded) -> Readable:
        """See `Attention.memory`."""
        keys = graph.op("Unsqueeze", self.keys(graph, encoded), graph.constant([1]))
        return Readable(keys=keys, encoded=encoded)

    def read(
        self, graph: GraphBuilder, query: Value, memory: Readable, beams: Value | None
    ) -> Value:
        """See `Attention.read`."""
        asked = self.linears.linear(graph, query, f"{NAME}.query")
        asked = graph.op("Reshape", asked, _per_beam(graph, beams, [1, self.width]))
        hidden = graph.op("Tanh", graph.op("Add", memory.keys, asked))
        vector = self.weights[f"{NAME}.score.weight"][0]
        scores = graph.op("MatMul", hidden, graph.weight(f"{NAME}.score.weight", vector))
        return self.mix(graph, scores, memory.encoded)


class General(Attention):
    """Attention by a bilinear form (Luong et al. 2015)."""

    late = True

    def memory(self, graph: GraphBuilder, encoded: Encoded) -> Readable:
        """See `Attention.memory`."""
        return Readable(keys=self.keys(graph, encoded), encoded=encoded)

    def read(
        self, graph: GraphBuilder, query: Value, memory: Readable, beams: Value | None
    ) -> Value:
        """See `Attention.read`."""
        asked = graph.op("Reshape", query, _per_beam(graph, beams, [self.width]))
        scores = graph.op("FusedMatMul", asked, memory.keys, domain=MICROSOFT, transB=1)
        return self.mix(graph, scores, memory.encoded)


ATTENTIONS: Mapping[str, type[Attention]] = {
    "none": FinalState, "bahdanau": Additive, "luong": General,
}  # fmt: skip
"""By `model.attention` of the recipe."""


def repeat(graph: GraphBuilder, x: Value, beams: Value | None, width: int, name: str = "") -> Value:
    """Rows (R, D) of x (B, D), each as often as its sentence has beams."""
    if not beams:
        return graph.op("Identity", x, name=name)
    size = graph.op("Concat", beams, graph.constant([width]), axis=0)
    table = graph.op("Expand", graph.op("Unsqueeze", x, graph.constant([1])), size)
    return graph.op("Reshape", table, graph.constant([-1, width]), name=name)


def padding_mask(graph: GraphBuilder, source: Value) -> Value:
    """Make `Encoded.mask` of source ids (B, S)."""
    padding = graph.op("Equal", source, graph.constant(0))
    zero, never = graph.constant(0.0, np.float32), graph.constant(-np.inf, np.float32)
    return graph.op("Unsqueeze", graph.op("Where", padding, never, zero), graph.constant([1]))


def _per_beam(graph: GraphBuilder, beams: Value | None, rest: list[int]) -> Value:
    """Shape (B, K, *rest); made once, before the loop."""
    if not beams:
        return graph.constant([-1, 1, *rest])
    tail = graph.constant(rest)
    return graph.once(
        "queries", lambda holder, name: holder.op("Concat", beams, tail, axis=0, name=name)
    )
