"""What a search chooses from: the whole vocabulary, or the ids of a shortlist.

A search works with places among the choices, which are the ids themselves in the first case.
Shape suffixes: B sentences, R rows, U ids of the shortlist.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from mltranslate.decode.types import END
from mltranslate_export.graphs.builder import FLOAT, INT64, GraphBuilder, Value

SHORTLIST = "shortlist"
"""Input (U,): ids in rising order, padding first and the end mark second."""
PENALTY = "penalty"
"""Input (B, U): 0, or much below it for what only other sentences of the batch may choose."""


class Choices(ABC):
    """Everything that the two cases do differently."""

    end: int
    """Place of the end mark; that of padding is 0."""

    @abstractmethod
    def ids(self, graph: GraphBuilder, places: Value, name: str = "") -> Value:
        """Ids of places of any shape."""

    @abstractmethod
    def of(self, graph: GraphBuilder, sentences: Value) -> Choices:
        """The choices of rows (R,) that belong to the sentences of these numbers."""

    @abstractmethod
    def restrict(self, graph: GraphBuilder, logits: Value) -> Value:
        """Logits (R, U) in which every row has only what its sentence may choose."""


class Whole(Choices):
    """All ids; none is declared, as the output layer forbids marks."""

    end = END

    def ids(self, graph: GraphBuilder, places: Value, name: str = "") -> Value:
        """See `Choices.ids`."""
        return graph.op("Identity", places, name=name) if name else places

    def of(self, graph: GraphBuilder, sentences: Value) -> Choices:
        """See `Choices.of`."""
        return self

    def restrict(self, graph: GraphBuilder, logits: Value) -> Value:
        """See `Choices.restrict`."""
        return logits


class Short(Choices):
    """The ids of the input `shortlist`, less those that the input `penalty` forbids a sentence."""

    end = 1

    def __init__(self, ids: Value, penalty: Value) -> None:
        self._ids = ids
        self._penalty = penalty

    def ids(self, graph: GraphBuilder, places: Value, name: str = "") -> Value:
        """See `Choices.ids`."""
        return graph.op("Gather", self._ids, places, name=name)

    def of(self, graph: GraphBuilder, sentences: Value) -> Choices:
        """See `Choices.of`."""
        return Short(self._ids, graph.op("Gather", self._penalty, sentences))

    def restrict(self, graph: GraphBuilder, logits: Value) -> Value:
        """See `Choices.restrict`."""
        return graph.op("Add", logits, self._penalty)


def choices_of(graph: GraphBuilder, *, short: bool) -> Choices:
    """Declare the choices of a search graph, whose rows are its sentences."""
    if not short:
        return Whole()
    ids = graph.input(SHORTLIST, INT64, ["choices"])
    return Short(ids, graph.input(PENALTY, FLOAT, ["batch", "choices"]))
