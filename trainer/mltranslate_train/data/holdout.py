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
    digest = hashlib.sha256(letters(text).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < per_mille


class Holdout:
    """The held-out texts of a corpus, and the test whether a pair touches them."""

    def __init__(self, files: Iterable[PairFile], config: HoldoutConfig) -> None:
        self._config = config
        self.texts = TextSet()
        self.dev: dict[tuple[str, str], list[Pair]] = {}
        if config.per_mille:
            for file in files:
                self._draw(file)

    def _draw(self, file: PairFile) -> None:
        fits: dict[str, bool] = {}
        forms: list[str] = []
        for pair in file:
            if pair.origin not in fits:
                fits[pair.origin] = self._fits(pair.origin)
            if fits[pair.origin] and is_drawn(pair.first, self._config.per_mille):
                forms += [letters(pair.first), letters(pair.second)]
                dev = self.dev.setdefault(file.languages, [])
                if len(dev) < self._config.lines:
                    dev.append(pair)
            if len(forms) > _BLOCK:
                self.texts.add(forms)
                forms = []
        self.texts.add(forms)

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
