"""A decoder, pack and detector that keep the engine's contracts without any model.

The vocabulary is the characters themselves; a translation is whatever `render` makes of a text.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mltranslate.decode.types import END, Hypothesis, Request, Search
from mltranslate.text.phrases import Doubt, Found
from mltranslate.types import UNDETERMINED, CancelToken, Detection

FIRST_PIECE = 4
EMPTY = Hypothesis(pieces=(), score=-math.inf, finished=False)
"""What a search gives where it has found fewer hypotheses than its beam is wide."""
DIRECTIONS = frozenset({("de", "en"), ("en", "de"), ("en", "zh"), ("zh", "en")})


class FakeTokenizer:
    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(ord(char) + FIRST_PIECE for char in text)

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(chr(piece - FIRST_PIECE) for piece in ids)

    def names(self, ids: Sequence[int]) -> list[str]:
        return ["</s>" if piece == END else self.decode([piece]) for piece in ids]

    def written(self, ids: Sequence[int]) -> list[bytes]:
        return [self.decode([piece]).encode() for piece in ids]


@dataclass
class FakePhrasebook:
    """Has what each text is, in any direction, and records what it was asked for."""

    found: dict[str, tuple[str, ...]]
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    opened: list[tuple[str, str]] = field(default_factory=list)
    doubt: Doubt = Doubt.NONE

    def open(self, source: str, target: str) -> None:
        self.opened.append((source, target))

    def find(self, text: str, source: str, target: str) -> Found:
        self.asked.append((text, source, target))
        return Found(self.found.get(text, ()), self.doubt)

    def salutation(self, text: str, source: str, target: str) -> int:
        return next((len(one) for one in self.found if text.startswith(f"{one} ")), 0)


@dataclass
class FakePack:
    name: str = "fake"
    version: str = "1.0.0"
    languages: tuple[str, ...] = ("en", "de", "zh")
    directions: frozenset[tuple[str, str]] = DIRECTIONS
    max_source_tokens: int = 200
    phrases: FakePhrasebook | None = None

    def tokenizer(self) -> FakeTokenizer:
        return FakeTokenizer()

    def phrasebook(self) -> FakePhrasebook | None:
        return self.phrases


def _begun(text: str, request: Request) -> str:
    """A translation that begins as it is asked to."""
    if request.prefix is None:
        return text
    beginning = FakeTokenizer().decode(request.prefix.pieces)
    rest = text[len(beginning) :]
    return beginning + (" " + rest.lstrip() if rest and request.prefix.ends_word else rest)


def shout(text: str, target: str, guard: bool) -> str:
    return text.upper()


def label(text: str, target: str, guard: bool) -> str:
    return f"{target}<{text}>"


@dataclass
class FakeDecoder:
    """Records every batch that it decodes as a list of source texts."""

    render: Callable[[str, str, bool], str] = shout
    others: Callable[[str], Sequence[tuple[str, float]]] = lambda _: ()
    """Further hypotheses for what `render` gave, and by how much their scores are less."""
    pack: FakePack = field(default_factory=FakePack)
    device: str = "cpu"
    provider: str = "CPUExecutionProvider"
    precision: str = "int8"
    workers: int = 1
    length_penalty: float = 1.0
    length_penalties: dict[str, float] = field(default_factory=dict)
    aligns: bool = False
    batches: list[list[str]] = field(default_factory=list)
    searches: list[Search] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    prepared: list[int] = field(default_factory=list)
    seconds_to_load: float = 0.0

    def usual_length_penalty(self, target: str) -> float:
        return self.length_penalties.get(target, self.length_penalty)

    def prepare(self, beam: int) -> None:
        time.sleep(self.seconds_to_load)
        self.prepared.append(beam)

    def search(
        self,
        requests: Sequence[Request],
        search: Search,
        *,
        cancel: CancelToken | None = None,
        repetition_guard: bool = False,
    ) -> list[list[Hypothesis]]:
        texts = [FakeTokenizer().decode(request.pieces) for request in requests]
        for request in requests:
            assert 1 <= len(request.pieces) <= self.pack.max_source_tokens
        self.batches.append(texts)
        self.searches.append(search)
        self.limits.extend(request.max_tokens for request in requests)
        made = [
            self.render(text, request.target, repetition_guard)
            for text, request in zip(texts, requests, strict=True)
        ]
        return [
            self._found(_begun(text, request), request, search.beam)
            for text, request in zip(made, requests, strict=True)
        ]

    def token_scores(
        self,
        requests: Sequence[Request],
        hypotheses: Sequence[Hypothesis],
        *,
        cancel: CancelToken | None = None,
    ) -> list[tuple[float, ...]]:
        return [(one.score,) * (len(one.pieces) + one.finished) for one in hypotheses]

    def alignment(
        self,
        requests: Sequence[Request],
        hypotheses: Sequence[Hypothesis],
        *,
        cancel: CancelToken | None = None,
    ) -> list[NDArray[np.float32]]:
        """Every character comes from the one at its place, the last ones from the last."""
        found = []
        for request, one in zip(requests, hypotheses, strict=True):
            size = len(request.pieces)
            looks = np.zeros((len(one.pieces), size + 2), np.float32)
            for place in range(len(one.pieces)):
                looks[place, 1 + min(place, size - 1)] = 1
            found.append(looks)
        return found

    def _found(self, text: str, request: Request, beam: int) -> list[Hypothesis]:
        """What `render` gave, then what `others` makes of it."""
        best = self._hypothesis(text, request)
        others = [
            replace(self._hypothesis(other, request), score=best.score - loss)
            for other, loss in self.others(text)
        ]
        return [best, *others, *[EMPTY] * beam][:beam]

    def _hypothesis(self, text: str, request: Request) -> Hypothesis:
        pieces = FakeTokenizer().encode(text)
        kept = pieces[: request.max_tokens - 1]
        return Hypothesis(pieces=kept, score=-0.5, finished=kept == pieces)

    @property
    def sentences(self) -> list[str]:
        return [text for batch in self.batches for text in batch]


@dataclass
class FakeDetector:
    """Chinese for Han, German for "und", no language without letters, else English.

    Among all languages, French for the word "le".
    """

    languages: tuple[str, ...] = ("en", "de", "zh", "fr")
    confidence: float = 0.9
    texts: list[str] = field(default_factory=list)

    def detect_many(
        self, texts: Sequence[str], languages: Iterable[str] | None = None, top: int = 1
    ) -> list[list[Detection]]:
        assert languages is None or set(languages) <= set(self.languages)
        for text in texts:
            text.encode()
        self.texts.extend(texts)
        return [
            [Detection(language=self._guess(text, languages), confidence=self.confidence)]
            for text in texts
        ]

    def _guess(self, text: str, languages: Iterable[str] | None) -> str:
        if " le " in text and (languages is None or "fr" in languages):
            return "fr"
        if any("\u4e00" <= char <= "\u9fff" for char in text):
            return "zh"
        if " und " in text:
            return "de"
        return "en" if any(map(str.isalpha, text)) else UNDETERMINED
