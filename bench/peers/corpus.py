"""A parallel corpus for the benchmark: random words, which a fixed rule translates.

Words are drawn by Zipf's law and lengths as sentences have them, so that batches look like those
of a real corpus; the rule can be learnt, so that a loss which does not fall shows a fault. It is
the same on every machine.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LANGUAGES = ("aa", "bb")
MEDIAN, SPREAD, LONGEST = 15, 0.6, 80
"""Lengths are log-normal, as those of everyday and news sentences together."""
DEV_PAIRS = 20
_RESERVED = 5 + len(LANGUAGES) + 256
"""Rows of a vocabulary that hold no words in our trainer: marks, language tags and bytes."""
_MARKS = {"joeynmt": 4, "eole": 4}
"""The same for the others; what they have left is filled with words that never occur."""

Ids = NDArray[np.int64]


def words_of(vocabulary: int) -> list[str]:
    """The words of a vocabulary with this many rows, the most frequent first."""
    return [f"w{number}" for number in range(vocabulary - _RESERVED)]


def translated(sentence: Ids, words: int) -> Ids:
    """The translation: neighbours in rank change places, some words vanish, some are doubled."""
    swapped = np.minimum(sentence ^ 1, words - 1)
    copies = np.select([sentence % 8 == 5, sentence % 8 == 3], [0, 2], 1)
    return np.repeat(swapped, copies)[::-1]


def write_corpus(folder: Path, vocabulary: int, pairs: int) -> None:
    """Write train.aa, train.bb, a little dev.aa and dev.bb, and the others' lists of words."""
    words = words_of(vocabulary)
    for name, marks in _MARKS.items():
        fillers = [f"unused{number}" for number in range(vocabulary - len(words) - marks)]
        _write_lines(folder / f"words.{name}", words + fillers)
    rng = np.random.default_rng(1)
    for part, count in (("train", pairs), ("dev", DEV_PAIRS)):
        sources, targets = [], []
        while len(sources) < count:
            source, target = _pair(rng, len(words))
            if 0 < len(target) <= LONGEST:
                sources.append(" ".join(words[number] for number in source))
                targets.append(" ".join(words[number] for number in target))
        _write_lines(folder / f"{part}.{LANGUAGES[0]}", sources)
        _write_lines(folder / f"{part}.{LANGUAGES[1]}", targets)


def _pair(rng: np.random.Generator, words: int) -> tuple[Ids, Ids]:
    length = int(np.clip(round(rng.lognormal(np.log(MEDIAN), SPREAD)), 1, LONGEST))
    # The inverse of the cumulative 1 / rank, which is about log(1 + rank) / log(1 + words).
    source = ((words + 1) ** rng.random(length)).astype(np.int64) - 1
    return source, translated(source, words)


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
