"""What every kind of public checkpoint gives the importer: a vocabulary, a shape, and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mltranslate_export.importers.model import ImportedConfig, ImportedTransformer


@dataclass(frozen=True, slots=True, kw_only=True)
class Subwords:
    """The vocabulary of a public model as its files have it."""

    splitter: bytes
    """The SentencePiece model that splits sources, serialised."""
    ids: Mapping[str, int]
    """Id of every piece and mark."""
    tags: Mapping[str, int]
    """Our language code to the id of its tag; empty if the model has one language on each side."""
    marks: tuple[int, ...] = ()
    """Further ids that are no text."""
    read_only: frozenset[int] = field(default_factory=frozenset)
    """Ids of pieces that the encoder reads and the decoder never produces."""


class PublicModel(Protocol):
    """A public checkpoint whose files were read, but for the weights."""

    @property
    def label(self) -> str:
        """What kind of model it is, in words."""

    @property
    def subwords(self) -> Subwords:
        """Its vocabulary."""

    @property
    def tag_follows(self) -> bool:
        """Whether sources start with their own language's tag."""

    @property
    def languages(self) -> tuple[object, object]:
        """Public codes of source and target, as far as a model without tags names them."""

    def shape(self, size: int) -> ImportedConfig:
        """Shape of the model with a vocabulary of `size` pieces; `DataError` if there is none."""

    def fill(self, model: ImportedTransformer, rows: Sequence[int]) -> None:
        """Give `model` the weights; `rows` has for every id of ours the public one, or -1."""

    def about(self) -> dict[str, Any]:
        """What the pack's provenance says of it."""
