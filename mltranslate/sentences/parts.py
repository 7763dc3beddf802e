"""What translation needs of its parts: a pack, its subword model, and a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from mltranslate.decode.types import Hypothesis, Request, Search
from mltranslate.types import CancelToken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mltranslate.text.phrases import Found


class TokenizerLike(Protocol):
    """Text to subword ids and back (`mltranslate.packs.tokenizer.Tokenizer`)."""

    def encode(self, text: str) -> tuple[int, ...]:
        """Split a sentence into subword ids."""

    def decode(self, ids: Sequence[int]) -> str:
        """Join subword ids to text."""

    def names(self, ids: Sequence[int]) -> list[str]:
        """Text of each id by itself."""

    def written(self, ids: Sequence[int]) -> list[bytes]:
        """UTF-8 that each id writes, with the space that begins a word."""


class PhrasebookLike(Protocol):
    """Words and phrases to look up (`mltranslate.packs.phrasebook.Phrasebook`)."""

    def open(self, source: str, target: str) -> None:
        """Read what it has of these languages."""

    def find(self, text: str, source: str, target: str) -> Found:
        """What a text is in the target language, in its form; nothing, one or several."""

    def salutation(self, text: str, source: str, target: str) -> int:
        """How many characters a text begins with are a salutation, and its comma."""


class PackLike(Protocol):
    """What translation needs to know of a pack (`mltranslate.packs.pack.Pack`)."""

    @property
    def name(self) -> str:
        """Name of the pack."""

    @property
    def version(self) -> str:
        """Version of the pack."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of all its languages."""

    @property
    def directions(self) -> frozenset[tuple[str, str]]:
        """Pairs (source, target) that it translates directly."""

    @property
    def max_source_tokens(self) -> int:
        """Longest source in subwords, without tag and end mark."""

    def tokenizer(self) -> TokenizerLike:
        """Load the subword model of the pack."""

    def phrasebook(self) -> PhrasebookLike | None:
        """Words and phrases to look up; None where the pack has none."""


class DecoderLike(Protocol):
    """What translation needs of a decoder (`mltranslate.decode.decoder.Decoder`)."""

    @property
    def pack(self) -> PackLike:
        """The pack that it decodes with."""

    device: str
    provider: str
    precision: str
    workers: int
    """How many searches may well go on at a time."""

    @property
    def aligns(self) -> bool:
        """Whether it can tell which words come from which."""

    def usual_length_penalty(self, target: str) -> float:
        """What suits beam search into a language with its graphs."""

    def prepare(self, beam: int) -> None:
        """Load what this beam needs."""

    def search(
        self,
        requests: Sequence[Request],
        search: Search,
        *,
        cancel: CancelToken | None = None,
        repetition_guard: bool = False,
    ) -> list[list[Hypothesis]]:
        """Decode one batch; all hypotheses of every request, best first."""

    def token_scores(
        self,
        requests: Sequence[Request],
        hypotheses: Sequence[Hypothesis],
        *,
        cancel: CancelToken | None = None,
    ) -> list[tuple[float, ...]]:
        """Log-probability of every token of one hypothesis a request, its end mark included."""

    def alignment(
        self,
        requests: Sequence[Request],
        hypotheses: Sequence[Hypothesis],
        *,
        cancel: CancelToken | None = None,
    ) -> list[NDArray[np.float32]]:
        """What each subword of one hypothesis a request looks at: tag, subwords, end mark."""
