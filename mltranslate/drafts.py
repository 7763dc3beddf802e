"""Tells how a translation begins while the rest of it is still being made.

A search graph decodes a sentence in one call. A look at its beginning is therefore a search of its
own, cut after some subwords, and a sentence that is followed takes about 1.7 times as long: only
those are that would keep their reader waiting.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mltranslate.decode.types import Search
from mltranslate.languages import is_spaced
from mltranslate.protection import ProtectingTranslator
from mltranslate.renderings import Rendering
from mltranslate.scripts import as_known
from mltranslate.sentences.translator import SentenceTranslator
from mltranslate.sentences.work import Sentence
from mltranslate.text.chinese import as_written
from mltranslate.text.protected import Masked, mask
from mltranslate.types import CancelToken, stop_if_cancelled

FIRST_LOOK = 4
"""Subwords of the first look at a sentence; each further one goes twice as far."""
LAST_LOOK = 0.6
"""Share of its expected length beyond which a sentence is not looked at: it is nearly done."""
WAIT = 0.3
"""Seconds: a sentence that is expected to take less is not looked at."""
GROUP = 1.0
"""Seconds that sentences may be expected to take which are decoded, and told of, together."""
TELL_EVERY = 0.1
"""Seconds between two calls that tell of sentences that are done."""

TextsCallback = Callable[[Sequence[str]], None]


@dataclass(slots=True)
class _Pace:
    """Seconds a subword of the source, as last measured; endless before."""

    alone: float = math.inf
    """Of a sentence by itself."""
    together: float = math.inf
    """Of several in a batch, which share its steps, so that it is the lesser one."""

    def measured(self, seconds: float, *, together: bool) -> None:
        """Take in what a subword took; what the other contradicts is out of date."""
        if together:
            self.together, self.alone = seconds, max(self.alone, seconds)
        else:
            self.together, self.alone = min(self.together, seconds), seconds


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A sentence that is to be translated."""

    sentence: Sentence
    masked: Masked | None
    asked: Sentence
    """As the model gets it, but for what a glossary asks for."""
    size: int
    """Its subwords; 0 if it is remembered or looked up."""


class Drafter:
    """Translates sentences like `ProtectingTranslator`, and tells how far it has come."""

    def __init__(
        self,
        plain: SentenceTranslator,
        whole: ProtectingTranslator,
        settled: Callable[[Sentence, Search], bool] = lambda *_: False,
        begun: Callable[[Sentence], Sentence] = lambda one: one,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Look through `plain`, which belongs to `whole`, by which sentences are translated.

        Those that are `settled` take no time: they are known without the model, which gets the
        others as they are `begun`.
        """
        self._plain = plain
        self._whole = whole
        self._settled = settled
        self._begun = begun
        self._clock = clock
        self._paces: dict[int, _Pace] = {}
        """By the width of the beam."""

    def translate(
        self,
        sentences: Sequence[Sentence],
        search: Search,
        tell: TextsCallback,
        *,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences` in their order; see `ProtectingTranslator.translate`.

        `tell` gets the translations that are done, and behind them at times the beginning of the
        next one; `advance` is called after it. A beginning may change again, and lacks what is put
        back into whole sentences: emoji, markup, the terms of a glossary.
        """
        pace = self._paces.setdefault(search.beam, _Pace())
        found: list[Rendering] = []
        told = -math.inf
        for group in self._groups(sentences, search, pace, cancel):
            done = [one.text for one in found]
            if done and self._clock() - told >= TELL_EVERY:
                tell(done)
                told = self._clock()
            for beginning in self._looks(group, search, pace, cancel):
                tell([*done, beginning])
            found += self._timed(group, search, pace, cancel)
            advance(len(group))
        return found

    def _groups(
        self,
        sentences: Sequence[Sentence],
        search: Search,
        pace: _Pace,
        cancel: CancelToken | None,
    ) -> Iterator[list[_Waiting]]:
        """Cut `sentences` into groups of `GROUP`; each is looked up when those before are done."""
        group: list[_Waiting] = []
        size = 0
        for sentence in sentences:
            stop_if_cancelled(cancel)
            one = self._waiting(sentence, search, group)
            begun = bool(sentence.prefix) or bool(group and group[-1].sentence.prefix)
            if group and (begun or _is_long(size, one.size, pace)):
                yield group
                group, size = [], 0
                one = self._waiting(sentence, search, group)
            group.append(one)
            size += one.size
        if group:
            yield group

    def _waiting(self, sentence: Sentence, search: Search, before: Sequence[_Waiting]) -> _Waiting:
        masked = None
        if not sentence.prefix:
            masked = mask(sentence.text, language=sentence.source, knows=self._plain.knows)
        text = masked.text if masked else sentence.text
        asked = self._begun(as_known(replace(sentence, text=text, terms=(), abbreviations=())))
        known = (
            self._plain.remembers(asked, search)
            or self._settled(replace(asked, terms=as_known(sentence).terms), search)
            or any(one.asked == asked for one in before)
        )
        return _Waiting(sentence, masked, asked, 0 if known else self._plain.size(asked))

    def _looks(
        self, group: Sequence[_Waiting], search: Search, pace: _Pace, cancel: CancelToken | None
    ) -> Iterator[str]:
        """Yield how the translation of a group of one begins, as long as it is worth while."""
        one, *others = group
        # How a completion begins its reader knows.
        if others or not one.size or one.asked.prefix or len(self._plain.pieces(one.asked)) > 1:
            return
        tokens = FIRST_LOOK
        while tokens <= LAST_LOOK * one.size and pace.alone * one.size > WAIT:
            started = self._clock()
            found = self._plain.begin(one.asked, tokens, search, cancel=cancel)
            if found is None:  # it has ended
                return
            pace.measured((self._clock() - started) / tokens, together=False)
            target = one.sentence.target
            if is_spaced(target):  # the last word may go on
                found = found.rpartition(" ")[0]
            found = as_written(found, one.sentence.variety)
            if found := one.masked.beginning(found, target) if one.masked else found:
                yield found
            tokens *= 2

    def _timed(
        self, group: Sequence[_Waiting], search: Search, pace: _Pace, cancel: CancelToken | None
    ) -> list[Rendering]:
        """Translate a group, and measure how fast that goes."""
        started = self._clock()
        found = self._whole.translate([one.sentence for one in group], search, cancel=cancel)
        fresh = [one.size for one in group if one.size]
        if fresh:
            seconds = (self._clock() - started) / sum(fresh)
            pace.measured(seconds, together=len(fresh) > 1)
        return found


def _is_long(size: int, more: int, pace: _Pace) -> bool:
    """Whether a group of so many subwords is to be translated before so many others."""
    if not size or not more:
        return False
    rate = pace.together if math.isfinite(pace.together) else pace.alone
    return (size + more) * rate > GROUP
