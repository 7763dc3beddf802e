"""Near-duplicates: MinHash signatures (Broder 1997), found by locality-sensitive hashing.

A text's 3-grams of letters and digits are a set. The smallest value of a hash function over a set
is the same for two sets with the probability of their Jaccard similarity, so the share of equal
values among many functions estimates it. Bands of several values serve as keys: pairs that share
a band are compared. Signatures keep 8 bits of each value (Li and König 2010).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mltranslate_train.data.filters.hashes import Flags, Keys

HASHES = 64
"""Functions: the estimate's standard deviation is 0.05 at a similarity of 0.8."""
WINDOW = 1 << 22
"""Kept pairs that are remembered; older ones are forgotten, so memory stays bounded."""
_RECALL = 0.95
"""Least chance that two texts exactly as similar as the threshold share a band."""
_SUB_BLOCK = 512
_SMALLEST = 1 << 12
_WAYS = 4
"""Pairs that one bucket of a band's table holds: half of all places are free, so few overflow."""

Signatures = NDArray[np.uint8]

_rng = np.random.default_rng(20240229)
_MULTIPLIERS = _rng.integers(0, 1 << 32, HASHES, np.uint32) | np.uint32(1)
_ADDENDS = _rng.integers(0, 1 << 32, HASHES, np.uint32)
_BAND_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def signatures(texts: Sequence[str]) -> Signatures:
    """(B, HASHES) signatures of texts that hold at least three characters each."""
    parts = [
        _signatures(texts[start : start + _SUB_BLOCK]) for start in range(0, len(texts), _SUB_BLOCK)
    ]
    return np.concatenate(parts) if parts else np.empty((0, HASHES), np.uint8)


def _signatures(texts: Sequence[str]) -> Signatures:
    lengths = np.array([len(text) for text in texts])
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    grams = _mixed(codes[:-2] * np.uint32(0x85EBCA6B) ^ codes[1:-1] * np.uint32(0xC2B2AE35))
    grams = _mixed(grams ^ codes[2:] * np.uint32(0x27D4EB2F))
    ends = np.cumsum(lengths)
    inside = np.ones(len(grams), np.bool_)
    for back in (1, 2):  # grams that reach into the next text
        inside[ends[:-1] - back] = False
    starts = (ends - lengths) - 2 * np.arange(len(texts))
    grams = grams[inside]
    found = np.empty((len(texts), HASHES), np.uint8)
    for column in range(HASHES):
        values = grams * _MULTIPLIERS[column] + _ADDENDS[column]
        least = np.minimum.reduceat(values, starts)
        found[:, column] = _mixed(least) >> np.uint32(24)
    return found


def _mixed(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    mixed: NDArray[np.uint32] = (values ^ (values >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    return mixed ^ (mixed >> np.uint32(13))


def similarity(one: Signatures, two: Signatures) -> NDArray[np.float64]:
    """Estimated Jaccard similarities of the signatures in the last axis."""
    equal = (one == two).mean(axis=-1)
    by_chance = 1 / 256
    estimate: NDArray[np.float64] = (equal - by_chance) / (1 - by_chance)
    return estimate


def band_rows(threshold: float) -> int:
    """Values in a band: as many, so as few comparisons, as the recall at the threshold allows."""
    rows = 1
    while rows < HASHES and _recall(threshold, rows + 1) >= _RECALL:
        rows += 1
    return rows


def _recall(similarity: float, rows: int) -> float:
    return float(1 - (1 - similarity**rows) ** (HASHES // rows))


class NearDuplicates:
    """Finds pairs that are nearly equal to an earlier pair that was kept.

    Memory: 64 bytes of signature a kept pair and 8 bytes for each band, twice that just after the
    tables grew. A threshold of 0.8 has 10 bands: 144 to 288 bytes a pair. `window` bounds it.
    """

    def __init__(self, threshold: float, window: int = WINDOW) -> None:
        self._threshold, self._window = threshold, window
        self._rows = band_rows(threshold)
        self._bands = HASHES // self._rows
        self._total = 0
        self._held = np.zeros((min(_SMALLEST, window), HASHES), np.uint8)
        self._tables = self._empty_tables()

    @property
    def bytes(self) -> int:
        """Memory of what is remembered."""
        return self._held.nbytes + self._tables.nbytes

    def add(self, texts: Sequence[str]) -> Flags:
        """True for each text that is near to an earlier one; the others are remembered.

        Texts hold at least three characters each, those of a pair joined by a mark.
        """
        found = signatures(texts)
        bands = self._band_keys(found)
        near = self._near_held(found, bands)
        self._mark_near_each_other(found, bands, near)
        self._keep(found[~near], bands[~near])
        return near

    def _band_keys(self, found: Signatures) -> Keys:
        """(B, bands) hashes of the bands' values."""
        used = found[:, : self._bands * self._rows].reshape(len(found), self._bands, self._rows)
        keys = np.zeros((len(found), self._bands), np.uint64)
        for row in range(self._rows):
            keys = (keys ^ used[:, :, row]) * _BAND_PRIME
        mixed: Keys = (keys ^ (keys >> np.uint64(29))) * _MIX
        return mixed

    def _empty_tables(self) -> NDArray[np.uint32]:
        """(bands, buckets, ways) numbers + 1 of the held pairs under a band's key; 0 is free."""
        buckets = 1 << max(0, (2 * len(self._held) // _WAYS - 1).bit_length())
        return np.zeros((self._bands, buckets, _WAYS), np.uint32)

    def _buckets(self, bands: Keys) -> NDArray[np.intp]:
        upper: NDArray[np.intp] = (bands >> np.uint64(32)).astype(np.intp)
        upper &= self._tables.shape[1] - 1
        return upper

    def _near_held(self, found: Signatures, bands: Keys) -> Flags:
        near = np.zeros(len(found), np.bool_)
        for table, buckets in zip(self._tables, self._buckets(bands).T, strict=True):
            for way in range(_WAYS):
                numbers = table[buckets, way].astype(np.intp) - 1
                rows = np.flatnonzero((numbers >= 0) & ~near)
                alike = similarity(found[rows], self._held[numbers[rows]])
                near[rows[alike >= self._threshold]] = True
        return near

    def _mark_near_each_other(self, found: Signatures, bands: Keys, near: Flags) -> None:
        """Compare texts of one call: each with the newest kept one in each of its bands."""
        rows = np.flatnonzero(~near)
        shared = np.zeros(len(rows), np.bool_)
        for column in bands[rows].T:
            _, group, sizes = np.unique(column, return_inverse=True, return_counts=True)
            shared |= sizes[group] > 1
        newest: dict[tuple[int, int], int] = {}
        for row in rows[shared].tolist():
            keys = list(enumerate(bands[row].tolist()))
            others = list({newest[key] for key in keys if key in newest})
            if (similarity(found[row], found[others]) >= self._threshold).any():
                near[row] = True
            else:
                newest.update(dict.fromkeys(keys, row))

    def _keep(self, kept: Signatures, bands: Keys) -> None:
        needed = min(self._total + len(kept), self._window)
        if needed > len(self._held):
            self._grow(min(self._window, 1 << (needed - 1).bit_length()))
        places = (self._total + np.arange(len(kept))) % len(self._held)
        self._held[places] = kept
        self._total += len(kept)
        self._enter(places, bands)

    def _grow(self, size: int) -> None:
        """Make room for `size` pairs; keys come back out of the signatures."""
        count = self._total
        self._held = np.concatenate([self._held, np.zeros((size - len(self._held), HASHES), "u1")])
        self._tables = self._empty_tables()
        for start in range(0, count, _SMALLEST):
            places = np.arange(start, min(start + _SMALLEST, count))
            self._enter(places, self._band_keys(self._held[places]))

    def _enter(self, places: NDArray[np.intp], bands: Keys) -> None:
        """Put numbers into the first free way of their buckets, or in place of another."""
        for table, buckets in zip(self._tables, self._buckets(bands).T, strict=True):
            held = table[buckets]
            ways = np.where(held.all(axis=1), places % _WAYS, (held == 0).argmax(axis=1))
            table[buckets, ways] = places + 1
