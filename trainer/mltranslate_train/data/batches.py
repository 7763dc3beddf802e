"""Token batches by length bucket, drawn from all streams of a recipe; exactly resumable.

The order is a pure function of the recipe's seeds and of `SamplerState`: examples are drawn into
pools, a pool is sorted by length and cut into batches, and the batches of a pool are shuffled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mltranslate_train.config import Recipe
from mltranslate_train.data.pools import Ids, Pool, joined, read_examples
from mltranslate_train.data.prepare import VOCABULARY_FILE
from mltranslate_train.data.streams import Stage, open_streams, stages_of
from mltranslate_train.data.subwords import SubwordSampler
from mltranslate_train.tokenizer import PAD, Vocabulary

_POOL = 1 << 15
"""Examples sorted together: enough for tight buckets, few enough to keep order random."""
_USUAL_BATCH = 4096
"""Batch tokens up to which a pool has `_POOL` examples."""
_LARGE_BATCH = 1 << 15
"""Batch tokens from which batches are not widened to one of few widths.

So large ones are a GPU's, which has kernels for all of them: there only padding costs time.
"""


def pool_size(batch_tokens: int) -> int:
    """Examples of a pool: in proportion to large batches, so that it holds many of them.

    The last batch of a pool is filled up with rows of its own; with few batches, these would be
    a large share.
    """
    return _POOL * max(1, batch_tokens // _USUAL_BATCH)


@dataclass(frozen=True, slots=True)
class SamplerState:
    """Where the sampler is: enough to continue with the very next batch.

    All numbers are of the whole run: the processes of a parallel run have the same state.
    """

    pool: int = 0
    """Pools that were finished, or left when a stage began."""
    batch: int = 0
    """Batches already given out of the current pool."""
    drawn: dict[str, int] = field(default_factory=dict)
    """Examples drawn from each stream before the current pool."""
    step: int = 0
    """Training steps whose batches were all given out."""
    given: int = 0
    """Batches already given out of the next step."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded ids on the CPU: source (B, S), target input (B, T), target output (B, T)."""

    source: Tensor
    target_in: Tensor
    target_out: Tensor
    state: SamplerState = field(default_factory=SamplerState, compare=False, repr=False)
    """What continues after this batch, and after those of the other processes beside it."""
    links: Tensor | None = field(default=None, compare=False)
    """Word alignments (L, 3), if they are to be learnt: row, target and source position.

    A target position is that of `target_out`.
    """

    @property
    def target_tokens(self) -> int:
        """Real target tokens, end marks included."""
        return int((self.target_out != PAD).sum())

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        return self._with(lambda item: item.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """The same batch in memory from which CUDA copies while the process computes."""
        return self._with(Tensor.pin_memory)

    def _with(self, change: Callable[[Tensor], Tensor]) -> Batch:
        links = None if self.links is None else change(self.links)
        source, target_in = change(self.source), change(self.target_in)
        return Batch(source, target_in, change(self.target_out), self.state, links)


class Sampler:
    """An endless, resumable stream of batches over all directions of a recipe.

    A training step takes `train.accumulation` batches of each of `world` processes. They all make
    the same plan, and of every `world` batches in turn the process `rank` gets its own: together
    they train on what one process with `world` times the accumulation trains on.

    Raises:
        ConfigError: data.subword_sampling with a vocabulary that cannot.
        DataError: the shards are damaged, or a stage has no example for a direction.
    """

    def __init__(
        self, recipe: Recipe, run: Path, state: SamplerState | None = None,
        *, rank: int = 0, world: int = 1,
    ) -> None:  # fmt: skip
        self.state = state or SamplerState()
        self._recipe = recipe
        self._rank, self._world = rank, world
        self._batches_a_step = recipe.train.accumulation * world
        vocabulary = Vocabulary(run / VOCABULARY_FILE)
        self._vocabulary_size = len(vocabulary)
        self._subwords = None
        if recipe.data.subword_sampling:
            self._subwords = SubwordSampler(vocabulary, recipe.data)
        self.streams = open_streams(recipe, run)
        self.stages = stages_of(self.streams, recipe.data)

    def __iter__(self) -> Iterator[Batch]:
        """Give batches for ever, keeping `state` at what continues after the one given last."""
        plan = self._plan()
        while True:
            turn = [next(plan) for _ in range(self._world)]
            pool, rows, _ = turn[self._rank]
            source, given, wanted = pool.padded(rows, self._recipe.model.max_length)
            self.state = turn[-1][2]
            tensors = torch.from_numpy(source), torch.from_numpy(given), torch.from_numpy(wanted)
            links = torch.from_numpy(pool.links.of(rows)) if pool.links else None
            yield Batch(*tensors, self.state, links)

    def _plan(self) -> Iterator[tuple[Pool, Ids, SamplerState]]:
        """The batches of all processes: pool, its rows, and the state after the batch."""
        state = self.state
        while True:
            stage = self._stage(state.step + 1)
            pool, drawn = self._draw(state, stage)
            batches = self._cut(pool, state)
            for rows in batches[state.batch :]:
                state = self._counted(state)
                left = state.batch == len(batches) or self._stage(state.step + 1) is not stage
                if left:
                    state = replace(state, pool=state.pool + 1, batch=0, drawn=drawn)
                yield pool, rows, state
                if left:
                    break
            else:  # the pool has fewer batches than before: another batch_tokens, say
                state = replace(state, pool=state.pool + 1, batch=0, drawn=drawn)

    def _stage(self, step: int) -> Stage:
        """The stage that a step, counted from 1, belongs to."""
        return [stage for stage in self.stages if stage.from_step <= step][-1]

    def _counted(self, state: SamplerState) -> SamplerState:
        step, given = state.step, state.given + 1
        if given >= self._batches_a_step:
            step, given = step + 1, 0
        return replace(state, batch=state.batch + 1, step=step, given=given)

    def _draw(self, state: SamplerState, stage: Stage) -> tuple[Pool, dict[str, int]]:
        """The current pool, and how far each stream is after it."""
        chance = np.random.default_rng(self._seed(state, "chance")).random()
        drawn, parts = dict(state.drawn), []
        size = pool_size(self._recipe.train.batch_tokens)
        for stream, count in zip(self.streams, stage.counts(size, chance), strict=True):
            if count:
                start = drawn.get(stream.name, 0)
                examples = stream.take(start, count)
                parts.append(read_examples(stream.direction, examples, self._vocabulary_size))
                drawn[stream.name] = start + count
        pool = replace(
            joined(parts),
            one_sequence=self._recipe.train.objective == "masked",
            exact=self._recipe.train.batch_tokens >= _LARGE_BATCH,
        )
        if self._subwords:
            pool = pool.resampled(self._subwords, self._seed(state, "subwords"))
        return pool, drawn

    def _cut(self, pool: Pool, state: SamplerState) -> list[Ids]:
        rng = np.random.default_rng(self._seed(state, "order"))
        return pool.batches(self._recipe.train.batch_tokens, self._recipe.model.max_length, rng)

    def _seed(self, state: SamplerState, use: str) -> list[int]:
        return [self._recipe.train.seed, state.pool, *use.encode()]
