"""Pairs of piece ids, and the cells of their alignment matrices back to back.

Shape suffixes: N pairs, F and G pieces of all first and all second sides, C cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mltranslate_train.data.shards import Shard, ranges

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]

CELLS = 1 << 20
"""Cells that are worked on together: some 100 MB of working memory."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Some pairs: tokens of all, each pair's first side and then its second; lengths (N,)."""

    tokens: NDArray[np.uint16]
    first: Ids
    second: Ids

    def __len__(self) -> int:
        return len(self.first)


def make_pairs(pairs: list[tuple[list[int], list[int]]]) -> Pairs:
    """The same pairs as arrays; no side may be empty."""
    tokens = [piece for sides in pairs for side in sides for piece in side]
    first, second = (np.array([len(pair[side]) for pair in pairs], np.int64) for side in (0, 1))
    return Pairs(np.array(tokens, np.uint16), first, second)


def chunks(shard: Shard, numbers: Ids) -> Iterator[Pairs]:
    """The shard's pairs with these ascending numbers, about `CELLS` cells at a time.

    Raises:
        DataError: a record points outside the tokens.
    """
    for block in np.array_split(numbers, max(1, len(numbers) >> 16)):
        records = shard.records[block]
        sizes = records["first"].astype(np.int64) * records["second"]
        pieces = (sizes.cumsum() - sizes) // CELLS
        # Within a group, tokens stand in the order of the records.
        ends = np.diff(pieces) | np.diff(records["group"].astype(np.int64))
        for part in np.split(block, np.flatnonzero(ends) + 1):
            if len(part):
                yield Pairs(*shard.read(part))


@dataclass(frozen=True, slots=True)
class Side:
    """One side of all pairs, seen from the cells."""

    pieces: NDArray[np.uint16]
    """All pieces of the side, back to back."""
    place: Ids
    """Place of each cell's piece in `pieces` (C,)."""


@dataclass(frozen=True, slots=True)
class Cells:
    """All pairs of a first-side piece and a second-side piece that stand in one sentence pair.

    Cells of a pair are together, in them those of one second-side piece.
    """

    first: Side
    second: Side
    distance: Floats
    """How far each cell lies from the diagonal (C,): 0 on it, almost 1 in the corners."""


def expand(pairs: Pairs) -> Cells:
    """The cells of the pairs, none of whose sides is empty."""
    begins = (pairs.first + pairs.second).cumsum() - pairs.first - pairs.second
    first = pairs.tokens[ranges(begins, pairs.first)]
    second = pairs.tokens[ranges(begins + pairs.first, pairs.second)]
    pair = np.repeat(np.arange(len(pairs)), pairs.second)
    width = pairs.first[pair]
    column = ranges((pairs.first.cumsum() - pairs.first)[pair], width)
    row = np.repeat(np.arange(len(pair)), width)
    distance = np.abs(_places(pairs.first)[column] - _places(pairs.second)[row])
    return Cells(Side(first, column), Side(second, row), distance)


def _places(lengths: Ids) -> Floats:
    """Relative place of each piece in its side, between 0 and 1."""
    places = ranges(np.zeros(len(lengths), np.int64), lengths) + 0.5
    return (places / np.repeat(lengths, lengths)).astype(np.float32)
