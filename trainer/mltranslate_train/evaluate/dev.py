"""Dev scores while training, whatever a model learns by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from mltranslate.errors import ConfigError
from mltranslate_train.config import Recipe
from mltranslate_train.evaluate import during, text
from mltranslate_train.model.seq2seq import ModelConfig
from mltranslate_train.tokenizer import Vocabulary

RUN = "{run}"
"""In the prefix of a dev set: the folder of the run, whose held-out text is then the set."""


class Scores(Protocol):
    """What an evaluation found."""

    @property
    def choice(self) -> float:
        """The best weights are those of the highest; never below zero."""

    def record(self) -> dict[str, Any]:
        """What metrics.jsonl says of the evaluation; "mean" is of its "metric"."""

    def about(self) -> dict[str, Any]:
        """What `best/model.json` says of the weights."""


def dev_scores(
    recipe: Recipe, config: ModelConfig, weights: dict[str, Tensor],
    vocabulary: Vocabulary, device: torch.device,
) -> Scores:  # fmt: skip
    """Score `weights` on every dev set of the recipe by what the model is for."""
    translates = recipe.train.objective == "translation"
    score = during.dev_scores if translates else text.text_scores
    return score(recipe, config, weights, vocabulary, device)


def in_run(recipe: Recipe, run: Path) -> Recipe:
    """The recipe with the folder of the run in the prefixes of its dev sets."""
    sets = (replace(dev, prefix=dev.prefix.replace(RUN, str(run))) for dev in recipe.evaluate.dev)
    return replace(recipe, evaluate=replace(recipe.evaluate, dev=tuple(sets)))


def check_given_sets(recipe: Recipe) -> None:
    """Check what can be checked before the data are made: all dev sets but the run's own.

    Raises:
        ConfigError: a dev set is of held-out text, and none is held out.
        DataError: as `check_dev_sets`.
    """
    own = [dev.name for dev in recipe.evaluate.dev if RUN in dev.prefix]
    if own and not recipe.data.holdout.per_mille:
        raise ConfigError(
            f"dev set {own[0]} is in the folder of the run, which holds nothing out",
            fix="Set data.holdout in the recipe, or name another file in evaluate.dev",
        )
    given = tuple(dev for dev in recipe.evaluate.dev if dev.name not in own)
    check_dev_sets(replace(recipe, evaluate=replace(recipe.evaluate, dev=given)))


def check_dev_sets(recipe: Recipe) -> None:
    """Raise DataError now rather than at the first evaluation, hours later."""
    if recipe.directions:
        during.check_dev_sets(recipe)
    text.check_texts(recipe)
