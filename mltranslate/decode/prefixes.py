"""Which subwords may come next, so that a translation begins with a given text.

A prefix may end within a word, which then has other subwords when it is whole: "▁Mor" becomes
"▁Morgen". So its units are the bytes that the subwords write. All words but the last keep the
subwords that the vocabulary splits them into; the last one may be spelt, and gone on with, in every
way that the vocabulary offers. Subwords that stand for single bytes write only what has no others.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mltranslate.decode.types import END, PAD, Prefix

Ids = NDArray[np.int64]

_OPEN_BYTES = 24
"""So much of the end may be spelt otherwise where a word is longer, or has no spaces around it."""
_SPACE = b" "
_NOWHERE = -1
"""The place of padding, which no number of units equals."""


@dataclass(frozen=True, slots=True)
class Path:
    """What may follow after each unit of a prefix."""

    permitted: tuple[tuple[int, ...], ...]
    """Ids by the number of units so far; none where no way leads to, or on from."""

    @property
    def length(self) -> int:
        """Units after which everything may follow."""
        return len(self.permitted)


class Spelling:
    """What every subword of a vocabulary writes."""

    def __init__(self, surfaces: Sequence[bytes], single_bytes: Collection[int] = ()) -> None:
        """`surfaces` is the UTF-8 of every id, with the space that begins a word; marks have none.

        The ids of `single_bytes` stand for one byte, which may be a part of a character.
        """
        self.advance: Ids = np.array([len(surface) for surface in surfaces], np.int64)
        """Units that each id adds (V,)."""
        self._surfaces = surfaces
        self._ids: dict[bytes, list[int]] = {}
        for piece, surface in enumerate(surfaces):
            if surface and piece not in single_bytes:
                self._ids.setdefault(surface, []).append(piece)
        self._sorted = sorted(self._ids)
        self._longest = max(map(len, self._sorted), default=0)

    def writes(self, pieces: Sequence[int]) -> bool:
        """Whether each of `pieces` is text."""
        return all(self._surfaces[piece] for piece in pieces)

    def path(self, prefix: Prefix, offered: NDArray[np.bool_] | None = None) -> Path:
        """The ways to write `prefix` with the ids `offered` (V,); None: with all.

        Its own subwords, all of which must be text, have to be among them.
        """
        texts = [self._surfaces[piece] for piece in prefix.pieces]
        fixed = len(texts) if prefix.ends_word else _last_word(texts)
        rows: list[tuple[int, ...]] = []
        for piece, text in zip(prefix.pieces, texts, strict=True):
            rows += [(piece,), *[()] * (len(text) - 1)]
        if prefix.ends_word:
            rows.append((*_among(offered, self._beginning(_SPACE)), END))
        self._spell(b"".join(texts), rows, sum(map(len, texts[:fixed])), offered)
        return Path(tuple(rows))

    def _spell(
        self, text: bytes, rows: list[tuple[int, ...]], first: int,
        offered: NDArray[np.bool_] | None,
    ) -> None:  # fmt: skip
        """Add to `rows`, from byte `first` on, every way to write `text` or more; no dead ends."""
        for start in reversed(range(first, len(text))):
            rest = text[start:]
            ids = [
                piece
                for end in range(1, min(self._longest, len(rest)) + 1)
                if end == len(rest) or rows[start + end]
                for piece in self._ids.get(rest[:end], ())
            ]
            if len(rest) < self._longest:
                ids += self._beginning(rest, longer=True)
            rows[start] = tuple(dict.fromkeys((*rows[start], *_among(offered, ids))))

    def _beginning(self, text: bytes, *, longer: bool = False) -> Iterator[int]:
        """Ids that begin with `text`; with `longer`, and go on after it."""
        for place in range(bisect.bisect_left(self._sorted, text), len(self._sorted)):
            surface = self._sorted[place]
            if not surface.startswith(text):
                return
            if len(surface) > len(text) or not longer:
                yield from self._ids[surface]


def _among(offered: NDArray[np.bool_] | None, ids: Iterable[int]) -> Iterable[int]:
    return ids if offered is None else [piece for piece in ids if offered[piece]]


def _last_word(texts: Sequence[bytes]) -> int:
    """Number of the subword with which the last word begins, or the part of it that is open."""
    size = 0
    for number in reversed(range(len(texts))):
        size += len(texts[number])
        if texts[number].startswith(_SPACE) or size >= _OPEN_BYTES:
            return number
    return 0


def path_feeds(
    paths: Sequence[Path], advance: Ids, choices: Ids | None = None
) -> dict[str, NDArray[Any]]:
    """The graphs' inputs for one path a sentence; `advance` (V,) gives the units of every id.

    `choices` are the ids of the shortlist, rising, whose places the graph takes instead of ids.
    """
    found = [
        [(piece, units) for units, row in enumerate(path.permitted) for piece in row]
        for path in paths
    ]
    shape = (len(paths), max([1, *map(len, found)]))
    pieces, units = np.full(shape, PAD, np.int64), np.full(shape, _NOWHERE, np.int64)
    for row, pairs in enumerate(found):
        if pairs:
            pieces[row, : len(pairs)], units[row, : len(pairs)] = np.array(pairs).T
    if choices is not None:
        pieces, advance = np.searchsorted(choices, pieces), advance[choices]
    lengths = np.array([path.length for path in paths], np.int64)
    return {
        "prefix": pieces, "prefix_units": units, "prefix_length": lengths, "advance": advance,
    }  # fmt: skip
