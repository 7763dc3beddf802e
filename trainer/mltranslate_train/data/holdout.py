"""Held-out pairs: drawn by hash of the text, so that every run draws the same."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable
from pathlib import Path

from mltranslate_train.config import HoldoutConfig
from mltranslate_train.data.readers import Pair, PairFile


def letters(text: str) -> str:
    """Lower-cased letters and digits only: texts that differ in punctuation count as equal."""
    return "".join(character for character in text.lower() if character.isalnum())


def is_drawn(text: str, per_mille: int) -> bool:
    """Whether a text belongs to the held-out share."""
    digest = hashlib.sha256(letters(text).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < per_mille


class Holdout:
    """The held-out texts of a corpus, and the test whether a pair touches them."""

    def __init__(self, files: Iterable[PairFile], config: HoldoutConfig) -> None:
        self._config = config
        self._texts: set[str] = set()
        self.dev: dict[tuple[str, str], list[Pair]] = {}
        if config.per_mille:
            for file in files:
                self._draw(file)

    def _draw(self, file: PairFile) -> None:
        for pair in file:
            origin_fits = any(fnmatch.fnmatch(pair.origin, item) for item in self._config.origins)
            if origin_fits and is_drawn(pair.first, self._config.per_mille):
                self._texts |= {letters(pair.first), letters(pair.second)}
                dev = self.dev.setdefault(file.languages, [])
                if len(dev) < self._config.lines:
                    dev.append(pair)

    def touches(self, pair: Pair) -> bool:
        """True if either side is a held-out text; such a pair must not be trained on."""
        return bool(self._texts) and (
            letters(pair.first) in self._texts or letters(pair.second) in self._texts
        )

    def write(self, folder: Path) -> None:
        """Write `<a>-<b>.<a>` and `<a>-<b>.<b>` for each language pair."""
        folder.mkdir(parents=True, exist_ok=True)
        for (first, second), pairs in self.dev.items():
            for language, side in ((first, "first"), (second, "second")):
                lines = "".join(f"{getattr(pair, side)}\n" for pair in pairs)
                (folder / f"{first}-{second}.{language}").write_text(lines, encoding="utf-8")
