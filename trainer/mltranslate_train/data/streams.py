"""Endless shuffled streams of examples, and how often each is drawn from at each step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mltranslate.errors import DataError
from mltranslate_train.align.links import ShardLinks
from mltranslate_train.config import DataConfig, Recipe, StageConfig
from mltranslate_train.data.order import shuffled
from mltranslate_train.data.prepare import SHARDS, VOCABULARY_FILE
from mltranslate_train.data.readers import weight_of
from mltranslate_train.data.shards import AGAIN, Group, Shard
from mltranslate_train.data.weights import weighted_stages
from mltranslate_train.tokenizer import Vocabulary


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction over a shard; text in one language is its own source, which is empty."""

    source: str
    target: str
    shard: Shard
    tag: int
    """Id that asks for the target language."""
    links: ShardLinks | None = None
    """Word alignments, if they are to be learnt."""

    @property
    def name(self) -> str:
        """As in the recipe: "en-de", or "en"."""
        return "-".join(dict.fromkeys((self.source, self.target)))

    @property
    def swapped(self) -> bool:
        """The source is the shard's second side."""
        return self.shard.languages != (self.source, self.target)

    @property
    def groups(self) -> list[Group]:
        """Groups of the shard that teach this direction."""
        ways = ("both", "backward" if self.swapped else "forward")
        return [group for group in self.shard.groups if group.way in ways]


@dataclass(frozen=True, slots=True)
class Stream:
    """One origin in one direction, as an endless stream: each pass has all examples, reordered."""

    direction: Direction
    group: Group
    seed: int

    @property
    def name(self) -> str:
        """Key of the stream in a saved state."""
        way = "" if self.group.way == "both" else f" {self.group.way}"
        return f"{self.direction.name} {self.group.origin}{way}"

    def take(self, start: int, count: int) -> NDArray[np.int64]:
        """Record numbers at places start … start + count - 1 of the stream."""
        return self.group.start + shuffled(start, count, self.group.pairs, self.seed)


@dataclass(frozen=True, slots=True)
class Stage:
    """Shares of the streams, in their order and 1 together, from a step on."""

    from_step: int
    shares: NDArray[np.float64]

    def counts(self, total: int, chance: float) -> list[int]:
        """How many of `total` examples come from each stream, the remainders by `chance` in [0, 1).

        Systematic sampling: each count is the share rounded up or down, so that in the mean over
        all chances it is the share itself.
        """
        ends = np.zeros(len(self.shares))
        ends[self.shares > 0] = self.shares[self.shares > 0].cumsum()
        ends = np.maximum.accumulate(ends)
        ends = np.floor(ends / ends[-1] * total + chance).astype(np.int64)
        ends = np.minimum(ends, total)  # a chance just below 1 rounds up
        return [int(count) for count in np.diff(ends, prepend=0)]


def open_streams(recipe: Recipe, run: Path) -> list[Stream]:
    """The streams of all directions of a recipe.

    Raises:
        DataError: a shard is missing or damaged, or was made with another vocabulary; or word
            alignments are to be learnt and there are none.
    """
    vocabulary = Vocabulary(run / VOCABULARY_FILE)
    shards = _open_shards(run / SHARDS, len(vocabulary))
    streams = []
    texts = [(language, language) for language in recipe.data.languages]
    for source, target in [*recipe.directions, *texts]:
        languages = dict.fromkeys((source, target))
        if frozenset(languages) not in shards:
            raise DataError(
                f"there is no shard for {'-'.join(languages)} under {run / SHARDS}",
                fix=AGAIN,
            )
        shard = shards[frozenset((source, target))]
        links = ShardLinks(shard) if recipe.train.alignment_weight else None
        direction = Direction(source, target, shard, vocabulary.tag_id(target), links)
        streams += streams_of(direction, recipe.data.seed)
    return streams


def streams_of(direction: Direction, seed: int) -> list[Stream]:
    """One stream for each group of the shard that teaches the direction.

    Raises:
        DataError: there is none.
    """
    if not direction.groups:
        raise DataError(f"shard {direction.shard.folder} has no example for {direction.name}")
    return [Stream(direction, group, _seed(seed, direction, group)) for group in direction.groups]


def _seed(seed: int, direction: Direction, group: Group) -> int:
    words = [seed, *f"{direction.name} {group.origin} {group.way}".encode()]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])


def _open_shards(folder: Path, vocabulary_size: int) -> dict[frozenset[str], Shard]:
    shards = {}
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        shard = Shard(part)
        if shard.largest_id >= vocabulary_size:
            raise DataError(
                f"shard {part} has the piece {shard.largest_id}",
                why=f"the vocabulary ends at {vocabulary_size - 1}: another one made the shard",
                fix="Put that vocabulary.model back, or remove data.json to make the data again",
            )
        shards[frozenset(shard.languages)] = shard
    return shards


def stages_of(streams: list[Stream], data: DataConfig) -> list[Stage]:
    """The stages of the recipe, by rising step; the first holds from the start.

    Raises:
        DataError: a stage leaves a direction that it trains without any example.
    """
    return [
        Stage(stage.from_step, _shares(streams, stage, data)) for stage in weighted_stages(data)
    ]


def _shares(streams: list[Stream], stage: StageConfig, data: DataConfig) -> NDArray[np.float64]:
    """Directions by weight times size ** (1 / temperature), origins in one by weighted size."""
    totals = _weighted_sizes(streams, stage)
    largest = max(totals.values())
    factors = {
        name: (total / largest) ** (1 / data.temperature - 1)
        * weight_of(name, data.direction_weights)
        for name, total in totals.items()
    }
    shares = np.array(
        [
            _weighted_size(stream, stage) * factors.get(stream.direction.name, 0)
            for stream in streams
        ]
    )
    shares /= shares.sum()
    return shares


def _weighted_sizes(streams: list[Stream], stage: StageConfig) -> dict[str, float]:
    """Size of each direction that the stage trains."""
    names = [stream.direction.name for stream in streams]
    totals = {name: 0.0 for name in names if name in (stage.directions or names)}
    for name, stream in zip(names, streams, strict=True):
        if name in totals:
            totals[name] += _weighted_size(stream, stage)
    step = stage.from_step
    for name, total in totals.items():
        if not total:
            raise DataError(
                f"no example is left for {name}" + (f" from step {step} on" if step else ""),
                fix=f"Raise its {'data.curriculum' if step else 'data'} weights in the recipe",
            )
    return totals


def _weighted_size(stream: Stream, stage: StageConfig) -> float:
    return stream.group.pairs * weight_of(stream.group.origin, stage.weights)
