"""A stand-in for the translator: the app's tests decide when it answers, and what."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mltranslate.errors import Cancelled, MltError
from mltranslate.languages import resolve
from mltranslate.types import (
    UNDETERMINED,
    CancelToken,
    Caution,
    Detection,
    Translation,
    WordLink,
)
from mltranslate_tui.choices import Offer, Pair
from mltranslate_tui.controller import Draft, DraftCallback

GERMAN = {"guten": "good", "morgen": "morning", "wie": "how", "geht": "are", "es": "you"}


class FakeEngine:
    """Translates by turning words round; German is what holds a German word.

    `gate` closed makes a translation wait, as a slow model would, until it is opened or the
    request is cancelled; `loading` closed does the same to the start.
    """

    def __init__(self, languages: Sequence[str] = ("en", "de", "fr", "es", "zh", "ar")) -> None:
        self.offer = Offer(tuple(languages), tuple(languages))
        self.packs: tuple[str, ...] = ("small-test 1.0.0",)
        self.left_out: tuple[str, ...] = ()
        self.used = "small-test 1.0.0"
        self.gate = threading.Event()
        self.gate.set()
        self.loading = threading.Event()
        self.loading.set()
        self.calls: list[tuple[str, str, str]] = []
        self.cancelled: list[str] = []
        self.started = threading.Event()
        self.failure: Exception | None = None
        self.load_failure: MltError | None = None
        self.warnings: tuple[Caution, ...] = ()
        self.partials: tuple[Draft, ...] = ()
        self.milliseconds = 34.0
        self.asked_links: list[range | None] = []
        self.can_link = True
        self.busy: Callable[[], None] = lambda: None

    def load(self, pair: Pair) -> None:
        assert self.loading.wait(60)
        if self.load_failure is not None:
            raise self.load_failure

    def links(self, source: str, target: str) -> bool:
        return self.can_link

    def detect(self, text: str) -> list[Detection]:
        words = text.lower().split()
        if not any(char.isalpha() for char in text):
            return [Detection(language=UNDETERMINED, confidence=0.99)]
        german = any(word.strip(",.?!") in GERMAN for word in words)
        best, other = ("de", "fr") if german else ("en", "de")
        return [
            Detection(language=best, confidence=0.98),
            Detection(language=other, confidence=0.02),
        ]

    def translate(
        self,
        text: str,
        *,
        source: str | Detection,
        target: str,
        cancel: CancelToken,
        progress: DraftCallback,
        linked: range | None = None,
    ) -> Translation:
        self.asked_links.append(linked)
        language = source if isinstance(source, str) else source.language
        self.calls.append((text, language, target))
        self.started.set()
        for part in self.partials:
            time.sleep(0.2)
            progress(part)
        self._wait(text, cancel)
        if self.failure is not None:
            raise self.failure
        answer = self._answer(text, language, target)
        if linked is None or not self.can_link or len(answer.route) != 2:
            return answer
        return replace(answer, alignment=tuple(self._links(answer, linked)))

    def _links(self, answer: Translation, linked: range) -> Iterator[WordLink]:
        """Every word of these characters with the same word of the translation."""
        moved = len(answer.text) - len(answer.source_text)
        for word in re.finditer(r"\w+", answer.source_text):
            if word.start() in linked:
                start, end = word.span()
                yield WordLink(source=(start, end), target=(start + moved, end + moved))

    def _wait(self, text: str, cancel: CancelToken) -> None:
        self.busy()
        while not self.gate.wait(0.005):
            if cancel.cancelled:
                self.cancelled.append(text)
                raise Cancelled
        cancel.raise_if_cancelled()

    def _answer(self, text: str, source: str, target: str) -> Translation:
        asked, target = target, resolve(target, self.offer.targets)
        same = source == target
        warnings = (Caution.UNTRANSLATED,) if same else self.warnings
        return Translation(
            source_text=text,
            text=text if same else f"[{asked}] {text}",
            source=source,
            target=target,
            detected=None,
            device="cpu",
            provider="CPUExecutionProvider",
            precision="int8",
            pack="" if same else self.used,
            route=() if same else (source, target),
            milliseconds=self.milliseconds,
            score=-0.3,
            warnings=warnings,
        )
