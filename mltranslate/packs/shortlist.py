"""The lexical shortlist of a pack: which ids a translation of given subwords is likely to need.

The member holds, for every target language that the manifest names, in its order: the number of
candidates of each subword (V,), the candidates of all subwords back to back, and the ids that are
always kept. Numbers are unsigned and little-endian, of 16 bits where the vocabulary has at most
65,536 ids and of 32 bits otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mltranslate.errors import PackError, reason
from mltranslate.packs.pack import Pack

Ids = NDArray[np.int64]
_SMALL_VOCABULARY = 1 << 16


@dataclass(frozen=True, slots=True)
class Shortlist:
    """What may stand in translations into one language."""

    counts: NDArray[Any]
    """Number of candidates of each subword (V,); 0: it was never seen."""
    candidates: NDArray[Any]
    """Of all subwords, back to back."""
    always: NDArray[Any]
    """Ids that every translation may have."""
    starts: Ids
    """Where the candidates of each subword begin (V,)."""

    @classmethod
    def of(cls, counts: NDArray[Any], candidates: NDArray[Any], always: NDArray[Any]) -> Shortlist:
        """Find the places of the candidates from their counts."""
        return cls(counts, candidates, always, counts.cumsum(dtype=np.int64) - counts)

    def covers(self, pieces: Sequence[int]) -> bool:
        """Whether every one of these subwords has candidates."""
        return bool(self.counts[list(pieces)].all()) if pieces else True

    def mark(self, pieces: Sequence[int], allowed: NDArray[np.bool_]) -> None:
        """Set `allowed` (V,) for every id that a translation of these subwords may have."""
        allowed[self.always] = True
        distinct = list(set(pieces))
        starts = self.starts[distinct].tolist()
        for start, count in zip(starts, self.counts[distinct].tolist(), strict=True):
            allowed[self.candidates[start : start + count]] = True


def number_type(vocabulary: int) -> np.dtype[Any]:
    """Type of all numbers in the member of a pack with so many ids."""
    return np.dtype("<u2" if vocabulary <= _SMALL_VOCABULARY else "<u4")


def pack_shortlists(shortlists: Sequence[Shortlist]) -> bytes:
    """The bytes of the member for languages in this order."""
    parts = (part for one in shortlists for part in (one.counts, one.candidates, one.always))
    kind = number_type(len(shortlists[0].counts))
    return b"".join(part.astype(kind).tobytes() for part in parts)


def read_shortlists(pack: Pack) -> Mapping[str, Shortlist]:
    """Shortlists by target language, none where the pack has none; `PackError` if damaged."""
    info = pack.manifest.shortlist
    if info is None:
        return {}
    size = pack.manifest.tokenizer.size
    path = pack.folder / info.file
    wanted = sum(size + shape.candidates + shape.always for shape in info.targets.values())
    kind = number_type(size)
    try:
        if path.stat().st_size != wanted * kind.itemsize:
            raise _damaged(pack)
        numbers = np.fromfile(path, kind)
    except OSError as error:
        raise PackError(f"{path} cannot be read", why=reason(error), fix="Permit it") from error
    found, start = {}, 0
    for language, shape in info.targets.items():
        ends = np.cumsum([size, shape.candidates, shape.always]) + start
        counts, candidates, always = np.split(numbers[start : ends[-1]], ends[:2] - start)
        one = Shortlist.of(counts, candidates, always)
        _check(one, pack, size, len(candidates) + len(always) == shape.candidates + shape.always)
        found[language] = one
        start = int(ends[-1])
    return found


def _check(one: Shortlist, pack: Pack, size: int, whole: bool) -> None:
    """Raise `PackError` unless all places and ids are within their tables."""
    ids = np.concatenate([one.candidates, one.always])
    if not whole or int(one.counts.sum(dtype=np.int64)) != len(one.candidates) or (
        len(ids) and int(ids.max()) >= size
    ):  # fmt: skip
        raise _damaged(pack)


def _damaged(pack: Pack) -> PackError:
    return PackError(
        f"the shortlist of the pack {pack.name} is damaged",
        why="its numbers do not fit the manifest",
        fix="Get the pack again",
    )
