"""Shuffled orders that are computed, not stored: a permutation of any size in constant memory.

A Feistel network (Luby and Rackoff 1988) permutes the smallest power of four that holds the size;
what falls outside goes through it again until it is inside (cycle walking, Black and Rogaway
2002). Keys are mixed as in SplitMix (Steele, Lea and Flood 2014).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint64]

BLOCK = 1024
"""Neighbours in the corpus that stay neighbours on the way from the disk: some 100 KB."""
WINDOW = 512 * BLOCK
"""Examples shuffled together; an origin of fewer is shuffled as a whole."""
_ROUNDS = 6
_GOLDEN, _FIRST, _SECOND = (
    np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


def mixed(key: Numbers, number: Numbers | int) -> Numbers:
    """A key for each `number` that tells nothing of its neighbours'."""
    steps = np.atleast_1d(np.asarray(number, np.uint64))  # a scalar would warn when it overflows
    found: Numbers = key + (steps + np.uint64(1)) * _GOLDEN
    found = (found ^ (found >> np.uint64(30))) * _FIRST
    found = (found ^ (found >> np.uint64(27))) * _SECOND
    return found ^ (found >> np.uint64(31))


def permuted(index: Numbers, size: int, key: Numbers) -> Numbers:
    """Where a permutation of range(size) puts each index; `key` has one for each, or one in all."""
    found = index
    outside = np.arange(len(index))
    keys = np.broadcast_to(key, index.shape)
    while len(outside):
        found = found.copy() if found is index else found
        found[outside] = _feistel(found[outside], size, keys[outside])
        outside = outside[found[outside] >= size]
    return found


def _feistel(index: Numbers, size: int, key: Numbers) -> Numbers:
    half = np.uint64(max(1, ((size - 1).bit_length() + 1) // 2))
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = index >> half, index & mask
    for number in range(_ROUNDS):
        left, right = right, left ^ (mixed(key ^ right, number) & mask)
    return (left << half) | right


def shuffled(start: int, count: int, size: int, seed: int) -> NDArray[np.int64]:
    """Numbers below `size` at places start … start + count - 1 of an endless shuffled stream.

    Each pass over the numbers has its own order. It moves whole blocks about and shuffles the
    examples of a window of blocks, so that a window is read from some hundred places of a file
    instead of from as many as it has examples. Where the blocks begin differs from pass to pass.
    """
    place = np.arange(start, start + count, dtype=np.uint64)
    turn, offset = place // np.uint64(size), place % np.uint64(size)
    key = mixed(np.full(1, seed, np.uint64), turn)
    window, inside = offset // np.uint64(WINDOW), offset % np.uint64(WINDOW)
    whole = size // WINDOW
    for group, length in ((window < whole, WINDOW), (window >= whole, size - whole * WINDOW)):
        inside[group] = permuted(inside[group], length, mixed(key[group], window[group]))
    slot = window * np.uint64(WINDOW) + inside
    block, within = slot // np.uint64(BLOCK), slot % np.uint64(BLOCK)
    moved = block < size // BLOCK  # the rest is less than a block and stays last
    block[moved] = permuted(block[moved], size // BLOCK, ~key[moved])
    turned = (block * np.uint64(BLOCK) + within + key % np.uint64(size)) % np.uint64(size)
    return turned.astype(np.int64)
