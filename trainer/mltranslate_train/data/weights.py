"""Weights of origins, which may change with the stages of a curriculum."""

from __future__ import annotations

from mltranslate_train.config import DataConfig
from mltranslate_train.data.readers import weight_of


def stage_weights(data: DataConfig) -> list[tuple[int, dict[str, float]]]:
    """First step and weights of each stage; the first holds from the start.

    A stage's patterns come after those of `data.weights`, so that they win; other stages do not
    count.
    """
    stages = [(0, data.weights)]
    for stage in data.curriculum:
        # A pattern that comes again must move to the end, where an assignment leaves it in place.
        kept = {key: value for key, value in data.weights.items() if key not in stage.weights}
        stages.append((stage.from_step, kept | stage.weights))
    return stages


def is_used(origin: str, data: DataConfig) -> bool:
    """Whether the origin has a weight in any stage."""
    return any(weight_of(origin, weights) for _, weights in stage_weights(data))
