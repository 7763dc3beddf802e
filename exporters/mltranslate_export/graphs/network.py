"""What every model family gives the search graphs: an encoder, first states, and a decoder step.

Shape suffixes: B sentences, K beams, R = B * K rows, S source length, V vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from mltranslate_export.graphs.builder import GraphBuilder, Value

M = TypeVar("M")
"""What a decoder step reads of the source."""


class Network(ABC, Generic[M]):
    """Emits the encoder and the decoder's steps of one model in one precision.

    `beams` is the shape (B, K) of the beams as a value, or None where a sentence has one row. A
    memory has one entry a sentence, never one a row; states have one a row, so that the search
    reorders them by their first dimension.
    """

    float_modules: tuple[str, ...] = ()
    """Modules of the model whose matrices are multiplied in fp32 in every precision."""
    products_before: int = 0
    """Products with weights that `begin` makes, beside those of the encoder and of a step."""
    short: bool = False
    """Whether the logits are those of the ids in the input `shortlist` (U,) alone: (R, U)."""

    @property
    @abstractmethod
    def state_names(self) -> Sequence[str]:
        """Name of every state, all fp32, in the order of `begin` and `step`."""

    @abstractmethod
    def encode(self, graph: GraphBuilder, source: Value) -> M:
        """Encode source ids (B, S), padded with 0, and make what the steps need of them."""

    @abstractmethod
    def take(self, graph: GraphBuilder, memory: M, sentences: Value) -> M:
        """What `memory` has of the sentences of these numbers, in their order."""

    @abstractmethod
    def begin(
        self, graph: GraphBuilder, memory: M, rows: Value, beams: Value | None
    ) -> list[Value]:
        """States before the first step for `rows` (1,) rows."""

    @abstractmethod
    def step(
        self, graph: GraphBuilder, ids: Value, position: Value, memory: M,
        states: Sequence[Value], beams: Value | None,
    ) -> tuple[Value, list[Value]]:  # fmt: skip
        """Feed ids (R,) at `position` (scalar): logits (R, V) and the next states."""
