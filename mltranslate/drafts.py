"""Tells how a translation begins while the rest of it is still being made.

A search graph decodes a sentence in one call. A look at its beginning is therefore a search of its
own, cut after some subwords, and a sentence that is followed takes up to 1.7 times as long: only
those are that would keep their reader waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from mltranslate.decode.types import Search
from mltranslate.languages import is_spaced
from mltranslate.protection import ProtectingTranslator
from mltranslate.renderings import Rendering
from mltranslate.sentences import Sentence, SentenceTranslator
from mltranslate.text.protected import mask
from mltranslate.types import CancelToken

FIRST_LOOK = 4
"""Subwords of the first look at a sentence; each further one goes twice as far."""
LAST_LOOK = 0.6
"""Share of its expected length beyond which a sentence is not looked at: it is nearly done."""
WAIT = 0.3
"""Seconds: a sentence that is expected to take less is not looked at."""
GROUP = 1.0
"""Seconds that sentences may be expected to take which are decoded, and told of, together."""

TextsCallback = Callable[[Sequence[str]], None]


class Drafter:
    """Translates sentences like `ProtectingTranslator`, and tells how far it has come."""

    def __init__(
        self,
        plain: SentenceTranslator,
        whole: ProtectingTranslator,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Look through `plain`, which belongs to `whole`, by which sentences are translated."""
        self._plain = plain
        self._whole = whole
        self._clock = clock
        self._pace: float | None = None
        """Seconds a subword, as far as is known."""

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
        next one. A beginning may change again, and lacks what is put back into whole sentences:
        emoji, markup, the terms of a glossary.
        """
        found: list[Rendering] = []
        for group in self._groups(sentences):
            done = [one.text for one in found]
            if done:
                tell(done)
            for beginning in self._looks(group[0], search, cancel) if len(group) == 1 else ():
                tell([*done, beginning])
            found += self._whole.translate(group, search, cancel=cancel, advance=advance)
        return found

    def _groups(self, sentences: Sequence[Sentence]) -> Iterator[list[Sentence]]:
        """Cut `sentences` into groups of `GROUP`; each is measured when those before are done."""
        group: list[Sentence] = []
        seconds = 0.0
        for one in sentences:
            expected = self._expected(one)
            if group and seconds + expected > GROUP:
                yield group
                group, seconds = [], 0.0
                expected = self._expected(one)
            group.append(one)
            seconds += expected
        if group:
            yield group

    def _expected(self, sentence: Sentence) -> float:
        """Seconds that a sentence may take; endless while nothing is known."""
        return float("inf") if self._pace is None else self._pace * self._plain.size(sentence)

    def _looks(
        self, sentence: Sentence, search: Search, cancel: CancelToken | None
    ) -> Iterator[str]:
        """Yield how the translation begins, as long as it is worth while."""
        masked = mask(sentence.text, language=sentence.source)
        text = masked.text if masked else sentence.text
        asked = Sentence(text, sentence.target, sentence.source)
        # Of a completion it is its reader who says how it begins.
        if sentence.prefix or not self._plain.can_begin(asked, search):
            return
        tokens = FIRST_LOOK
        while self._pace is None or (
            tokens <= LAST_LOOK * self._plain.size(sentence) and self._expected(sentence) > WAIT
        ):
            started = self._clock()
            found = self._plain.begin(asked, tokens, search, cancel=cancel)
            self._pace = (self._clock() - started) / tokens
            if found is None:
                return
            if is_spaced(sentence.target):  # the last word may go on
                found = found.rpartition(" ")[0]
            if found:
                yield masked.beginning(found, sentence.target) if masked else found
            tokens *= 2
