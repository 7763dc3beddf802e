"""Pools: examples drawn together, whose tokens are in memory, cut into batches of like length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mltranslate.errors import DataError
from mltranslate_train.align.pooled import PooledLinks, joined_links, pooled
from mltranslate_train.data.shards import AGAIN, ranges
from mltranslate_train.data.streams import Direction
from mltranslate_train.data.subwords import SubwordSampler
from mltranslate_train.tokenizer import END, PAD

_STEP = 4
"""Lengths are padded to multiples of this or more.

Matrix libraries compile a kernel for each new shape, which takes longer than a training step: the
widths and heights of all batches come from one short list.
"""

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Side:
    """The pieces of one side of many examples: row i is tokens[starts[i] : starts[i] + lengths[i]].

    All arrays are (N,) but `tokens`.
    """

    tokens: NDArray[np.uint16]
    starts: Ids
    lengths: Ids

    def flat(self, rows: Ids) -> NDArray[np.uint16]:
        """Pieces of the rows, back to back."""
        return self.tokens[ranges(self.starts[rows], self.lengths[rows])]


@dataclass(frozen=True, slots=True)
class Pool:
    """Examples as they were drawn; tags (N,) ask for their target languages.

    Where the sides will be one sequence, that sequence decides which batch an example goes into.
    """

    source: Side
    target: Side
    tags: Ids
    one_sequence: bool = False
    exact: bool = False
    """Batches are as wide as their longest row; else their widths are of a short list."""
    links: PooledLinks | None = None
    """Word alignments, if they are to be learnt."""

    def __len__(self) -> int:
        return len(self.tags)

    @property
    def longer(self) -> Ids:
        """The longer side of each example, or both in one, with tag and end marks (N,)."""
        if self.one_sequence:
            marks = 2 + (self.source.lengths > 0)
            whole: Ids = self.source.lengths + self.target.lengths + marks
            return whole
        longer: Ids = np.maximum(self.source.lengths + 2, self.target.lengths + 1)
        return longer

    def padded(self, rows: Ids, limit: int) -> tuple[Ids, Ids, Ids]:
        """Source, target input and target output of the rows, each (B, bucket)."""
        shape = (len(rows), self._width(int(self.longer[rows].max()), limit))
        tags, every = self.tags[rows], np.arange(len(rows))
        source, given, wanted = (np.full(shape, PAD, np.int64) for _ in range(3))
        source[:, 0] = given[:, 0] = tags
        lengths, pieces = self.source.lengths[rows], self.source.flat(rows)
        source[_mask(lengths, 1, shape[1])] = pieces
        source[every, lengths + 1] = END
        lengths, pieces = self.target.lengths[rows], self.target.flat(rows)
        given[_mask(lengths, 1, shape[1])] = pieces
        wanted[_mask(lengths, 0, shape[1])] = pieces
        wanted[every, lengths] = END
        return source, given, wanted

    def batches(self, budget: int, limit: int, rng: np.random.Generator) -> list[Ids]:
        """Row numbers of batches of like length, shuffled."""
        # Ties in length are broken at random, so that directions mix within a batch.
        longer = self.longer
        rows = np.lexsort((rng.random(len(self)), longer))
        found = _split_by_budget(
            rows, longer[rows], lambda length: max(1, budget // self._width(length, limit))
        )
        return [found[index] for index in rng.permutation(len(found))]

    def _width(self, length: int, limit: int) -> int:
        return length if self.exact else bucket(length, limit)

    def resampled(self, sampler: SubwordSampler, seed: Sequence[int]) -> Pool:
        """The same examples, a share of whose sides are cut into other pieces.

        Their links are gone: they were of the old pieces.
        """
        source, target = (
            _resampled(side, sampler, [*seed, number])
            for number, side in enumerate((self.source, self.target))
        )
        moved = (source.starts != self.source.starts) | (target.starts != self.target.starts)
        links = self.links.without(moved) if self.links else None
        return replace(self, source=source, target=target, links=links)


def read_examples(direction: Direction, examples: Ids, vocabulary_size: int) -> Pool:
    """Read the examples of a shard with these record numbers.

    Raises:
        DataError: a record points outside the tokens, or a token is no piece of the vocabulary.
    """
    shard = direction.shard
    examples = np.sort(examples)  # front to back: the disk's own order
    tokens, first, second = shard.read(examples)
    if tokens.max(initial=0) >= vocabulary_size:
        raise DataError(
            f"shard {shard.folder} is damaged",
            why=f"piece {tokens.max()} is not in the vocabulary",
            fix=AGAIN,
        )
    begins = (first + second).cumsum() - first - second
    sides = Side(tokens, begins, first), Side(tokens, begins + first, second)
    source, target = sides[::-1] if direction.swapped else sides
    links = None
    if direction.links:
        links = pooled(*direction.links.read(examples), swapped=direction.swapped)
    return Pool(source, target, np.full(len(examples), direction.tag), links=links)


def joined(parts: list[Pool]) -> Pool:
    """One pool of all the examples."""
    source, target = (
        _joined([part.source for part in parts]),
        _joined([part.target for part in parts]),
    )
    links = [part.links for part in parts if part.links]
    tags = np.concatenate([part.tags for part in parts])
    return Pool(source, target, tags, links=joined_links(links) if links else None)


def _joined(sides: list[Side]) -> Side:
    offsets = np.cumsum([0, *(len(side.tokens) for side in sides[:-1])])
    return Side(
        np.concatenate([side.tokens for side in sides]),
        np.concatenate([side.starts + start for side, start in zip(sides, offsets, strict=True)]),
        np.concatenate([side.lengths for side in sides]),
    )


def _resampled(side: Side, sampler: SubwordSampler, seed: list[int]) -> Side:
    rows = sampler.choose(len(side.lengths), seed)
    old = [
        side.tokens[start : start + length].tolist()
        for start, length in zip(side.starts[rows], side.lengths[rows], strict=True)
    ]
    new = sampler.resample(old, seed)
    added = np.array([len(pieces) for pieces in new], np.int64)
    starts, lengths = side.starts.copy(), side.lengths.copy()
    starts[rows], lengths[rows] = len(side.tokens) + added.cumsum() - added, added
    flat = np.array([piece for pieces in new for piece in pieces], np.uint16)
    return Side(np.concatenate([side.tokens, flat]), starts, lengths)


def _mask(lengths: Ids, start: int, width: int) -> NDArray[np.bool_]:
    """True (B, width) at columns start … start + length - 1 of each row."""
    columns = np.arange(width)
    mask: NDArray[np.bool_] = (columns >= start) & (columns < start + lengths[:, None])
    return mask


def _split_by_budget(rows: Ids, lengths: Ids, height_of: Callable[[int], int]) -> list[Ids]:
    """Cut rows sorted by length, longest first, into batches of few distinct shapes.

    A batch's height depends on its longest row's length alone. The shortest rows seldom fill
    their batch; rows from its start are repeated.
    """
    batches, stop = [], len(rows)
    while stop > 0:
        height = height_of(int(lengths[stop - 1]))
        batches.append(np.resize(rows[max(0, stop - height) : stop], height))
        stop -= height
    return batches


def bucket(length: int, limit: int) -> int:
    """The smallest bucket that holds `length`: steps of four, then of an eighth of the length.

    No bucket goes beyond `limit`, the model's longest sequence.
    """
    step = max(_STEP, 1 << max(0, length.bit_length() - 3))
    return min(limit, -(-length // step) * step)
