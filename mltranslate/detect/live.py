"""A language label for text that is being typed: it does not flicker with every letter."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mltranslate.detect.varieties import variety
from mltranslate.types import UNDETERMINED, Detection

CANDIDATES = 4
"""Candidates a look should bring, so that the language shown so far is among them."""

_LOYALTY = 3.0
"""Odds in favour of the language of the text so far, while it is being typed on."""
_HABIT = 1.5
"""Odds in favour of the language of the text before, where a new one begins."""
_SETTLING = 10
"""Characters of a text that are judged at once: first impressions must not stick."""
_LOOKS = 2
"""Looks that a new language must lead in to be believed inside a word."""
_CERTAIN = 0.97
"""Confidence of a new language that is believed at once at the end of a word."""


class LiveLabel:
    """Steadies what the detector says of a text that grows.

    The language shown so far counts as more probable than what the text alone says, and another
    one takes its place only after it has led for two looks, or at the end of a word where it is
    all but certain. The first letters, and a text that was pasted, are judged at once; there
    the language of the text before counts a little.
    """

    def __init__(self) -> None:
        self._text = ""
        self._language = ""
        self._before = ""
        self._rival = ""
        self._led = 0

    @property
    def language(self) -> str:
        """The language shown now; empty before the first look."""
        return self._language

    def settle(self, text: str, candidates: Sequence[Detection]) -> list[Detection]:
        """Return `candidates` with the language to show in front, and their odds adjusted.

        `text` is the newest text, and `candidates` are the detector's for it, the likeliest
        first; `CANDIDATES` of them are enough. Only the one in front has its variety.
        """
        shown = self._settle(text, candidates)
        if shown[0].language == candidates[0].language:
            return shown
        front = dataclasses.replace(shown[0], variety=variety(text, shown[0].language))
        return [front, *(dataclasses.replace(found, variety=None) for found in shown[1:])]

    def _settle(self, text: str, candidates: Sequence[Detection]) -> list[Detection]:
        related = text.startswith(self._text) or self._text.startswith(text)
        if not (self._text and related):
            self._before = self._language
        settled = related and len(self._text) >= _SETTLING
        again = text == self._text
        self._text = text
        if settled:
            return self._hold(text, again, weighed(candidates, self._language, _LOYALTY))
        return self._show(weighed(candidates, self._before, _HABIT))

    def _hold(self, text: str, again: bool, weighed: list[Detection]) -> list[Detection]:
        """Show the language so far, unless another one has earned its place.

        A look at the same text `again` says nothing new.
        """
        best = weighed[0]
        # "und" gives way at once, and so does what is no candidate any more.
        kept = [found for found in weighed if found.language == self._language]
        if best.language == self._language or not kept or self._language == UNDETERMINED:
            return self._show(weighed)
        if not (again and best.language == self._rival):
            self._led = self._led + 1 if best.language == self._rival else 1
        self._rival = best.language
        ended = not text[-1:].isalnum() and best.confidence > _CERTAIN
        if self._led >= _LOOKS or ended:
            return self._show(weighed)
        return [*kept, *(found for found in weighed if found.language != self._language)]

    def _show(self, weighed: list[Detection]) -> list[Detection]:
        self._language, self._rival, self._led = weighed[0].language, "", 0
        return weighed


def weighed(candidates: Sequence[Detection], language: str, odds: float) -> list[Detection]:
    """Return the candidates with `odds` in favour of `language`, the likeliest first."""
    if language == UNDETERMINED:
        return list(candidates)
    favoured = sum(found.confidence for found in candidates if found.language == language)
    total = 1 + (odds - 1) * favoured
    weighed = [
        dataclasses.replace(
            found, confidence=found.confidence * (odds if found.language == language else 1) / total
        )
        for found in candidates
    ]
    return sorted(weighed, key=lambda found: -found.confidence)
