"""Makes the shortlists of a pack from the lexicons that the trainer's aligner wrote for a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor

from mltranslate.errors import DataError
from mltranslate.packs.shortlist import Shortlist
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_train.align.lexicon import read_lexicon
from mltranslate_train.data.prepare import SHARDS
from mltranslate_train.data.shards import Shard, ranges

FREQUENT = 100
"""So many of a target language's most frequent pieces are always kept."""
_SAMPLE = 20_000
"""Most pairs of two languages whose pieces are counted."""

Ids = NDArray[np.int64]


def make_shortlists(checkpoint: Checkpoint, run: Path, size: int) -> dict[str, Shortlist]:
    """Shortlists of all target languages of a run: at most `size` translations of each piece.

    A piece may also stand for itself (names, code). Always kept are the most frequent pieces of the
    language, and those without letters that it uses: digits and punctuation. A byte brings all
    bytes. Pieces that the aligner never saw have no candidates.

    Raises:
        DataError: the run lacks the lexicon of a direction, or its data.
    """
    processor = SentencePieceProcessor(model_file=str(checkpoint.vocabulary))
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    letterless = np.array([not any(map(str.isalpha, piece)) for piece in pieces])
    byte = np.array([bool(processor.is_byte(i)) for i in range(len(pieces))])
    free = np.ones(len(pieces), np.bool_)
    free[list(checkpoint.banned)] = False
    found = {}
    for target in sorted({target for _, target in checkpoint.directions}):
        sources = sorted(source for source, its in checkpoint.directions if its == target)
        shards = {source: _shard(run, source, target) for source in sources}
        counts = sum(_counts(shard, target, len(pieces)) for shard in shards.values())
        frequent = np.zeros(len(pieces), np.bool_)
        frequent[np.argsort(-counts, kind="stable")[:FREQUENT]] = True
        always = free & (counts > 0) & (frequent | letterless & ~byte)
        pairs = [_translations(shard, source, target, size) for source, shard in shards.items()]
        pairs += [_same(np.flatnonzero(always)), _all_of(np.flatnonzero(byte))]
        found[target] = _gather(pairs, always, free)
    return found


def _shard(run: Path, source: str, target: str) -> Shard:
    for name in (f"{source}-{target}", f"{target}-{source}"):
        if (run / SHARDS / name).is_dir():
            return Shard(run / SHARDS / name)
    raise DataError(
        f"{run} has no data of {source} and {target}",
        fix="Make it with `mltranslate-train prepare`, or export without --shortlist",
    )


def _counts(shard: Shard, target: str, size: int) -> Ids:
    """How often a sample of the target's text has each piece (V,)."""
    count = min(len(shard), _SAMPLE)
    numbers = np.linspace(0, len(shard), count, endpoint=False).astype(np.int64)
    tokens, first, second = shard.read(numbers)
    ends = (first + second).cumsum()
    where = ranges(ends - second, second)
    if shard.languages[0] == target:
        where = ranges(ends - second - first, first)
    return np.bincount(tokens[where], minlength=size)


def _translations(shard: Shard, source: str, target: str, size: int) -> Ids:
    """Pairs (N, 2) of pieces and their likeliest translations, and of those pieces with themselves.

    Zeros of the lexicon, which fill its rows, are left out.
    """
    table = read_lexicon(shard.folder, source, target)[:, :size].astype(np.int64)
    piece, rank = np.nonzero(table)
    known = np.unique(piece)
    return np.concatenate([np.stack([piece, table[piece, rank]], axis=1), _same(known)])


def _same(pieces: Ids) -> Ids:
    return np.stack([pieces, pieces], axis=1)


def _all_of(pieces: Ids) -> Ids:
    """Each of the pieces with all of them."""
    return np.stack([np.repeat(pieces, len(pieces)), np.tile(pieces, len(pieces))], axis=1)


def _gather(pairs: list[Ids], always: NDArray[np.bool_], free: NDArray[np.bool_]) -> Shortlist:
    """One table of all pairs; what is always kept is stored once, so that it costs no space."""
    joint = np.unique(np.concatenate(pairs), axis=0)
    piece, made = joint[free[joint[:, 1]]].T
    # A piece whose candidates are all kept anyway still has to be known: it keeps its first.
    wanted = ~always[made]
    wanted[np.unique(piece, return_index=True)[1]] = True
    counts = np.bincount(piece[wanted], minlength=len(always))
    return Shortlist.of(counts, made[wanted], np.flatnonzero(always))


def describe(shortlists: Mapping[str, Shortlist]) -> dict[str, dict[str, int]]:
    """The sizes of the parts, as the manifest has them."""
    return {
        target: {"candidates": len(one.candidates), "always": len(one.always)}
        for target, one in shortlists.items()
    }
