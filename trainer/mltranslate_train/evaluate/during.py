"""Dev scores while training: few sentences, greedy search, averaged weights."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from mltranslate.errors import DataError
from mltranslate_train.config import DevSet, Recipe
from mltranslate_train.data.readers import open_text
from mltranslate_train.evaluate.metrics import chrf
from mltranslate_train.evaluate.translate import translate
from mltranslate_train.model.transformer import Transformer, TransformerConfig
from mltranslate_train.tokenizer import Vocabulary


@dataclass(frozen=True, slots=True)
class DevScores:
    """chrF2++ by direction and set, and its mean."""

    by_direction: dict[str, float]
    mean: float
    signature: str


def dev_scores(
    recipe: Recipe, config: TransformerConfig, weights: dict[str, Tensor],
    vocabulary: Vocabulary, device: torch.device,
) -> DevScores:  # fmt: skip
    """Score `weights` on every dev set and direction of the recipe."""
    with torch.random.fork_rng():  # making a model must not move the training's generator
        model = Transformer(config).to(device)
    model.load_state_dict(weights)
    found, signature = {}, ""
    for dev in recipe.evaluate.dev:
        for source, target in recipe.directions:
            lines = [read_side(dev, code) for code in (source, target)]
            outputs = translate(model, vocabulary, lines[0], target, batch=recipe.evaluate.batch)
            score = chrf(outputs, lines[1])
            found[f"{dev.name}:{source}-{target}"] = round(score.value, 3)
            signature = score.signature
    return DevScores(found, fmean(found.values()), signature)


def check_dev_sets(recipe: Recipe) -> None:
    """Raise DataError now rather than at the first evaluation, hours later."""
    for dev in recipe.evaluate.dev:
        sizes = {code: len(read_side(dev, code)) for pair in recipe.directions for code in pair}
        if len(set(sizes.values())) != 1 or not min(sizes.values()):
            raise DataError(
                f"the files of dev set {dev.name} are not parallel", why=f"lines: {sizes}"
            )


def read_side(dev: DevSet, language: str) -> list[str]:
    """First `dev.lines` lines of one language; raises DataError if the file cannot be read."""
    path = Path(dev.prefix + language)
    try:
        # Only a line feed ends a line: other such marks occur inside sentences.
        with open_text(path) as lines:
            return [line.rstrip("\r\n") for line in islice(lines, dev.lines)]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"dev set {dev.name} has no readable {path}", why=str(error)) from error
