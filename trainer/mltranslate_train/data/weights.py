"""Weights of origins, which may change with the stages of a curriculum."""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
from collections.abc import Iterable, Iterator

from mltranslate.errors import ConfigError
from mltranslate_train.config import DataConfig, StageConfig
from mltranslate_train.data.readers import PairFile, read_lines, weight_of


def weighted_stages(data: DataConfig) -> list[StageConfig]:
    """The stages with all weights that count in each; the first holds from the start.

    A stage's patterns come after those of `data.weights`, so that they win; other stages do not
    count.
    """
    stages = [StageConfig(from_step=0, weights=data.weights)]
    for stage in data.curriculum:
        # A pattern that comes again must move to the end, where an assignment leaves it in place.
        kept = {key: value for key, value in data.weights.items() if key not in stage.weights}
        stages.append(dataclasses.replace(stage, weights=kept | stage.weights))
    return stages


def largest_weight(origin: str, data: DataConfig) -> float:
    """The largest weight that the origin has in any stage."""
    return max(weight_of(origin, stage.weights) for stage in weighted_stages(data))


def is_used(origin: str, data: DataConfig) -> bool:
    """Whether the origin has a weight in any stage."""
    return largest_weight(origin, data) > 0


def check_patterns(data: DataConfig, origins: Iterable[str]) -> None:
    """Refuse names and patterns of origins that match none; reads no more origins than it must.

    Raises:
        ConfigError: one of data.weights, data.curriculum or data.holdout.origins matches nothing.
        DataError: an origin cannot be read.
    """
    waiting = dict(_patterns(data))
    seen: set[str] = set()
    for origin in origins if waiting else ():
        if origin in seen:
            continue
        seen.add(origin)
        waiting = {
            pattern: key for pattern, key in waiting.items() if not fnmatch.fnmatch(origin, pattern)
        }
        if not waiting:
            return
    for pattern, key in waiting.items():
        near = difflib.get_close_matches(pattern, sorted(seen), n=3, cutoff=0) or ["none"]
        raise ConfigError(
            f"{key} has {pattern!r}, which is no origin of the corpora",
            why=f"of {len(seen)} origins, the nearest are {', '.join(near)}",
            fix="Correct or remove it",
        )


def _patterns(data: DataConfig) -> Iterator[tuple[str, str]]:
    """Patterns of origins, with the key of the recipe that has them."""
    if data.holdout.per_mille:
        yield from ((pattern, "data.holdout.origins") for pattern in data.holdout.origins)
    for stage in data.curriculum:
        yield from ((pattern, "data.curriculum") for pattern in stage.weights)
    yield from ((pattern, "data.weights") for pattern in data.weights)


def origins_of(file: PairFile) -> Iterator[str]:
    """Origins in a file, again wherever another one was between; raises DataError."""
    if not file.corpus.folder:
        yield file.corpus.origin or file.path.name
        return
    last = None
    for _, line in read_lines(file.path):
        origin = line.partition("\t")[0]
        if origin != last:
            yield origin
            last = origin
