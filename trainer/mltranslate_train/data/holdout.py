"""Held-out pairs: drawn by hash of the text, so that every run draws the same."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable
from pathlib import Path

from mltranslate_train.config import HoldoutConfig
from mltranslate_train.data.filters.hashes import TextSet, letters
from mltranslate_train.data.readers import Pair, PairFile
from mltranslate_train.data.whole import write_text

_BLOCK = 4096


def is_drawn(text: str, per_mille: int) -> bool:
    """Whether a text belongs to the held-out share."""
    return _is_drawn(_digest(letters(text)), per_mille)


def _digest(form: str) -> bytes:
    return hashlib.sha256(form.encode("utf-8", "surrogatepass")).digest()


def _is_drawn(digest: bytes, per_mille: int) -> bool:
    return int.from_bytes(digest[:4], "big") % 1000 < per_mille


class DevSet:
    """The pairs of one language pair with the smallest hashes: which ones, no order decides.

    Each first side comes once, with that of its second sides which has the smallest hash. Never
    more than twice `most` pairs are held.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[bytes, tuple[bytes, Pair]] = {}

    def add(self, pair: Pair, first: bytes, second: bytes) -> None:
        """Offer a pair, with hashes of its sides."""
        held = self._found.get(first)
        if held is None or second < held[0]:
            self._found[first] = second, pair
        if len(self._found) > 2 * self._most:
            self._found = dict(self._smallest())

    @property
    def pairs(self) -> list[Pair]:
        """At most `most` pairs, in the order of their hashes."""
        return [pair for _, (_, pair) in self._smallest()]

    def _smallest(self) -> list[tuple[bytes, tuple[bytes, Pair]]]:
        ordered = sorted(self._found.items(), key=lambda item: item[0])
        return ordered[: self._most]


class Holdout:
    """The held-out texts of a corpus, and the test whether a pair touches them.

    A text is held out in all files: if it is drawn in one language pair, what it was translated to
    there is held out as well, and no pair of any two languages may have either.
    """

    def __init__(self, files: Iterable[PairFile], config: HoldoutConfig) -> None:
        self._config = config
        self.texts = TextSet()
        self._sets: dict[tuple[str, str], DevSet] = {}
        if config.per_mille:
            for file in files:
                self._draw(file)

    @property
    def dev(self) -> dict[tuple[str, str], list[Pair]]:
        """The pairs of each language pair's dev set."""
        return {languages: found.pairs for languages, found in self._sets.items()}

    def _draw(self, file: PairFile) -> None:
        fits: dict[str, bool] = {}
        forms: list[str] = []
        for pair in file:
            if pair.origin not in fits:
                fits[pair.origin] = self._fits(pair.origin)
            if fits[pair.origin]:
                forms += self._drawn_forms(pair, file.languages)
            if len(forms) > _BLOCK:
                self.texts.add(forms)
                forms = []
        self.texts.add(forms)

    def _drawn_forms(self, pair: Pair, languages: tuple[str, str]) -> list[str]:
        """Both sides of a pair that is drawn, which goes to its dev set; else nothing."""
        first = letters(pair.first)
        digest = _digest(first)
        if not _is_drawn(digest, self._config.per_mille):
            return []
        second = letters(pair.second)
        if max(len(first), len(second)) < self._config.min_letters:
            return []
        if first and second:  # a side of punctuation alone is nothing to be scored on
            found = self._sets.setdefault(languages, DevSet(self._config.lines))
            found.add(pair, digest, _digest(second))
        return [first, second]

    def _fits(self, origin: str) -> bool:
        return any(fnmatch.fnmatch(origin, pattern) for pattern in self._config.origins)

    def touches(self, pair: Pair) -> bool:
        """True if either side is a held-out text; such a pair must not be trained on."""
        return bool(self.texts.contains([letters(pair.first), letters(pair.second)]).any())

    def write(self, folder: Path) -> None:
        """Write `<a>-<b>.<a>` and `<a>-<b>.<b>` for each language pair."""
        folder.mkdir(parents=True, exist_ok=True)
        for (first, second), pairs in self.dev.items():
            for language, side in ((first, "first"), (second, "second")):
                lines = "".join(f"{getattr(pair, side)}\n" for pair in pairs)
                write_text(folder / f"{first}-{second}.{language}", lines)
