"""The language detector: script gate, hashed n-grams, a small ONNX graph, a calibrated softmax."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mltranslate import locations
from mltranslate.detect import scripts
from mltranslate.detect.features import MAX_CHARACTERS, VERSION, features, letters
from mltranslate.detect.manifest import read_manifest
from mltranslate.errors import LanguageError
from mltranslate.runtime.sessions import create_session
from mltranslate.types import UNDETERMINED, Detection

_BATCH_CHARACTERS = 64_000
"""Texts of about this many characters go through the graph together: it bounds the memory."""


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

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that can be told apart; "und" is not among them."""
        return self._manifest.languages

    def detect(
        self, text: str, languages: Iterable[str] | None = None, top: int = 3
    ) -> list[Detection]:
        """Return at most `top` candidates, the likeliest first; never an empty list.

        `languages` restricts the answer to these codes and "und" (None: all); `LanguageError` if
        the detector does not know one of them. "und" stands for text that is no language:
        numbers, addresses, code, no letters at all, or letters of a script not on offer. A
        text of more than 6,000 characters is judged by its first, middle and last 2,000.
        """
        return self.detect_many((text,), languages, top)[0]

    def detect_many(
        self, texts: Sequence[str], languages: Iterable[str] | None = None, top: int = 1
    ) -> list[list[Detection]]:
        """Do what `detect` does for many texts at once, much faster a text."""
        offered = self._restrict(languages)
        found: list[list[Detection]] = []
        for batch in _batches(texts):
            found.extend(self._detect_batch(batch, offered, max(1, top)))
        return found

    def _restrict(self, languages: Iterable[str] | None) -> npt.NDArray[np.bool_]:
        """Return (K, S) scripts of each language; rows of those not on offer are all False."""
        if languages is None:
            return self._offered
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
                fix=f"Choose from {' '.join(self.languages)}.",
            )
        chosen = np.zeros((len(self._rows), 1), np.bool_)
        chosen[[self._rows[language] for language in wanted]] = True
        return self._offered & chosen

    def _detect_batch(
        self, texts: Sequence[str], offered: npt.NDArray[np.bool_], top: int
    ) -> Iterator[list[Detection]]:
        probabilities = self._probabilities(texts, offered)
        names = (*self.languages, UNDETERMINED)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
        for classes, values in zip(order.tolist(), probabilities.tolist(), strict=True):
            yield [
                Detection(language=names[index], confidence=values[index])
                for index in classes
                if values[index] > 0
            ]

    def _probabilities(
        self, texts: Sequence[str], offered: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float32]:
        """Return (B, K + 1); the last column is "und", and classes ruled out are exactly 0."""
        cleaned = letters(texts)
        possible = scripts.gate(scripts.counts(cleaned), offered)
        hashed = features(cleaned, self._manifest.table_rows)
        feeds = {"rows": hashed.rows, "ends": hashed.ends}
        scores: npt.NDArray[np.float32] = self._session.run(feeds)["scores"]
        sizes = np.maximum(hashed.sizes, 1)
        log_scale = self._manifest.log_scale + self._manifest.length_scale * np.log(sizes)
        scores = scores * np.exp(log_scale)[:, None].astype(np.float32)
        scores[:, :-1][~possible] = -np.inf
        # Where no language is possible only "und" is left, and its softmax is 1.
        scores -= scores.max(axis=1, keepdims=True)
        weights = np.exp(scores)
        normalised: npt.NDArray[np.float32] = weights / weights.sum(axis=1, keepdims=True)
        return normalised


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    start = characters = 0
    for index, text in enumerate(texts):
        size = min(len(text), MAX_CHARACTERS) + 1
        if characters + size > _BATCH_CHARACTERS and index > start:
            yield texts[start:index]
            start, characters = index, 0
        characters += size
    if start < len(texts):
        yield texts[start:]


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
