"""Token batches by length bucket, drawn by temperature over directions; exactly resumable.

The order is a pure function of the seed and of `SamplerState`: examples are drawn into pools,
a pool is sorted by length and cut into batches, and the batches of a pool are shuffled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mltranslate.errors import DataError
from mltranslate_train.config import DataConfig, Recipe
from mltranslate_train.data.prepare import SHARDS, VOCABULARY_FILE
from mltranslate_train.data.readers import weight_of
from mltranslate_train.data.shards import Shard
from mltranslate_train.tokenizer import END, PAD, Vocabulary

_POOL = 1 << 15
"""Examples sorted together: enough for tight buckets, few enough to keep order random."""
_STEP = 4
"""Lengths are padded to multiples of this or more.

Matrix libraries compile a kernel for each new shape, which takes longer than a training step: the
widths and heights of all batches come from one short list.
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded ids on the CPU: source (B, S), target input (B, T), target output (B, T)."""

    source: Tensor
    target_in: Tensor
    target_out: Tensor

    @property
    def target_tokens(self) -> int:
        """Real target tokens, end marks included."""
        return int((self.target_out != PAD).sum())

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        moved = (
            item.to(device, non_blocking=True)
            for item in (self.source, self.target_in, self.target_out)
        )
        return Batch(*moved)


@dataclass(slots=True)
class SamplerState:
    """Where the sampler is: enough to continue with the very next batch."""

    pool: int = 0
    """Pools that were finished."""
    batch: int = 0
    """Batches already given out of the current pool."""
    drawn: dict[str, int] = field(default_factory=dict)
    """Examples drawn from each direction before the current pool."""


class Direction:
    """One direction over a shard, as an endless shuffled stream of example numbers."""

    def __init__(
        self, source: str, target: str, shard: Shard, config: DataConfig, tag: int
    ) -> None:
        self.name = f"{source}-{target}"
        self.shard = shard
        self.tag = tag
        self.swapped = shard.languages != (source, target)
        by_origin = np.array([weight_of(origin, config.weights) for origin in shard.origins])
        self._weights = by_origin[shard.records["origin"]]
        self.size = float(self._weights.sum())
        if not self.size:
            raise DataError(
                f"no example is left for {self.name}", fix="Raise its data.weights in the recipe"
            )
        self._seed = [config.seed, *self.name.encode()]
        self._offsets = np.random.default_rng(self._seed).random(len(self._weights))
        self._epoch: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))
        self._ends = [0]
        """Where epoch n begins, and at [n + 1] ends, as far as they were needed."""

    def _copies(self, epoch: int) -> NDArray[np.int64]:
        """How often each example comes in an epoch.

        The fractions of the weights add up from epoch to epoch: an example of weight 0.4 comes in
        two epochs of five, and another one in two others.
        """
        before = np.floor(epoch * self._weights + self._offsets)
        after = np.floor((epoch + 1) * self._weights + self._offsets)
        copies: NDArray[np.int64] = (after - before).astype(np.int64)
        return copies

    def _epoch_order(self, epoch: int) -> NDArray[np.int64]:
        """Example numbers of one epoch, shuffled."""
        if self._epoch[0] != epoch:
            copies = self._copies(epoch)
            order = np.repeat(np.arange(len(copies)), copies)
            np.random.default_rng([*self._seed, epoch]).shuffle(order)
            self._epoch = (epoch, order)
        return self._epoch[1]

    def _locate(self, position: int) -> tuple[int, int]:
        """Epoch of a position in the endless stream, and the position within it."""
        while self._ends[-1] <= position:
            length = int(self._copies(len(self._ends) - 1).sum())
            self._ends.append(self._ends[-1] + length)
        epoch = bisect_right(self._ends, position) - 1
        return epoch, position - self._ends[epoch]

    def take(self, start: int, count: int) -> NDArray[np.int64]:
        """Example numbers at positions start … start + count - 1 of the endless stream."""
        parts = []
        while count > 0:
            epoch, offset = self._locate(start)
            part = self._epoch_order(epoch)[offset : offset + count]
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def lengths(self, examples: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Source and target lengths in ids, tag or end mark included."""
        records = self.shard.records[examples]
        first, second = records["first"].astype(np.int64), records["second"].astype(np.int64)
        source, target = (second, first) if self.swapped else (first, second)
        return source + 2, target + 1

    def example(self, number: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Source and target pieces."""
        first, second = self.shard.pair(number)
        return (second, first) if self.swapped else (first, second)


class Sampler:
    """An endless, resumable stream of batches over all directions of a recipe."""

    def __init__(self, recipe: Recipe, run: Path, state: SamplerState | None = None) -> None:
        self.state = state or SamplerState()
        self._budget = recipe.train.batch_tokens
        self._limit = recipe.model.max_length
        self._seed = recipe.train.seed
        self.directions = _open_directions(recipe, run)
        sizes = np.array([direction.size for direction in self.directions])
        shares = (sizes / sizes.sum()) ** (1 / recipe.data.temperature)
        self.shares: NDArray[np.float64] = shares / shares.sum()

    def __iter__(self) -> Iterator[Batch]:
        """Give batches for ever, keeping `state` at the batch after the one given last."""
        while True:
            rng = np.random.default_rng([self._seed, self.state.pool])
            counts = rng.multinomial(_POOL, self.shares)
            for rows in self._cut(counts, rng)[self.state.batch :]:
                self.state.batch += 1
                yield self._assemble(rows)
            for direction, count in zip(self.directions, counts, strict=True):
                drawn = self.state.drawn
                drawn[direction.name] = drawn.get(direction.name, 0) + int(count)
            self.state.pool, self.state.batch = self.state.pool + 1, 0

    def _cut(self, counts: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Batches of rows (direction, example, source length, target length), shuffled."""
        tables = []
        for number, (direction, count) in enumerate(zip(self.directions, counts, strict=True)):
            examples = direction.take(self.state.drawn.get(direction.name, 0), int(count))
            source, target = direction.lengths(examples)
            tables.append(
                np.stack([np.full(len(examples), number), examples, source, target], axis=1)
            )
        pool = np.concatenate(tables)
        # Ties in length are broken at random, so that directions mix within a batch.
        pool = pool[np.lexsort((rng.random(len(pool)), pool[:, 2:4].max(axis=1)))]
        batches = _split_by_budget(pool, self._budget, self._limit)
        return [batches[index] for index in rng.permutation(len(batches))]

    def _assemble(self, rows: NDArray[np.int64]) -> Batch:
        height = len(rows)
        width = _bucket(_longer(rows), self._limit)
        source = np.full((height, width), PAD, np.int64)
        target = np.full((height, width + 1), PAD, np.int64)
        for row, (number, example, _, _) in enumerate(rows):
            direction = self.directions[number]
            pieces, answer = direction.example(int(example))
            source[row, 0] = target[row, 0] = direction.tag
            source[row, 1 : len(pieces) + 1] = pieces
            source[row, len(pieces) + 1] = END
            target[row, 1 : len(answer) + 1] = answer
            target[row, len(answer) + 1] = END
        target_in = np.where(target[:, :-1] == END, PAD, target[:, :-1])
        tensors = (
            torch.from_numpy(np.ascontiguousarray(item))
            for item in (source, target_in, target[:, 1:])
        )
        return Batch(*tensors)


def _split_by_budget(pool: NDArray[np.int64], budget: int, limit: int) -> list[NDArray[np.int64]]:
    """Cut rows sorted by length, longest first, into batches of few distinct shapes.

    A batch's height depends on its longest row's bucket alone. The shortest rows seldom fill
    their batch; rows from its start are repeated.
    """
    batches, stop = [], len(pool)
    while stop > 0:
        height = max(1, budget // _bucket(_longer(pool[stop - 1 : stop]), limit))
        rows = pool[max(0, stop - height) : stop]
        batches.append(np.resize(rows, (height, pool.shape[1])))
        stop -= height
    return batches


def _longer(rows: NDArray[np.int64]) -> int:
    return int(rows[:, 2:4].max())


def _bucket(length: int, limit: int) -> int:
    """The smallest bucket that holds `length`: steps of four, then of an eighth of the length.

    No bucket goes beyond `limit`, the model's longest sequence.
    """
    step = max(_STEP, 1 << max(0, length.bit_length() - 3))
    return min(limit, -(-length // step) * step)


def _open_directions(recipe: Recipe, run: Path) -> list[Direction]:
    vocabulary = Vocabulary(run / VOCABULARY_FILE)
    shards: dict[frozenset[str], Shard] = {}
    for folder in sorted((run / SHARDS).iterdir()):
        shard = Shard(folder)
        shards[frozenset(shard.languages)] = shard
    return [
        Direction(
            source,
            target,
            shards[frozenset((source, target))],
            recipe.data,
            vocabulary.tag_id(target),
        )
        for source, target in recipe.directions
    ]
