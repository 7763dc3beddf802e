"""Most probable translations of each piece, for shortlists of output pieces.

A lexicon is a .npy file (V, N) of 16-bit piece ids: row p has the N best translations of piece p,
best first, and then 0, the padding piece, where there are fewer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mltranslate.errors import DataError, reason
from mltranslate_train.align.model import Aligner, Way
from mltranslate_train.data.shards import Shard
from mltranslate_train.data.whole import whole_file, writable

_LEAST = 1e-4
"""Probability below which a translation is no more than chance."""


def lexicon_path(shard: Path, source: str, target: str) -> Path:
    """Where the lexicon of a direction lies in the shard's folder."""
    return shard / f"lexicon.{source}-{target}.npy"


def write_lexicons(shard: Shard, aligner: Aligner, size: int) -> None:
    """Write the lexicons of both directions with `size` translations a piece.

    Raises:
        DataError: the disk is full, or the folder cannot be written.
    """
    first, second = shard.languages
    for way, source, target in (
        (aligner.forward, first, second), (aligner.backward, second, first)
    ):  # fmt: skip
        table = best_translations(aligner, way, size)
        path = lexicon_path(shard.folder, source, target)
        with writable(shard.folder), whole_file(path) as new, new.open("wb") as file:
            np.save(file, table)


def best_translations(aligner: Aligner, way: Way, size: int) -> NDArray[np.uint16]:
    """The `size` most probable pieces (V, size) made of each given piece, best first, then 0.

    Improbable ones are left out.
    """
    likely = np.flatnonzero(way.probabilities >= _LEAST)
    given, made = way.given[likely].astype(np.int64), way.made[likely]
    order = np.lexsort((-way.probabilities[likely], given))
    given, made = given[order], made[order]
    rank = np.arange(len(given)) - np.searchsorted(given, given)
    table = np.zeros((aligner.pieces, size), np.uint16)
    kept = rank < size
    table[given[kept], rank[kept]] = made[kept]
    return table


def read_lexicon(shard: Path, source: str, target: str) -> NDArray[np.uint16]:
    """The lexicon (V, N) of a direction.

    Raises:
        DataError: it was not made, or cannot be read.
    """
    path = lexicon_path(shard, source, target)
    try:
        table: NDArray[np.uint16] = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"there is no lexicon {path}",
            why=reason(error),
            fix=f"Run `mltranslate-train align {shard.parent.parent} --lexicon N`",
        ) from error
    return table
