"""Guided alignment: attention heads that learn word alignments beside translation.

Cross-entropy of given links under the model's alignment heads (Chen et al. 2016; Garg et al. 2019).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mltranslate.errors import ConfigError
from mltranslate_train.config import TrainConfig
from mltranslate_train.data.batches import Batch
from mltranslate_train.device import autocast
from mltranslate_train.model.seq2seq import TextModel
from mltranslate_train.model.transformer import Transformer
from mltranslate_train.objective import Translation, source_mask

_LEAST = 1e-9
"""Probabilities are not taken for less, as nothing has a logarithm."""


class GuidedTranslation(Translation):
    """Cross-entropy of the target's tokens, and of the links by `train.alignment_weight`.

    Raises:
        ConfigError: the model has no alignment heads.
    """

    def __init__(self, model: TextModel, config: TrainConfig, precision: torch.dtype) -> None:
        super().__init__(model, config, precision)
        if not isinstance(model, Transformer) or not model.config.alignment_heads:
            raise ConfigError("train.alignment_weight needs model.alignment_heads")
        self._aligned = model.forward_with_alignment
        if config.compile:
            self._aligned = torch.compile(self._aligned, dynamic=True)

    def inputs(self, batch: Batch) -> tuple[Tensor, ...]:
        """As of `Translation`, then places (L,) of links in B · T · S, and their weights (L,)."""
        places, weights = link_targets(batch)
        return *super().inputs(batch), places, weights

    def forward(self, *inputs: Tensor) -> Tensor:
        """Summed loss of tokens, and weighted that of the tokens that have links."""
        source, target, places, labels, links, weights = inputs
        with autocast(source.device, self.precision):
            states, alignment = self._aligned(source, target, source_mask(source))
        loss = self._loss(states, places, labels)
        return loss + self.config.alignment_weight * alignment_loss(alignment, links, weights)


def link_targets(batch: Batch) -> tuple[Tensor, Tensor]:
    """Places (L,) of a batch's links in B · T · S, and the share (L,) of each in its token's links.

    Together they are the (B, T, S) target distribution, of which most is zero; a token without
    links has no target.
    """
    if batch.links is None:
        raise ValueError("the batch has no links")
    row, position, place = batch.links.unbind(1)
    height, width = batch.target_in.shape[1], batch.source.shape[1]
    token = row * height + position
    counts = torch.bincount(token, minlength=1)
    return token * width + place, 1 / counts[token]


def alignment_loss(alignment: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy in nats of link targets under an alignment (B, T, S), summed over tokens."""
    chosen = alignment.flatten()[places].float().clamp_min(_LEAST)
    return -(weights * chosen.log()).sum()
