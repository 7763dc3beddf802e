"""From `train.objective` to what a model learns by."""

from __future__ import annotations

import torch
from torch import nn

from mltranslate.errors import ConfigError
from mltranslate_train.align.objective import GuidedTranslation
from mltranslate_train.config import TrainConfig
from mltranslate_train.model.layers import CausalLayer, DecoderLayer, EncoderLayer
from mltranslate_train.model.seq2seq import TextModel
from mltranslate_train.objective import Objective, Translation
from mltranslate_train.pretraining.objectives import MaskedPieces, NextPiece

LAYERS = EncoderLayer, CausalLayer, DecoderLayer
"""Parts that are compiled each for itself."""
OBJECTIVES: dict[str, type[Objective]] = {
    "translation": Translation,
    "masked": MaskedPieces,
    "language-model": NextPiece,
}
"""Objectives by their name in `train.objective`."""


def make_objective(model: TextModel, config: TrainConfig, precision: torch.dtype) -> Objective:
    """The objective that `train.objective` names; with `train.compile` its model is compiled.

    A Transformer is so layer by layer: they all share one compilation, which takes seconds.

    Raises:
        ConfigError: there is no such objective.
    """
    if config.objective not in OBJECTIVES:
        raise ConfigError(
            f"train.objective is {config.objective!r}", fix=f"Choose one of {', '.join(OBJECTIVES)}"
        )
    if config.compile:
        layers: list[nn.Module] = [part for part in model.modules() if isinstance(part, LAYERS)]
        for part in layers or [model]:
            part.compile(dynamic=True)
    if config.alignment_weight:
        return GuidedTranslation(model, config, precision)
    return OBJECTIVES[config.objective](model, config, precision)
