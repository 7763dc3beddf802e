"""A language label that does not flicker while a word is being typed."""

from __future__ import annotations

from collections.abc import Sequence

from mltranslate.types import Detection


class SteadyDetection:
    """Changes its mind at the end of a word, or when a new lead lasts for two looks."""

    def __init__(self) -> None:
        self._text = ""
        self._language = ""
        self._rival = ""

    def settle(self, text: str, detections: Sequence[Detection]) -> list[Detection]:
        """Return `detections` with the language to go by in front.

        `text` is the newest text, and `detections` are its candidates, the likeliest first.
        """
        best = detections[0].language
        kept = [found for found in detections if found.language == self._language]
        typing_on = bool(self._text) and text.startswith(self._text) and text[-1:].isalnum()
        self._text = text
        if typing_on and kept and best not in (self._language, self._rival):
            self._rival = best
            return [*kept, *(found for found in detections if found not in kept)]
        self._language, self._rival = best, ""
        return list(detections)
