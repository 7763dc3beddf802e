"""Sentences to translate: in pieces, in batches, and counted when they are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mltranslate.decode.types import Prefix, Request
from mltranslate.glossary import Term, terms_of
from mltranslate.limits import LEAST_BATCH_TOKENS
from mltranslate.renderings import Rendering
from mltranslate.text.spans import Span

_FRAME_TOKENS = 2
"""Tag and end mark, which the decoder adds to every sentence."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a piece of one, and the language it goes into."""

    text: str
    target: str
    source: str = ""
    """Language that it is in; only packs whose sources start with its tag need it."""
    prefix: str = ""
    """How its translation begins; white space at the end means that the last word is whole."""
    terms: tuple[Term, ...] = ()
    """What its translation is to have; only `mltranslate.constraints` knows what to do with it."""

    variety: str = ""
    """Of the target language, that was asked for; only `mltranslate.scripts` can do something."""
    abbreviations: tuple[str, ...] = ()
    """What its translation should not lack; only `mltranslate.abbreviations` looks."""

    def part(self, text: str) -> Sentence:
        """Return a part of this sentence, with the terms that it holds itself."""
        terms = terms_of(self.terms, text, self.source) if self.terms else ()
        return replace(self, text=text, terms=terms)


@dataclass(frozen=True, slots=True)
class Work:
    """A sentence in the decoder's terms."""

    sentence: Sentence
    pieces: tuple[int, ...]
    prefix: Prefix | None


def request_of(work: Work) -> Request:
    """Return what the decoder is asked for.

    A translation longer than twice its source is a loop; very short ones need some room.
    """
    given = len(work.prefix.pieces) if work.prefix else 0
    return Request(
        pieces=work.pieces, source=work.sentence.source, target=work.sentence.target,
        max_tokens=2 * len(work.pieces) + 16 + given, prefix=work.prefix,
    )  # fmt: skip


def pieces_of(sentence: Sentence, spans: Sequence[Span]) -> list[Sentence]:
    """Return the parts of a sentence that are translated each by itself."""
    return [replace(sentence, text=span.text) for span in spans if span.translatable]


def cut_batches(work: Sequence[Work], most: int, workers: int) -> list[list[Work]]:
    """Cut into batches of at most `most` tokens.

    They are as small as they can be if there is one for each of several workers at most.
    """
    if workers == 1:
        return list(_batches(work, most))
    tokens = sum(len(one.pieces) + _FRAME_TOKENS for one in work)
    budget = max(LEAST_BATCH_TOKENS, tokens // workers)
    while budget < most and len(list(_batches(work, budget))) > workers:
        budget += 1 + budget // 16  # padding takes more than the tokens do
    return list(_batches(work, min(budget, most)))


def _batches(work: Sequence[Work], budget: int) -> Iterator[list[Work]]:
    """Sort by length and cut so that a batch, padding included, stays within `budget` tokens."""
    batch: list[Work] = []
    for item in sorted(work, key=lambda one: len(one.pieces)):
        width = len(item.pieces) + _FRAME_TOKENS
        if batch and width * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


class Tally:
    """Counts sentences as finished when the last of their pieces is."""

    def __init__(
        self,
        plans: dict[Sentence, list[Span]],
        copies: Counter[Sentence],
        advance: Callable[[int], None],
    ) -> None:
        self._missing = {one: set(pieces_of(one, spans)) for one, spans in plans.items()}
        self._owners: dict[Sentence, list[Sentence]] = {}
        for sentence, pieces in self._missing.items():
            for piece in pieces:
                self._owners.setdefault(piece, []).append(sentence)
        self._copies = copies
        self._advance = advance
        self._empty = sum(copies[sentence] for sentence in plans if not self._missing[sentence])

    def finish(self, pieces: dict[Sentence, Rendering]) -> None:
        """Take `pieces` as finished."""
        done, self._empty = self._empty, 0
        for piece in pieces:
            for sentence in self._owners[piece]:
                self._missing[sentence].discard(piece)
                done += 0 if self._missing[sentence] else self._copies[sentence]
        if done:
            self._advance(done)
