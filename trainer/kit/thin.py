"""Less data than there is, chosen so that what is left teaches the same.

An origin of weight 0.2 comes in one epoch of five. Where not all pairs can travel, its pairs are
thinned out first, and those that are left come more often: nothing of higher weight is repeated
more than it would be, until all are repeated alike.
"""

from __future__ import annotations

import dataclasses
import glob
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from mltranslate.errors import ConfigError
from mltranslate_train.config import Recipe
from mltranslate_train.data.readers import weight_of
from mltranslate_train.data.shards import Shard

_ROUNDS = 60
"""Halvings of an interval, down to the last bit."""


def shares(recipe: Recipe, shards: Iterable[Shard], tokens: int) -> dict[str, float]:
    """Share of each origin's pairs to keep, so that about `tokens` ids are left; 0 keeps all.

    Raises:
        ConfigError: the recipe has a curriculum, in which weights change.
    """
    sizes = _sizes(shards)
    if not tokens or tokens >= sizes.total():
        return dict.fromkeys(sizes, 1.0)
    if recipe.data.curriculum:
        raise ConfigError(
            "data.curriculum does not fit data that is thinned out",
            why="how often an origin comes changes on the way",
            fix="Pack all of it, or leave the curriculum out",
        )
    weights = {origin: weight_of(origin, recipe.data.weights) for origin in sizes}
    low, high = 0.0, 1 / min(weight for weight in weights.values() if weight)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        left = sum(size * min(1.0, middle * weights[name]) for name, size in sizes.items())
        low, high = (middle, high) if left < tokens else (low, middle)
    return {origin: min(1.0, low * weight) for origin, weight in weights.items()}


def _sizes(shards: Iterable[Shard]) -> Counter[str]:
    """Ids of each origin, both sides and all shards together."""
    sizes: Counter[str] = Counter()
    for shard in shards:
        for group in shard.groups:
            records = shard.records[group.start : group.start + group.pairs]
            sides = (records[side].sum(dtype=np.int64) for side in ("first", "second"))
            sizes[group.origin] += int(sum(sides))
    return sizes


def reweighted(recipe: Recipe, kept: Mapping[str, float]) -> Recipe:
    """The recipe for data of which these shares are left: as much comes of every origin."""
    own = {
        glob.escape(origin): weight_of(origin, recipe.data.weights) / share
        for origin, share in kept.items()
        if 0 < share < 1
    }
    # The last match counts: what is known by name comes after all patterns.
    weights = {name: value for name, value in recipe.data.weights.items() if name not in own} | own
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, weights=weights))
