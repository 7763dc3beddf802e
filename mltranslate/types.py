"""Plain values that cross module borders: results, detections, warnings, cancel tokens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from mltranslate.errors import Cancelled

UNDETERMINED = "und"
"""ISO 639-2 code of a detection whose text is no language: numbers, URLs, code."""


class Caution(StrEnum):
    """Something about a result that its reader should know."""

    LOOP = "loop"
    """The output repeated itself; it was decoded again and is still doubtful, or was cut."""
    LENGTH = "length"
    """The output is implausibly long or short for its source."""
    SPLIT = "split"
    """A sentence was translated in pieces: longer than the model's limit, or around a link, code
    or placeholder that did not come through the model."""
    PLACED = "placed"
    """Emoji, markup or another sign was put back at a guessed place, or a number was mended."""
    NUMBERS = "numbers"
    """A number of the source is not in the output; it may be spelt out there, or wrong."""
    CHARACTERS = "characters"
    """The model wrote bytes that make no character; they were left out of the output."""
    LOW_CONFIDENCE = "low-confidence"
    """The source language was detected with little confidence."""
    UNTRANSLATED = "untranslated"
    """Nothing was translated: no language, already the target language, or `UNOFFERED`."""
    REWRITTEN = "rewritten"
    """Nothing was translated, but Chinese was rewritten in the characters that were asked for."""
    UNOFFERED = "unoffered"
    """The text is in a language that no pack in use has: `Translation.detected` tells which."""
    GLOSSARY = "glossary"
    """A term of the glossary is not in the output: `Translation.missing_terms` tells which."""
    OFF_TARGET = "off-target"
    """The output is, with high probability, in another language than the target."""
    VARIETY = "variety"
    """The text does not fit the variety that was asked for (pt-PT), or it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One candidate language of a text, with a probability in [0, 1]."""

    language: str
    confidence: float
    variety: str | None = None
    """BCP 47 tag such as "pt-BR" or "zh-Hant" where the text decides; of the likeliest only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a text that is in one language."""

    text: str
    start: int
    end: int
    """Bytes of the UTF-8 text before the segment and up to its end; a lone surrogate has 3."""
    language: str
    confidence: float
    """How probable this language is for the segment alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One of the best translations of a text."""

    text: str
    score: float | None
    """Mean log-probability a target token, as in `Translation.score`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenScore:
    """One subword of a translation, or the mark at the end of a sentence."""

    token: str
    """Its text, with the space that begins a word; "</s>" for the end."""
    log_probability: float
    """Natural logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordLink:
    """A word of a translation and the word of the source that it comes from."""

    source: tuple[int, int]
    """First character in `Translation.source_text`, and the one behind the last."""
    target: tuple[int, int]
    """Likewise in `Translation.text`."""


BETWEEN_HOPS = " + "
"""Stands between what is true of the first hop of a route and what is true of the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """One translated text and the truth about how it was made.

    `device`, `provider`, `precision` and `pack` are empty when nothing was translated. Where the
    two hops of a route differ in one of them, it has both in order, with `BETWEEN_HOPS` between.
    """

    source_text: str
    text: str
    source: str
    """Language code translated from: given by the caller, or detected."""
    target: str
    detected: Detection | None
    """The detector's answer; None when the caller named the source language."""
    device: str
    """"cpu" or "cuda": where the decoder really ran."""
    provider: str
    """onnxruntime execution provider really used, for example "CPUExecutionProvider"."""
    precision: str
    """"fp32", "fp16" or "int8"."""
    pack: str
    """Name and version of the model pack, for example "core9-small 0.13.0", or of both."""
    route: tuple[str, ...]
    """Language codes passed through: ("de", "en") is direct, ("de", "en", "zh") pivots."""
    milliseconds: float
    score: float | None
    """Mean log-probability a target token (natural log); None when nothing was decoded."""
    warnings: tuple[Caution, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    """The best translations, best first, `text` included; empty unless they were asked for."""
    token_scores: tuple[TokenScore, ...] = ()
    """Every token of the last model that was passed through; empty unless they were asked for."""
    missing_terms: tuple[str, ...] = ()
    """Terms of the glossary, in the target language, that `text` should have and lacks."""
    alignment: tuple[WordLink, ...] = ()
    """Words that come from words; empty unless they were asked for, and through English."""
    variety: str | None = None
    """BCP 47 tag of the variety of the target language that `text` is in, where it decides."""
    phrases: int = 0
    """Sentences, of all hops, that are not the model's: the pack's phrasebook has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long call has come: sentences done out of all."""

    done: int
    total: int


ProgressCallback = Callable[[Progress], None]
TextCallback = Callable[[str], None]


@dataclass(eq=False, slots=True)
class CancelToken:
    """Set once by any thread; long calls check it between decoder steps.

    `on_cancel` callbacks run in the cancelling thread: the runtime uses one to stop a graph
    that is already inside its decoding loop.
    """

    _event: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _callbacks: list[Callable[[], None]] = field(default_factory=list)

    @property
    def cancelled(self) -> bool:
        """True once `cancel` was called."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Stop the work that watches this token; calling it again does nothing."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            callback()

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` if the token was set."""
        if self._event.is_set():
            raise Cancelled

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call `callback` on cancellation, at once if it has already happened."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def unsubscribe(self, callback: Callable[[], None]) -> None:
        """Forget `callback`; unknown callbacks are ignored."""
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)


def stop_if_cancelled(cancel: CancelToken | None) -> None:
    """Raise `Cancelled` where there is a token, and it was set."""
    if cancel is not None:
        cancel.raise_if_cancelled()
