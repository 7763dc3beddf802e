"""Which attention of a model says what its words come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mltranslate_train.model.transformer import TransformerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligner:
    """Which attention of a model is taken for its alignment."""

    layer: int
    """Of the decoder, from 0."""
    heads: int
    """The mean of so many first heads."""
    reading: bool
    """A subword's attention is that of the step that reads it, not of the one that predicts it."""


def aligner_of(config: TransformerConfig) -> Aligner:
    """Choose the attention that aligns best.

    Heads that were guided align the step that predicts a subword, in the layer that the trainer
    teaches (Garg et al. 2019). Other models align best, in a middle layer, the step that reads it
    (Chen et al. 2020, "Accurate word alignment induction from neural machine translation"): only
    there is it known. A single layer must predict.
    """
    layers = config.decoder_layers
    if config.alignment_heads:
        return Aligner(layer=max(0, layers - 2), heads=config.alignment_heads, reading=False)
    return Aligner(layer=(layers - 1) // 2, heads=config.heads, reading=layers > 1)
