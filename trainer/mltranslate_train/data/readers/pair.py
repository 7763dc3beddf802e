"""What the readers give."""

from __future__ import annotations

import fnmatch
from collections import Counter
from dataclasses import dataclass

Skipped = Counter[tuple[str, str]]
"""Entries that a file's own marks rule out: how many by (reason, origin)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One sentence in two languages, `first` in the pair's first language."""

    origin: str
    first: str
    second: str


def weight_of(origin: str, weights: dict[str, float]) -> float:
    """Weight of an origin: the last matching shell pattern counts, 1 without any."""
    matches = [weight for pattern, weight in weights.items() if fnmatch.fnmatch(origin, pattern)]
    return matches[-1] if matches else 1.0
