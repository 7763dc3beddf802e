"""Scores by the length of the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltranslate.languages import is_spaced

_UPPER = (5, 10, 20, 30, 40)
"""Most source words of each bucket but the last, which has no end."""
FEW = 20
"""Below this many sentences a bucket's scores say little, and tables mark them."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Lines whose sources have `least` … `most` words; `most` 0 means no end."""

    least: int
    most: int
    rows: tuple[int, ...]

    @property
    def name(self) -> str:
        """The range, for tables."""
        return f"{self.least}–{self.most}" if self.most else f"{self.least}+"


def count_words(text: str, language: str) -> int:
    """Words between spaces; letters and digits where the language writes no spaces."""
    if is_spaced(language):
        return len(text.split())
    return sum(map(str.isalnum, text))


def by_length(sources: Sequence[str], language: str) -> list[Bucket]:
    """Buckets that are not empty, by rising length; blank lines are in the first."""
    counts = [count_words(text, language) for text in sources]
    buckets = []
    for least, most in zip((0, *(end + 1 for end in _UPPER)), (*_UPPER, 0), strict=True):
        rows = tuple(
            row for row, count in enumerate(counts)
            if count >= least and (not most or count <= most)
        )  # fmt: skip
        if rows:
            buckets.append(Bucket(least, most, rows))
    return buckets
