"""Sentences through the decoder: split, batched by length, guarded, remembered."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from mltranslate.decode.types import Hypothesis, Request
from mltranslate.guards import inspect, loses_number
from mltranslate.limits import MAX_BATCH_TOKENS
from mltranslate.text.pieces import split_long
from mltranslate.text.spans import Span, join
from mltranslate.types import CancelToken, Caution

_REMEMBERED = 4096
"""Sentences kept in memory, so that typing on translates only the sentence that changed."""
_FRAME_TOKENS = 2
"""Tag and end mark, which the decoder adds to every sentence."""
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class TokenizerLike(Protocol):
    """Text to subword ids and back (`mltranslate.packs.tokenizer.Tokenizer`)."""

    def encode(self, text: str) -> tuple[int, ...]:
        """Split a sentence into subword ids."""

    def decode(self, ids: Sequence[int]) -> str:
        """Join subword ids to text."""


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


class DecoderLike(Protocol):
    """What translation needs of a decoder (`mltranslate.decode.decoder.Decoder`)."""

    @property
    def pack(self) -> PackLike:
        """The pack that it decodes with."""

    device: str
    provider: str
    precision: str

    def prepare(self, beam: int) -> None:
        """Load what this beam needs."""

    def decode(
        self,
        requests: Sequence[Request],
        *,
        beam: int = 1,
        cancel: CancelToken | None = None,
        repetition_guard: bool = False,
    ) -> list[Hypothesis]:
        """Decode one batch; the best hypothesis of every request, in order."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a piece of one, and the language it goes into."""

    text: str
    target: str
    source: str = ""
    """Language that it is in; only packs whose sources start with its tag need it."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A finished sentence."""

    text: str
    log_probability: float
    """Natural log-probability of all its tokens together."""
    tokens: int
    """Tokens decoded, end marks included."""
    cautions: frozenset[Caution] = frozenset()


@dataclass(frozen=True, slots=True)
class _Work:
    """A sentence in the decoder's terms."""

    sentence: Sentence
    pieces: tuple[int, ...]


def without_surrogates(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates, which no encoder takes."""
    return _SURROGATE.sub("\ufffd", text)


def clean(text: str) -> str:
    """Return `text` as the model knows it: NFC, on one line, no surrogates, no controls."""
    plain = _UNPRINTABLE.sub(" ", without_surrogates(text))
    return unicodedata.normalize("NFC", plain).strip()


class SentenceTranslator:
    """Translates sentences with one decoder and remembers the latest of them.

    Calls from several threads are allowed.
    """

    def __init__(self, decoder: DecoderLike) -> None:
        self._decoder = decoder
        self._tokenizer = decoder.pack.tokenizer()
        self._limit = decoder.pack.max_source_tokens
        self._memory = _Memory(_REMEMBERED)

    def translate(
        self,
        sentences: Sequence[Sentence],
        *,
        beam: int = 1,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences`, equal ones once, all in batches of like length.

        `advance` is told after every batch how many more sentences are finished. Raises
        `Cancelled`; what was finished before is remembered.
        """
        plans: dict[Sentence, list[Span]] = {}
        for sentence in dict.fromkeys(sentences):
            _stop_if_cancelled(cancel)
            plans[sentence] = self._plan(sentence, beam)
        tally = _Tally(plans, Counter(sentences), advance)
        found: dict[Sentence, Rendering] = {}
        fresh: list[_Work] = []
        for piece in dict.fromkeys(piece for plan in plans.items() for piece in _pieces(*plan)):
            known = self._memory.get((piece, beam))
            if known is None:
                fresh.append(_Work(piece, self._tokenizer.encode(clean(piece.text))))
            else:
                found[piece] = known
        tally.finish(found)
        for batch in _batches(fresh, MAX_BATCH_TOKENS[self._decoder.device] // beam):
            rendered = self._render(batch, beam, cancel)
            found.update(rendered)
            tally.finish(rendered)
        rendered = {
            whole: _counted(
                whole,
                assemble(spans, [found[piece] for piece in _pieces(whole, spans)], whole.target),
            )
            for whole, spans in plans.items()
        }
        return [rendered[sentence] for sentence in sentences]

    def _plan(self, sentence: Sentence, beam: int) -> list[Span]:
        """The pieces that the model can take."""
        if (sentence, beam) in self._memory:
            return [Span(sentence.text, translatable=True)]
        return split_long(sentence.text, self._limit, self._count)

    def _count(self, text: str) -> int:
        return len(self._tokenizer.encode(clean(text)))

    def _render(
        self, batch: Sequence[_Work], beam: int, cancel: CancelToken | None
    ) -> dict[Sentence, Rendering]:
        """Decode a batch; once more, with the repetition guard, what looks wrong."""
        rendered = self._decode(batch, beam, cancel, guard=False)
        doubtful = [work for work in batch if rendered[work.sentence].cautions]
        if doubtful:
            again = self._decode(doubtful, beam, cancel, guard=True)
            for sentence, second in again.items():
                rendered[sentence] = min(rendered[sentence], second, key=_badness)
        final = {sentence: _or_source(found, sentence) for sentence, found in rendered.items()}
        for sentence, rendering in final.items():
            self._memory.put((sentence, beam), rendering)
        return final

    def _decode(
        self, batch: Sequence[_Work], beam: int, cancel: CancelToken | None, *, guard: bool
    ) -> dict[Sentence, Rendering]:
        _stop_if_cancelled(cancel)
        hypotheses = self._decoder.decode(
            [_request(work) for work in batch], beam=beam, cancel=cancel, repetition_guard=guard
        )
        return {
            work.sentence: self._judge(work, hypothesis)
            for work, hypothesis in zip(batch, hypotheses, strict=True)
        }

    def _judge(self, work: _Work, hypothesis: Hypothesis) -> Rendering:
        text = clean(self._tokenizer.decode(hypothesis.pieces))
        cautions = inspect(work.pieces, hypothesis.pieces, finished=hypothesis.finished)
        tokens = len(hypothesis.pieces) + hypothesis.finished
        return Rendering(
            text=text,
            log_probability=hypothesis.score * tokens,
            tokens=tokens,
            cautions=cautions if text else cautions | {Caution.LENGTH},
        )


def _stop_if_cancelled(cancel: CancelToken | None) -> None:
    if cancel is not None:
        cancel.raise_if_cancelled()


def _request(work: _Work) -> Request:
    """A translation longer than twice its source is a loop; very short ones need some room."""
    return Request(
        pieces=work.pieces, source=work.sentence.source, target=work.sentence.target,
        max_tokens=2 * len(work.pieces) + 16,
    )  # fmt: skip


def _badness(rendering: Rendering) -> tuple[bool, int, float]:
    """Sorts renderings, the better one first: any text, few alarms, then a high mean score."""
    mean = rendering.log_probability / max(1, rendering.tokens)
    return not rendering.text, len(rendering.cautions), -mean


def _or_source(rendering: Rendering, sentence: Sentence) -> Rendering:
    """Text is never lost: where the decoder gives nothing, the source stands, with its caution."""
    if rendering.text:
        return rendering
    return Rendering(sentence.text, rendering.log_probability, rendering.tokens, rendering.cautions)


def _counted(sentence: Sentence, rendering: Rendering) -> Rendering:
    if not loses_number(sentence.text, rendering.text):
        return rendering
    return replace(rendering, cautions=rendering.cautions | {Caution.NUMBERS})


def _pieces(sentence: Sentence, spans: Sequence[Span]) -> list[Sentence]:
    return [replace(sentence, text=span.text) for span in spans if span.translatable]


def assemble(spans: Sequence[Span], parts: Sequence[Rendering], target: str) -> Rendering:
    """Join the renderings of the translatable spans of one sentence to one rendering."""
    if len(spans) == 1 and len(parts) == 1:
        return parts[0]
    cautions = frozenset[Caution]().union(*(part.cautions for part in parts))
    return Rendering(
        text=join(spans, [part.text for part in parts], target),
        log_probability=sum(part.log_probability for part in parts),
        tokens=sum(part.tokens for part in parts),
        cautions=cautions | {Caution.SPLIT} if len(parts) > 1 else cautions,
    )


def _batches(work: Sequence[_Work], budget: int) -> Iterator[list[_Work]]:
    """Sort by length and cut so that a batch, padding included, stays within `budget` tokens."""
    batch: list[_Work] = []
    for item in sorted(work, key=lambda one: len(one.pieces)):
        width = len(item.pieces) + _FRAME_TOKENS
        if batch and width * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


class _Tally:
    """Counts sentences as finished when the last of their pieces is."""

    def __init__(
        self,
        plans: dict[Sentence, list[Span]],
        copies: Counter[Sentence],
        advance: Callable[[int], None],
    ) -> None:
        self._missing = {one: set(_pieces(one, spans)) for one, spans in plans.items()}
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


_Key = tuple[Sentence, int]


class _Memory:
    """The latest renderings; the one unused for longest is forgotten first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, Rendering] = OrderedDict()

    def __contains__(self, key: _Key) -> bool:
        return key in self._kept

    def get(self, key: _Key) -> Rendering | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: _Key, rendering: Rendering) -> None:
        with self._lock:
            self._kept[key] = rendering
            self._kept.move_to_end(key)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
