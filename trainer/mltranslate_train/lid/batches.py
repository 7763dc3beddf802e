"""Turns drawn texts into feature batches, gated by script exactly as the engine gates them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mltranslate.detect import scripts
from mltranslate.detect.features import Letters, features, steps
from mltranslate.types import UNDETERMINED


@dataclass(frozen=True, slots=True)
class Batch:
    """B texts as features.

    `rows` (N,) and `ends` (B,) as in `Features`; `possible` (B, K + 1) marks the classes that the
    script gate leaves, "und" last; `labels` (B,) are class numbers.
    """

    rows: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]
    possible: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Features of each text, (B,)."""
        return steps(self.ends)

    def part(self, start: int, stop: int) -> Batch:
        """Return the texts from `start` up to `stop`."""
        first = int(self.ends[start - 1]) if start else 0
        ends = self.ends[start:stop]
        rows = self.rows[first : int(ends[-1])]
        return Batch(rows, ends - first, self.possible[start:stop], self.labels[start:stop])

    def parts(self, size: int) -> Iterator[Batch]:
        """Cut into batches of `size` texts; the last may be smaller."""
        for start in range(0, len(self.labels), size):
            yield self.part(start, min(start + size, len(self.labels)))


class Batcher:
    """Makes batches for one set of languages and one table size.

    `main` are the languages that a text may be restricted to, with "und".
    """

    def __init__(
        self, languages: Mapping[str, Sequence[str]], main: Collection[str], table_rows: int
    ) -> None:
        self._table_rows = table_rows
        self.classes = (*languages, UNDETERMINED)
        self.main = np.array([name in main or name == UNDETERMINED for name in self.classes])
        self._offered = np.zeros((len(languages), len(scripts.SCRIPTS)), np.bool_)
        for row, codes in enumerate(languages.values()):
            for code in codes:
                self._offered[row, scripts.SCRIPTS.index(code)] = True

    def batch(
        self,
        cleaned: Letters,
        labels: npt.NDArray[np.int64],
        restricted: npt.NDArray[np.bool_] | None = None,
    ) -> Batch:
        """Encode texts with their (B,) labels, without those that teach nothing.

        Where `restricted` (B,) says so, only the main languages are offered. What teaches nothing
        is a text without features, or one whose script already rules out its own language or
        every other class.
        """
        possible = scripts.gate(scripts.counts(cleaned), self._offered)
        possible = np.concatenate([possible, np.ones((len(labels), 1), np.bool_)], axis=1)
        if restricted is not None:
            possible &= self.main | ~restricted[:, None]
        hashed = features(cleaned, self._table_rows)
        sizes = hashed.sizes
        useful = possible[np.arange(len(labels)), labels] & (possible.sum(axis=1) > 1) & (sizes > 0)
        rows = hashed.rows[np.repeat(useful, sizes)]
        return Batch(rows, np.cumsum(sizes[useful]), possible[useful], labels[useful])
