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

FREQUENT = 100
"""So many of a target language's pieces, those that translate most others, are always kept."""
Ids = NDArray[np.int64]


def make_shortlists(checkpoint: Checkpoint, run: Path, size: int) -> dict[str, Shortlist]:
    """Shortlists of all target languages of a run: at most `size` translations of each piece.

    A piece may also stand for itself (names, code). Always kept are the pieces of the language that
    translate most others, and those without letters: digits and punctuation. A byte brings all
    bytes. Pieces that the aligner never saw have no candidates. Of the data only the lexicons are
    read.

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
        lexicons = [_lexicon(run, source, target, size) for source in sources]
        counts = sum(_counts(lexicon) for lexicon in lexicons)
        frequent = np.zeros(len(pieces), np.bool_)
        frequent[np.argsort(-counts, kind="stable")[:FREQUENT]] = True
        always = free & (counts > 0) & (frequent | letterless & ~byte)
        pairs = [_translations(lexicon) for lexicon in lexicons]
        pairs += [_same(np.flatnonzero(always)), _all_of(np.flatnonzero(byte))]
        found[target] = _gather(pairs, always, free)
    return found


def _lexicon(run: Path, source: str, target: str, size: int) -> Ids:
    """The `size` likeliest translations of each piece (V, N), best first, then zeros."""
    for name in (f"{source}-{target}", f"{target}-{source}"):
        if (run / SHARDS / name).is_dir():
            return read_lexicon(run / SHARDS / name, source, target)[:, :size].astype(np.int64)
    raise DataError(
        f"{run} has no data of {source} and {target}",
        fix="Make it with `mltranslate-train prepare`, or export without --shortlist",
    )


def _counts(lexicon: Ids) -> Ids:
    """How many pieces each piece is a translation of (V,)."""
    return np.bincount(lexicon[lexicon > 0], minlength=len(lexicon))


def _translations(lexicon: Ids) -> Ids:
    """Pairs (N, 2) of pieces and their translations, and of those pieces with themselves.

    Zeros of the lexicon, which fill its rows, are left out.
    """
    piece, rank = np.nonzero(lexicon)
    known = np.unique(piece)
    return np.concatenate([np.stack([piece, lexicon[piece, rank]], axis=1), _same(known)])


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
