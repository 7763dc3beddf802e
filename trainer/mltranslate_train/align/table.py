"""The sparse table of piece pairs: every pair that stands together in some sentence pair, once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mltranslate_train.align.cells import Cells, Ids

Keys = NDArray[np.uint32]
"""Pairs as `first << 16 | second`."""
Counts = NDArray[np.uint32]


def keys_of(cells: Cells) -> Keys:
    """The key of each cell (C,)."""
    high = cells.first.pieces.astype(np.uint32) << np.uint32(16)
    keys: Keys = high[cells.first.place] | cells.second.pieces[cells.second.place]
    return keys


def collect(chunks: Iterable[Keys], limit: int) -> Keys:
    """The distinct keys of all chunks, sorted; `limit` of them at most.

    If there are more, those are dropped that were seen least often until then. While collecting
    there are two such tables and their counts: 16 bytes a key.
    """
    runs: list[tuple[Keys, Counts]] = []
    for chunk in filter(len, chunks):
        keys, counts = np.unique(chunk, return_counts=True)
        runs.append((keys, counts.astype(np.uint32)))
        # Like sizes are merged, so that each key is moved a logarithmic number of times.
        while len(runs) > 1 and len(runs[-1][0]) * 2 > len(runs[-2][0]):
            runs.append(_pruned(*_merged(runs.pop(), runs.pop()), limit))
    while len(runs) > 1:
        runs.append(_pruned(*_merged(runs.pop(), runs.pop()), limit))
    return _pruned(*runs[0], limit)[0] if runs else np.empty(0, np.uint32)


def _merged(one: tuple[Keys, Counts], two: tuple[Keys, Counts]) -> tuple[Keys, Counts]:
    keys = np.concatenate([one[0], two[0]])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(np.concatenate([one[1], two[1]])[order], starts)


def _pruned(keys: Keys, counts: Counts, limit: int) -> tuple[Keys, Counts]:
    if len(keys) <= limit:
        return keys, counts
    keep = np.sort(np.argsort(counts, kind="stable")[len(keys) - limit :])
    return keys[keep], counts[keep]


def find(table: Keys, keys: Keys) -> tuple[Ids, NDArray[np.bool_]]:
    """Place of each key in a table that is not empty, and whether it is there."""
    places = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return places, table[places] == keys
