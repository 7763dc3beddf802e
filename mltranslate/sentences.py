"""Sentences through the decoder: split, batched by length, guarded, remembered."""

from __future__ import annotations

import contextlib
import copy
import functools
import re
import threading
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from mltranslate.alignment import align
from mltranslate.decode.types import END, GREEDY, Hypothesis, Prefix, Request, Search
from mltranslate.errors import InputError
from mltranslate.glossary import Term, terms_of
from mltranslate.guards import inspect
from mltranslate.limits import LEAST_BATCH_TOKENS, MAX_BATCH_TOKENS
from mltranslate.numerals import loses_number, mend_numbers
from mltranslate.renderings import Rendering, assemble, distinct, faithful
from mltranslate.text.pieces import split_long
from mltranslate.text.spans import Span
from mltranslate.types import CancelToken, Caution, TokenScore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REMEMBERED = 4096
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

    def names(self, ids: Sequence[int]) -> list[str]:
        """Text of each id by itself."""

    def written(self, ids: Sequence[int]) -> list[bytes]:
        """UTF-8 that each id writes, with the space that begins a word."""


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
    workers: int
    """How many searches may well go on at a time."""

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

    def part(self, text: str) -> Sentence:
        """Return a part of this sentence, with the terms that it holds itself."""
        terms = terms_of(self.terms, text, self.source) if self.terms else ()
        return replace(self, text=text, terms=terms)


@dataclass(frozen=True, slots=True)
class _Work:
    """A sentence in the decoder's terms."""

    sentence: Sentence
    pieces: tuple[int, ...]
    prefix: Prefix | None


def without_surrogates(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates, which no encoder takes."""
    return _SURROGATE.sub("\ufffd", text)


def clean(text: str) -> str:
    """Return `text` as the model knows it: NFC, on one line, no surrogates, no controls."""
    return _printable(text).strip()


def _printable(text: str) -> str:
    plain = _UNPRINTABLE.sub(" ", without_surrogates(text))
    return unicodedata.normalize("NFC", plain)


class SentenceTranslator:
    """Translates sentences with one decoder and remembers the latest of them.

    Calls from several threads are allowed.
    """

    def __init__(self, decoder: DecoderLike) -> None:
        self._decoder = decoder
        self._tokenizer = decoder.pack.tokenizer()
        self._limit = decoder.pack.max_source_tokens
        self._memory = Memory(REMEMBERED)

    def forgetful(self) -> SentenceTranslator:
        """Return the same translator without a memory, for what is only tried."""
        twin = copy.copy(self)
        twin._memory = Memory(0)
        return twin

    def pieces(self, sentence: Sentence) -> list[Span]:
        """The spans that the sentence is translated in; one, unless it is longer than the limit."""
        return split_long(sentence.text, self._limit, self._count)

    def size(self, sentence: Sentence) -> int:
        """Subwords of the sentence."""
        return self._count(sentence.text)

    def remembers(self, sentence: Sentence, search: Search) -> bool:
        """Whether the sentence was translated lately by the same search."""
        return (sentence, search) in self._memory

    def begin(
        self,
        sentence: Sentence,
        tokens: int,
        search: Search = GREEDY,
        *,
        cancel: CancelToken | None = None,
    ) -> str | None:
        """How the translation begins: what `search` is at after so many tokens.

        None if it has come to its end within them. Raises `Cancelled`, and `InputError` for a
        sentence that the model takes only in pieces.
        """
        stop_if_cancelled(cancel)
        work = self._work(sentence)
        plain = Search(beam=search.beam, length_penalty=search.length_penalty,
                       sampling=search.sampling)  # fmt: skip
        request = replace(_request(work), max_tokens=tokens)
        [found] = self._decoder.search([request], plain, cancel=cancel)
        # A short one that has ended ranks first, while the search would still go on.
        going = next((one for one in found if one.pieces and not one.finished), None)
        return None if going is None else self._text(work, going).rstrip("\ufffd")

    def translate(
        self,
        sentences: Sequence[Sentence],
        search: Search = GREEDY,
        *,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences`, equal ones once, all in batches of like length.

        `advance` is told after every batch how many more sentences are finished. Raises
        `Cancelled`; what was finished before is remembered.
        """
        plans: dict[Sentence, list[Span]] = {}
        for sentence in dict.fromkeys(sentences):
            stop_if_cancelled(cancel)
            plans[sentence] = self._plan(sentence, search)
        tally = _Tally(plans, Counter(sentences), advance)
        found: dict[Sentence, Rendering] = {}
        fresh: list[_Work] = []
        for piece in dict.fromkeys(piece for plan in plans.items() for piece in _pieces(*plan)):
            known = self._memory.get((piece, search))
            if known is None:
                fresh.append(self._work(piece))
            else:
                found[piece] = known
        tally.finish(found)
        batches = self._cut(fresh, search.beam)
        with contextlib.closing(self._rendered(batches, search, cancel)) as made:
            for rendered in made:
                found.update(rendered)
                tally.finish(rendered)
        rendered = {
            whole: _whole(whole, spans, [found[piece] for piece in _pieces(whole, spans)], search)
            for whole, spans in plans.items()
        }
        return [rendered[sentence] for sentence in sentences]

    def _cut(self, work: Sequence[_Work], beam: int) -> list[list[_Work]]:
        """Cut into batches, as small as they can be if there is one for each worker at most."""
        most = MAX_BATCH_TOKENS[self._decoder.device] // beam
        if self._decoder.workers == 1:
            return list(_batches(work, most))
        tokens = sum(len(one.pieces) + _FRAME_TOKENS for one in work)
        budget = max(LEAST_BATCH_TOKENS, tokens // self._decoder.workers)
        while budget < most and len(list(_batches(work, budget))) > self._decoder.workers:
            budget += 1 + budget // 16  # padding takes more than the tokens do
        return list(_batches(work, min(budget, most)))

    def _rendered(
        self, batches: Sequence[Sequence[_Work]], search: Search, cancel: CancelToken | None
    ) -> Generator[dict[Sentence, Rendering]]:
        """Yield the renderings of each batch in order; as many as there are workers at a time."""
        render = functools.partial(self._render, search=search, cancel=cancel)
        if min(len(batches), self._decoder.workers) < 2:
            yield from map(render, batches)
            return
        pool = ThreadPoolExecutor(self._decoder.workers, "mltranslate-batch")
        try:
            made = pool.map(render, batches)
        except RuntimeError:  # the interpreter is ending, and starts no thread any more
            made = map(render, batches)
        try:
            yield from made
        finally:
            pool.shutdown(cancel_futures=True)

    def _plan(self, sentence: Sentence, search: Search) -> list[Span]:
        """The pieces that the model can take."""
        if (sentence, search) in self._memory:
            return [Span(sentence.text, translatable=True)]
        spans = self.pieces(sentence)
        if sentence.prefix and len(_pieces(sentence, spans)) > 1:
            raise InputError(
                "a sentence is too long to be completed",
                why=f"it has {self._count(sentence.text)} subwords, the model takes {self._limit}",
                fix="Split it first",
            )
        return spans

    def _work(self, sentence: Sentence) -> _Work:
        pieces = self._tokenizer.encode(clean(sentence.prefix))
        prefix = Prefix(pieces=pieces, ends_word=sentence.prefix[-1:].isspace())
        source = self._tokenizer.encode(clean(sentence.text))
        return _Work(sentence, source, prefix if pieces else None)

    def _count(self, text: str) -> int:
        return len(self._tokenizer.encode(clean(text)))

    def _render(
        self, batch: Sequence[_Work], search: Search, cancel: CancelToken | None
    ) -> dict[Sentence, Rendering]:
        """Decode a batch; once more, with the repetition guard, what looks wrong."""
        rendered = self._decode(batch, search, cancel, guard=False)
        doubtful = [work for work in batch if rendered[work.sentence].cautions]
        if doubtful:
            again = self._decode(doubtful, search, cancel, guard=True)
            for sentence, second in again.items():
                rendered[sentence] = min(rendered[sentence], second, key=_badness)
        final = {sentence: _or_source(found, sentence) for sentence, found in rendered.items()}
        for sentence, rendering in final.items():
            self._memory.put((sentence, search), rendering)
        return final

    def _decode(
        self, batch: Sequence[_Work], search: Search, cancel: CancelToken | None, *, guard: bool
    ) -> dict[Sentence, Rendering]:
        stop_if_cancelled(cancel)
        requests = [_request(work) for work in batch]
        found = self._decoder.search(requests, search, cancel=cancel, repetition_guard=guard)
        rendered = [
            self._rank(work, hypotheses, search.alternatives)
            for work, hypotheses in zip(batch, found, strict=True)
        ]
        if search.token_scores:
            best = [hypotheses[0] for hypotheses in found]
            scores = self._decoder.token_scores(requests, best, cancel=cancel)
            rendered = list(map(self._scored, rendered, best, scores))
        if search.alignment:
            best = [hypotheses[0] for hypotheses in found]
            looks = self._decoder.alignment(requests, best, cancel=cancel)
            rendered = list(map(self._aligned, rendered, batch, best, looks))
        return {work.sentence: one for work, one in zip(batch, rendered, strict=True)}

    def _scored(
        self, rendering: Rendering, hypothesis: Hypothesis, scores: Sequence[float]
    ) -> Rendering:
        names = self._tokenizer.names((*hypothesis.pieces, END))
        found = zip(names, scores, strict=False)  # without end mark where it was cut
        tokens = (TokenScore(token=name, log_probability=score) for name, score in found)
        return replace(rendering, token_scores=tuple(tokens))

    def _aligned(
        self, rendering: Rendering, work: _Work, hypothesis: Hypothesis, looks: NDArray[np.float32]
    ) -> Rendering:
        written = self._tokenizer.written
        found = align(written(work.pieces), written(hypothesis.pieces), looks.tolist())
        return replace(rendering, alignment=found)

    def _rank(self, work: _Work, hypotheses: Sequence[Hypothesis], count: int) -> Rendering:
        """The best hypothesis; with a `count` over 1, sound others in addition."""
        best = self._judge(work, hypotheses[0])
        if count == 1:
            return best
        others = [self._judge(work, other) for other in hypotheses[1:]]
        sound = [other for other in others if not other.cautions]
        return replace(best, alternatives=tuple(distinct(best, sound))[: count - 1])

    def _judge(self, work: _Work, hypothesis: Hypothesis) -> Rendering:
        text = self._text(work, hypothesis)
        cautions = inspect(work.pieces, hypothesis.pieces, finished=hypothesis.finished)
        tokens = len(hypothesis.pieces) + hypothesis.finished
        return Rendering(
            text=text,
            log_probability=hypothesis.score * tokens,
            tokens=tokens,
            cautions=cautions if text else cautions | {Caution.LENGTH},
        )

    def _text(self, work: _Work, hypothesis: Hypothesis) -> str:
        """What a hypothesis says; the beginning that was given is kept character by character."""
        text = self._tokenizer.decode(hypothesis.pieces)
        given = work.sentence.prefix
        if not work.prefix:
            return given + clean(text)
        spelt = self._tokenizer.decode(work.prefix.pieces)
        # A search that was cut at its limit may not have come to the end of the beginning.
        tail = text[len(spelt) :] if text.startswith(spelt) else ""
        tail = _printable(tail).rstrip()
        return given + (tail.lstrip() if work.prefix.ends_word else tail)


def stop_if_cancelled(cancel: CancelToken | None) -> None:
    """Raise `Cancelled` where there is a token, and it was set."""
    if cancel is not None:
        cancel.raise_if_cancelled()


def _request(work: _Work) -> Request:
    """A translation longer than twice its source is a loop; very short ones need some room."""
    given = len(work.prefix.pieces) if work.prefix else 0
    return Request(
        pieces=work.pieces, source=work.sentence.source, target=work.sentence.target,
        max_tokens=2 * len(work.pieces) + 16 + given, prefix=work.prefix,
    )  # fmt: skip


def _badness(rendering: Rendering) -> tuple[bool, int, float]:
    """Sorts renderings, the better one first: any text, few alarms, then a high mean score."""
    return not rendering.text, len(rendering.cautions), -rendering.score


def _or_source(rendering: Rendering, sentence: Sentence) -> Rendering:
    """Text is never lost: where the decoder gives nothing, the source stands, with its caution."""
    if rendering.text:
        return rendering
    return replace(rendering, text=sentence.text)


def _whole(
    sentence: Sentence, spans: Sequence[Span], parts: Sequence[Rendering], search: Search
) -> Rendering:
    """Join the pieces of a sentence, and see to its numbers."""
    return numbered(assemble(spans, parts, sentence.target, search.alternatives), sentence)


def numbered(rendering: Rendering, sentence: Sentence) -> Rendering:
    """Return the rendering with the numbers of its source, or with a caution where one is lost."""
    text, cautions = rendering.text, rendering.cautions
    loses = loses_number(sentence.text, text)
    if loses and not sentence.prefix:  # of which not a character may change
        text = mend_numbers(sentence.text, text)
    if text != rendering.text:
        cautions |= {Caution.PLACED}
        loses = loses_number(sentence.text, text)
    if loses:
        cautions |= {Caution.NUMBERS}
    if (text, cautions) != (rendering.text, rendering.cautions):
        rendering = replace(rendering, text=text, cautions=cautions)
    if not rendering.alternatives:
        return rendering
    others = [numbered(other, sentence) for other in rendering.alternatives]
    return replace(rendering, alternatives=tuple(distinct(rendering, faithful(rendering, others))))


def _pieces(sentence: Sentence, spans: Sequence[Span]) -> list[Sentence]:
    return [replace(sentence, text=span.text) for span in spans if span.translatable]


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


_Key = tuple[Sentence, Search]


class Memory:
    """The latest renderings; the one unused for longest is forgotten first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, Rendering] = OrderedDict()

    def __contains__(self, key: _Key) -> bool:
        return key in self._kept

    def get(self, key: _Key) -> Rendering | None:
        """Return what was put there, if it is still known."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: _Key, rendering: Rendering) -> None:
        """Keep a rendering, the latest of all."""
        with self._lock:
            self._kept[key] = rendering
            self._kept.move_to_end(key)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
