"""Dev scores while training, whatever a model learns by."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from mltranslate_train.config import Recipe
from mltranslate_train.evaluate import during, text
from mltranslate_train.model.seq2seq import ModelConfig
from mltranslate_train.tokenizer import Vocabulary


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


def check_dev_sets(recipe: Recipe) -> None:
    """Raise DataError now rather than at the first evaluation, hours later."""
    if recipe.directions:
        during.check_dev_sets(recipe)
    text.check_texts(recipe)
