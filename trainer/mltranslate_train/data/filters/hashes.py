"""Sets of texts as 64-bit hashes: about a dozen bytes an entry, whatever the length of the text.

Two different texts collide with a probability of n² / 2⁶⁵: 3 in 10,000 that a single one among a
hundred million is taken for another.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Flags = NDArray[np.bool_]

_PARTS = 16
"""Tables that grow one at a time, so that growing needs little memory beside the set itself."""
_FULL = 0.8
"""Share of slots in use at which a table grows; beyond it, probing becomes slow."""
_GROWTH = 1.3
_SMALLEST = 64
_runs_of_letters = re.compile(r"[^\W_]+").findall


def letters(text: str) -> str:
    """Lower-cased letters and digits only: texts that differ in punctuation count as equal."""
    return "".join(_runs_of_letters(text.lower()))


def keys_of(texts: Iterable[str]) -> Keys:
    """A 64-bit BLAKE2 hash of each text; lone surrogates are hashed too."""
    digests = (
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for text in texts
    )
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


class HashSet:
    """A growing set of 64-bit keys, 10 to 13 bytes each, which takes whole arrays at a time."""

    def __init__(self) -> None:
        self._tables = [_Table() for _ in range(_PARTS)]

    def __len__(self) -> int:
        return sum(table.count for table in self._tables)

    @property
    def bytes(self) -> int:
        """Memory that the set occupies."""
        return sum(table.slots.nbytes for table in self._tables)

    def add(self, keys: Keys) -> Flags:
        """Add the keys; True for each that was not there, once for equal keys of one call."""
        new = np.zeros(len(keys), np.bool_)
        _, firsts = np.unique(keys, return_index=True)
        for table, part in self._parts(keys, np.sort(firsts)):
            new[part] = table.add(_without_zero(keys[part]))
        return new

    def contains(self, keys: Keys) -> Flags:
        """Whether each key is in the set."""
        found = np.zeros(len(keys), np.bool_)
        for table, part in self._parts(keys, np.arange(len(keys))):
            found[part] = table.contains(_without_zero(keys[part]))
        return found

    def _parts(
        self, keys: Keys, rows: NDArray[np.intp]
    ) -> Iterable[tuple[_Table, NDArray[np.intp]]]:
        """Each table, with those of the rows whose keys belong to it."""
        part = keys[rows] % np.uint64(_PARTS)
        for number, table in enumerate(self._tables):
            yield table, rows[part == number]


class _Table:
    """Open addressing with linear probing, for arrays of distinct keys; 0 marks a free slot."""

    def __init__(self) -> None:
        self.slots = np.zeros(_SMALLEST, np.uint64)
        self.count = 0

    def add(self, keys: Keys) -> Flags:
        if self.count + len(keys) > _FULL * len(self.slots):
            self._grow(self.count + len(keys))
        new = self._insert(keys)
        self.count += int(new.sum())
        return new

    def contains(self, keys: Keys) -> Flags:
        found = np.zeros(len(keys), np.bool_)
        rows, places = np.arange(len(keys)), self._home(keys)
        while len(rows):
            held = self.slots[places]
            found[rows] = held == keys[rows]
            on = (held != 0) & ~found[rows]
            rows, places = rows[on], (places[on] + 1) % len(self.slots)
        return found

    def _insert(self, keys: Keys) -> Flags:
        """Put keys in; where several want one free slot, the last has it and the others go on."""
        new = np.zeros(len(keys), np.bool_)
        rows, places = np.arange(len(keys)), self._home(keys)
        while len(rows):
            free = self.slots[places] == 0
            self.slots[places[free]] = keys[rows[free]]
            settled = self.slots[places] == keys[rows]
            new[rows[settled & free]] = True
            rows, places = rows[~settled], (places[~settled] + 1) % len(self.slots)
        return new

    def _grow(self, needed: int) -> None:
        held = self.slots[self.slots != 0]
        size = max(int(len(self.slots) * _GROWTH), int(needed / _FULL) + 1)
        self.slots = np.zeros(size, np.uint64)
        self._insert(held)

    def _home(self, keys: Keys) -> NDArray[np.intp]:
        """First slot of each key: its upper half, scaled to the table."""
        scaled = (keys >> np.uint64(32)) * np.uint64(len(self.slots))
        places: NDArray[np.intp] = (scaled >> np.uint64(32)).astype(np.intp)
        return places


def _without_zero(keys: Keys) -> Keys:
    changed: Keys = np.maximum(keys, np.uint64(1))
    return changed


class TextSet:
    """Texts compared by their letters and digits; texts without any are never in it."""

    def __init__(self) -> None:
        self._keys = HashSet()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, forms: Sequence[str]) -> None:
        """Add texts that went through `letters`."""
        self._keys.add(keys_of(form for form in forms if form))

    def contains(self, forms: Sequence[str]) -> Flags:
        """Whether each text that went through `letters` is in the set."""
        if not len(self):
            return np.zeros(len(forms), np.bool_)
        has_letters = np.fromiter(map(bool, forms), np.bool_, len(forms))
        return has_letters & self._keys.contains(keys_of(forms))
