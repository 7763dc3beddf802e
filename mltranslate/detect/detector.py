"""The language detector: script gate, hashed n-grams, a small ONNX graph, a calibrated softmax."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mltranslate import locations
from mltranslate.detect import scripts
from mltranslate.detect.features import (
    MAX_CHARACTERS,
    ORDERS,
    VERSION,
    Features,
    features,
    letters,
)
from mltranslate.detect.manifest import read_manifest
from mltranslate.detect.unknown import looks_like_code
from mltranslate.detect.varieties import variety
from mltranslate.errors import LanguageError, check_kind, check_top
from mltranslate.runtime.sessions import create_session
from mltranslate.types import UNDETERMINED, Detection

_BATCH_CHARACTERS = 16_000
"""Texts of about this many characters go through the graph together: its rows fit a cache."""
_LARGEST = MAX_CHARACTERS * (ORDERS + 1)
"""Features of the longest text, about."""

Probabilities = npt.NDArray[np.float32]


class Detector:
    """Detects the language of texts; one instance may serve several threads.

    `folder` holds the identifier (default: the one that ships with the program) and is read, and
    checked against its manifest, here: `PackError` if it is missing or damaged. `threads` is the
    number of threads of the graph; one is best, the graph is tiny.
    """

    def __init__(self, folder: Path | None = None, threads: int = 1) -> None:
        self._manifest, graph = read_manifest(folder or locations.embedded_lid(), VERSION)
        self._session = create_session(graph, device="cpu", threads=threads)
        self._offered = np.zeros((len(self.languages), len(scripts.SCRIPTS)), np.bool_)
        for row, language in enumerate(self.languages):
            for script in self._manifest.scripts[language]:
                self._offered[row, scripts.SCRIPTS.index(script)] = True
        self._rows = {language: row for row, language in enumerate(self.languages)}
        self._names = (*self.languages, UNDETERMINED)
        log_sizes = np.log(np.maximum(np.arange(_LARGEST + 1), 1))
        log_scales = self._manifest.log_scale + self._manifest.length_scale * log_sizes
        self._scales = np.exp(log_scales).astype(np.float32)
        self._restricted: tuple[tuple[str, ...], npt.NDArray[np.bool_]] = ((), self._offered)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that can be told apart; "und" is not among them."""
        return self._manifest.languages

    def offered(self, languages: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return `languages`, or all if None; `LanguageError` unless each can be detected."""
        if languages is None:
            return self.languages
        check_kind(languages, Iterable, "list of languages", "Write ['de', 'en'].")
        if isinstance(languages, str):
            raise LanguageError(
                f"{languages!r} is no list of languages", fix=f"Write [{languages!r}]."
            )
        wanted = tuple(languages)
        unknown = [language for language in wanted if language not in self._rows]
        if unknown or not wanted:
            raise LanguageError(
                f"cannot detect {', '.join(unknown) if unknown else 'a language out of none'}",
                why="" if unknown else "the list of languages is empty",
                fix=f"Choose from the {len(self._rows)} codes in `Detector.languages`.",
            )
        return wanted

    def detect(
        self, text: str, languages: Iterable[str] | None = None, top: int = 3
    ) -> list[Detection]:
        """Return at most `top` candidates, the likeliest first; never an empty list.

        `languages` restricts the answer to these codes and "und" (None: all); `LanguageError` if
        the detector does not know one of them. "und" stands for text that is no language:
        numbers, addresses, code, no letters at all, or letters of a script not on offer. A
        text of more than 6,000 characters is judged by its first, middle and last 2,000. Raises
        UsageError for a text that is no string, or a `top` that is no number over 0.
        """
        return self.detect_many((text,), languages, top)[0]

    def detect_many(
        self, texts: Sequence[str], languages: Iterable[str] | None = None, top: int = 1
    ) -> list[list[Detection]]:
        """Do what `detect` does for many texts at once, much faster a text."""
        check_top(top)
        for text in texts:
            check_kind(text, str, "text", "Give a string")
        offered = self._restrict(languages)
        if len(texts) == 1:
            return self._candidates(texts, self._judge(texts, offered), top)
        found: list[list[Detection]] = [[]] * len(texts)
        for places in _batches(texts):
            batch = [texts[place] for place in places]
            candidates = self._candidates(batch, self._judge(batch, offered), top)
            for place, answer in zip(places, candidates, strict=True):
                found[place] = answer
        return found

    def probabilities(
        self, texts: Sequence[str], languages: Iterable[str] | None = None
    ) -> Probabilities:
        """Return (B, K + 1) probabilities of all K `languages` of this detector, "und" last.

        Classes that are not on offer, or ruled out by the script of a text, are exactly 0.
        """
        offered = self._restrict(languages)
        found = np.zeros((len(texts), len(self._names)), np.float32)
        for places in _batches(texts):
            found[places] = self._judge([texts[place] for place in places], offered)
        return found

    def _restrict(self, languages: Iterable[str] | None) -> npt.NDArray[np.bool_]:
        """Return (K, S) scripts of each language; rows of those not on offer are all False."""
        if languages is None:
            return self._offered
        wanted = self.offered(languages)
        # Somebody who types asks for the same languages again and again.
        known, offered = self._restricted
        if known == wanted:
            return offered
        chosen = np.zeros((len(self._rows), 1), np.bool_)
        chosen[[self._rows[language] for language in wanted]] = True
        offered = self._offered & chosen
        self._restricted = (wanted, offered)
        return offered

    def _candidates(
        self, texts: Sequence[str], probabilities: Probabilities, top: int
    ) -> list[list[Detection]]:
        if top == 1:
            best = probabilities.argmax(axis=1).tolist()
            values = np.maximum.reduce(probabilities, axis=1).tolist()
            return [[self._candidate(*one)] for one in zip(texts, best, values, strict=True)]
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
        ranked = np.take_along_axis(probabilities, order, axis=1)
        return [
            [
                self._candidate("" if rank else text, index, value)
                for rank, (index, value) in enumerate(zip(indices, row, strict=True))
                if value > 0
            ]
            for text, indices, row in zip(texts, order.tolist(), ranked.tolist(), strict=True)
        ]

    def _candidate(self, text: str, index: int, probability: float) -> Detection:
        """Name one class; its variety is told where `text` shows it."""
        language = self._names[index]
        return Detection(language=language, confidence=probability, variety=variety(text, language))

    def _judge(self, texts: Sequence[str], offered: npt.NDArray[np.bool_]) -> Probabilities:
        """Return (B, K + 1); the last column is "und", and classes ruled out are exactly 0."""
        cleaned = letters(texts)
        possible = scripts.possible(cleaned, offered)
        for row, text in enumerate(texts):
            if looks_like_code(text):
                possible[row] = False
        hashed = features(cleaned, self._manifest.table_rows)
        scores: Probabilities = self._session.run(_feeds(hashed))["scores"]
        scores *= self._scales.take(hashed.sizes, mode="clip")[:, None]
        np.copyto(scores[:, :-1], -np.inf, where=~possible)
        # Where no language is possible only "und" is left, and its softmax is 1.
        scores -= np.maximum.reduce(scores, axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= np.add.reduce(scores, axis=1, keepdims=True)
        return scores


def _feeds(hashed: Features) -> dict[str, npt.NDArray[Any]]:
    """Lay the features of B texts out: rows (B, F), weights (B, 1, F), sizes (B, 1)."""
    if len(hashed.ends) == 1:
        size = len(hashed.rows)
        ones = np.ndarray((1, 1, size), np.uint8, b"\1" * size)
        divisor = np.array([[max(size, 1)]], np.float32)
        return {"rows": hashed.rows[None, :], "weights": ones, "sizes": divisor}
    sizes = hashed.sizes
    divisors = np.maximum(sizes, 1).astype(np.float32)[:, None]
    weights = np.arange(int(sizes.max())) < sizes[:, None]
    padded = np.zeros(weights.shape, np.int32)
    padded[weights] = hashed.rows
    return {"rows": padded, "weights": weights.view(np.uint8)[:, None], "sizes": divisors}


def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Put texts of like length together, so that little of a rectangle is empty."""
    lengths = np.minimum([len(text) for text in texts], MAX_CHARACTERS) + 1
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        # The longest of a batch is its last.
        sizes = lengths[order[start : start + _BATCH_CHARACTERS]]
        fits = sizes * np.arange(1, len(sizes) + 1) <= _BATCH_CHARACTERS
        count = max(1, int(fits.argmin()) if not fits.all() else len(sizes))
        yield order[start : start + count].tolist()
        start += count


_default_lock = threading.Lock()


@functools.cache
def _load_default() -> Detector:
    return Detector()


def default_detector() -> Detector:
    """Return the detector that ships with the program; it is loaded once, at the first call."""
    with _default_lock:
        return _load_default()


def detect(text: str, languages: Iterable[str] | None = None, top: int = 3) -> list[Detection]:
    """Detect with the detector that ships with the program; see `Detector.detect`."""
    return default_detector().detect(text, languages, top)
