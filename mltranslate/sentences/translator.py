"""Sentences through the decoder: split, batched by length, guarded, remembered."""

from __future__ import annotations

import contextlib
import copy
import functools
import math
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from mltranslate.alignment import align
from mltranslate.decode.types import END, GREEDY, Hypothesis, Prefix, Search
from mltranslate.errors import InputError
from mltranslate.guards import inspect
from mltranslate.limits import MAX_BATCH_TOKENS
from mltranslate.numerals import loses_number, mend_dates, mend_numbers
from mltranslate.renderings import Rendering, assemble, distinct, faithful
from mltranslate.sentences.memory import REMEMBERED, Memory
from mltranslate.sentences.parts import DecoderLike
from mltranslate.sentences.work import Sentence, Tally, Work, cut_batches, pieces_of, request_of
from mltranslate.separators import with_separators
from mltranslate.text.cleaning import clean, printable, readable
from mltranslate.text.foreign import is_index
from mltranslate.text.pieces import split_long
from mltranslate.text.spans import Span
from mltranslate.types import CancelToken, Caution, TokenScore, stop_if_cancelled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BROKEN = "\ufffd"
"""What bytes that make no character are decoded to."""


class SentenceTranslator:
    """Translates sentences with one decoder and remembers the latest of them.

    Calls from several threads are allowed.
    """

    def __init__(self, decoder: DecoderLike) -> None:
        self._decoder = decoder
        self._tokenizer = decoder.pack.tokenizer()
        self._limit = decoder.pack.max_source_tokens
        self._memory = Memory(REMEMBERED)
        self._known: dict[str, bool] = {}

    def forgetful(self) -> SentenceTranslator:
        """Return the same translator without a memory, for what is only tried."""
        twin = copy.copy(self)
        twin._memory = Memory(0)
        return twin

    def pieces(self, sentence: Sentence) -> list[Span]:
        """The spans that the sentence is translated in; one, unless it is longer than the limit.

        One that is begun stays whole: what is no language by itself may have to be completed too.
        """
        if sentence.prefix:
            return [Span(sentence.text, translatable=True)]
        return split_long(sentence.text, self._limit, self._count)

    def subwords(self, text: str) -> tuple[int, ...]:
        """The subwords of a text in the model's terms."""
        return self._tokenizer.encode(text)

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
        request = replace(request_of(work), max_tokens=tokens)
        [found] = self._decoder.search([request], plain, cancel=cancel)
        # A short one that has ended ranks first, while the search would still go on.
        going = next((one for one in found if one.pieces and not one.finished), None)
        return None if going is None else self._text(work, going).rstrip(_BROKEN)

    def written(self, text: str) -> Rendering:
        """A rendering that the model did not find; `detailed` says what it makes of it."""
        pieces = self._tokenizer.encode(readable(text))
        hypothesis = Hypothesis(pieces=pieces, score=0.0, finished=True)
        return Rendering(text=text, log_probability=0.0, tokens=0, hypothesis=hypothesis)

    def detailed(
        self,
        rendering: Rendering,
        sentence: Sentence,
        search: Search,
        *,
        cancel: CancelToken | None = None,
    ) -> Rendering:
        """The rendering of a sentence, with the scores and the links that `search` asks for.

        `sentence` is as it was searched for, its prefix too: by it the model may say more words.
        """
        if rendering.hypothesis is None:
            return rendering
        batch, best = [self._work(sentence)], [rendering.hypothesis]
        return self._detailed([rendering], batch, best, search, cancel)[0]

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
        tally = Tally(plans, Counter(sentences), advance)
        found: dict[Sentence, Rendering] = {}
        fresh: list[Work] = []
        for piece in dict.fromkeys(piece for plan in plans.items() for piece in pieces_of(*plan)):
            known = self._memory.get((piece, search))
            if known is None:
                fresh.append(self._work(piece))
            else:
                found[piece] = known
        tally.finish(found)
        most = MAX_BATCH_TOKENS[self._decoder.device] // search.beam
        batches = cut_batches(fresh, most, self._decoder.workers)
        with contextlib.closing(self._rendered(batches, search, cancel)) as made:
            for rendered in made:
                found.update(rendered)
                tally.finish(rendered)
        rendered = {
            whole: _whole(whole, spans, [found[piece] for piece in pieces_of(whole, spans)], search)
            for whole, spans in plans.items()
        }
        return [rendered[sentence] for sentence in sentences]

    def _rendered(
        self, batches: Sequence[Sequence[Work]], search: Search, cancel: CancelToken | None
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
        if sentence.prefix and (size := self.size(sentence)) > self._limit:
            raise InputError(
                "a sentence is too long to be completed",
                why=f"it has {size} subwords, the model takes {self._limit}",
                fix="Split it first",
            )
        return self.pieces(sentence)

    def _work(self, sentence: Sentence) -> Work:
        pieces = self._tokenizer.encode(readable(sentence.prefix))
        prefix = Prefix(pieces=pieces, ends_word=sentence.prefix[-1:].isspace())
        source = self._tokenizer.encode(readable(sentence.text))
        return Work(sentence, source, prefix if pieces else None)

    def _count(self, text: str) -> int:
        return len(self._tokenizer.encode(readable(text)))

    def knows(self, char: str) -> bool:
        """Whether the model can write a character: not if it has to spell it in bytes."""
        known = self._known.get(char)
        if known is None:
            read = readable(char)
            written = self._tokenizer.written(self._tokenizer.encode(read))
            known = not is_index(char) and (not read or _are_whole(written))
            self._known[char] = known
        return known

    def _render(
        self, batch: Sequence[Work], search: Search, cancel: CancelToken | None
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
        self, batch: Sequence[Work], search: Search, cancel: CancelToken | None, *, guard: bool
    ) -> dict[Sentence, Rendering]:
        stop_if_cancelled(cancel)
        requests = [request_of(work) for work in batch]
        searched = self._decoder.search(requests, search, cancel=cancel, repetition_guard=guard)
        found = list(map(self._whole_first, batch, searched))
        rendered = [
            self._rank(work, hypotheses, search)
            for work, hypotheses in zip(batch, found, strict=True)
        ]
        best = [hypotheses[0] for hypotheses in found]
        rendered = self._detailed(rendered, batch, best, search, cancel)
        return {work.sentence: one for work, one in zip(batch, rendered, strict=True)}

    def _detailed(
        self,
        rendered: list[Rendering],
        batch: Sequence[Work],
        hypotheses: Sequence[Hypothesis],
        search: Search,
        cancel: CancelToken | None,
    ) -> list[Rendering]:
        """The renderings of `hypotheses` with the scores and the links that are asked for."""
        requests = [request_of(work) for work in batch]
        if search.token_scores:
            scores = self._decoder.token_scores(requests, hypotheses, cancel=cancel)
            rendered = list(map(self._scored, rendered, hypotheses, scores))
        if search.alignment:
            looks = self._decoder.alignment(requests, hypotheses, cancel=cancel)
            rendered = list(map(self._aligned, rendered, batch, hypotheses, looks))
            rendered = [
                replace(one, alternatives=self._all_aligned(one.alternatives, work, cancel))
                for one, work in zip(rendered, batch, strict=True)
            ]
        return rendered

    def _all_aligned(
        self, alternatives: Sequence[Rendering], work: Work, cancel: CancelToken | None
    ) -> tuple[Rendering, ...]:
        found = [one.hypothesis for one in alternatives if one.hypothesis]
        if len(found) < len(alternatives) or not found:
            return tuple(alternatives)
        requests = [request_of(work)] * len(found)
        looks = self._decoder.alignment(requests, found, cancel=cancel)
        return tuple(map(self._aligned, alternatives, [work] * len(found), found, looks))

    def _scored(
        self, rendering: Rendering, hypothesis: Hypothesis, scores: Sequence[float]
    ) -> Rendering:
        names = self._tokenizer.names((*hypothesis.pieces, END))
        found = zip(names, scores, strict=False)  # without end mark where it was cut
        tokens = (TokenScore(token=name, log_probability=score) for name, score in found)
        return replace(rendering, token_scores=tuple(tokens))

    def _aligned(
        self, rendering: Rendering, work: Work, hypothesis: Hypothesis, looks: NDArray[np.float32]
    ) -> Rendering:
        written = self._tokenizer.written
        found = align(written(work.pieces), written(hypothesis.pieces), looks.tolist())
        return replace(rendering, alignment=found)

    def _rank(self, work: Work, hypotheses: Sequence[Hypothesis], search: Search) -> Rendering:
        """The best hypothesis; with `search.alternatives` over 1, sound others in addition."""
        best = self._judge(work, hypotheses[0])
        if search.alternatives == 1:
            return best
        others = [self._judge(work, other) for other in hypotheses[1:]]
        sound = [
            replace(other, loss=max(0.0, _worth(best, search) - _worth(other, search)))
            for other in others
            if not other.cautions
        ]
        return replace(best, alternatives=tuple(distinct(best, sound))[: search.alternatives - 1])

    def _whole_first(self, work: Work, hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        """Hypotheses, the best one that is well spelt before those that are not."""
        if not self._is_broken(work, hypotheses[0]):
            return hypotheses
        sound = (
            at
            for at, one in enumerate(hypotheses)
            if one.pieces and one.finished and not self._is_broken(work, one)
        )
        at = next(sound, 0)
        return [hypotheses[at], *hypotheses[:at], *hypotheses[at + 1 :]]

    def _is_broken(self, work: Work, hypothesis: Hypothesis) -> bool:
        """Whether it has bytes that make no character, and its source has no such thing."""
        if _BROKEN not in self._tokenizer.decode(hypothesis.pieces):
            return False
        return _BROKEN not in clean(work.sentence.text + work.sentence.prefix)

    def _judge(self, work: Work, hypothesis: Hypothesis) -> Rendering:
        text = self._text(work, hypothesis)
        cautions = inspect(work.pieces, hypothesis.pieces, finished=hypothesis.finished)
        if self._is_broken(work, hypothesis):
            cautions |= {Caution.CHARACTERS}
        tokens = len(hypothesis.pieces) + hypothesis.finished
        return Rendering(
            text=text,
            log_probability=hypothesis.score * tokens,
            tokens=tokens,
            cautions=cautions if text else cautions | {Caution.LENGTH},
            hypothesis=hypothesis,
        )

    def _text(self, work: Work, hypothesis: Hypothesis) -> str:
        """What a hypothesis says; the beginning that was given is kept character by character."""
        text = self._tokenizer.decode(hypothesis.pieces)
        if self._is_broken(work, hypothesis):
            text = text.replace(_BROKEN, "")
        given = work.sentence.prefix
        if not work.prefix:
            return given + clean(text)
        spelt = self._tokenizer.decode(work.prefix.pieces)
        # A search that was cut at its limit may not have come to the end of the beginning.
        tail = text[len(spelt) :] if text.startswith(spelt) else ""
        tail = printable(tail).rstrip()
        return given + (tail.lstrip() if work.prefix.ends_word else tail)


def _are_whole(written: Sequence[bytes]) -> bool:
    """Whether subwords write something, and each of them whole characters."""
    try:
        return any(piece.decode().strip() for piece in written)
    except UnicodeDecodeError:
        return False


def _worth(rendering: Rendering, search: Search) -> float:
    """What beam search ranks by."""
    length = float(max(1, rendering.tokens))
    return rendering.log_probability / math.pow(length, search.length_penalty)


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
    if not sentence.prefix:  # of which not a character may change
        text = with_separators(text, sentence.text, sentence.source, sentence.target)
    loses = loses_number(sentence.text, text)
    if not sentence.prefix:
        mended = mend_dates(sentence.text, text)
        mended = mend_numbers(sentence.text, mended) if loses else mended
        if mended != text:
            cautions |= {Caution.PLACED}
            text, loses = mended, loses_number(sentence.text, mended)
    if loses:
        cautions |= {Caution.NUMBERS}
    if (text, cautions) != (rendering.text, rendering.cautions):
        rendering = replace(rendering, text=text, cautions=cautions)
    if not rendering.alternatives:
        return rendering
    others = [numbered(other, sentence) for other in rendering.alternatives]
    return replace(rendering, alternatives=tuple(distinct(rendering, faithful(rendering, others))))
