"""What a model learns by: a module that turns a batch into a summed loss.

The loss is part of the module's `forward`, so that whatever wraps the module – DDP, FSDP – sees
every use of the weights, that of the output matrix by a fused loss included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import chain

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mltranslate_train.config import TrainConfig
from mltranslate_train.data.batches import Batch
from mltranslate_train.device import autocast
from mltranslate_train.model.seq2seq import TextModel
from mltranslate_train.r_drop import fused_r_drop
from mltranslate_train.sampled import sampled_cross_entropy
from mltranslate_train.tokenizer import PAD


class Objective(nn.Module, ABC):
    """A model with its loss; `forward` takes what `inputs` made of a batch."""

    def __init__(self, model: TextModel, config: TrainConfig, precision: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.config, self.precision = config, precision

    @abstractmethod
    def inputs(self, batch: Batch) -> tuple[Tensor, ...]:
        """Tensors on the CPU that `forward` needs, made where no device has to wait for them."""

    @abstractmethod
    def tokens(self, batch: Batch) -> int:
        """What the loss is divided by: predictions that the batch asks for."""

    @abstractmethod
    def forward(self, *inputs: Tensor) -> Tensor:
        """Loss of a batch in nats, summed over its tokens."""

    def _loss(self, states: Tensor, places: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the labels (N,) at `places` in B · T of states (B, T, D)."""
        return self._cross_entropy(states.flatten(0, 1).to(self.precision)[places], labels)

    def _cross_entropy(self, states: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the labels (N,) at states (N, D), over as many pieces as asked for."""
        weight, smoothing = self.model.output_weight, self.config.label_smoothing
        size = self.config.sampled_softmax or len(weight)
        return sampled_cross_entropy(states, weight, labels, smoothing, size)


class Translation(Objective):
    """Cross-entropy of the target's tokens, with R-Drop if `train.r_drop` asks for it."""

    def inputs(self, batch: Batch) -> tuple[Tensor, ...]:
        """Source (B, S), target input (B, T), places (N,) of real tokens in B · T, labels (N,)."""
        labels = batch.target_out.flatten()
        places = (labels != PAD).nonzero().squeeze(1)
        return batch.source, batch.target_in, places, labels[places]

    def tokens(self, batch: Batch) -> int:
        """Real target tokens."""
        return batch.target_tokens

    def forward(self, *inputs: Tensor) -> Tensor:
        """Summed loss; with R-Drop the mean of both passes' entropy and half their divergence.

        Halved, the loss stays one per token, and `clip_norm` keeps its meaning.
        """
        source, target, places, labels = inputs
        smoothing, alpha = self.config.label_smoothing, self.config.r_drop
        if not alpha:
            return self._cross_entropy(self._states(source, target)[places], labels)
        places = torch.cat([places, places + target.numel()])
        states = self._states(source.repeat(2, 1), target.repeat(2, 1))[places]
        return fused_r_drop(states, self.model.output_weight, labels, smoothing, alpha) / 2

    def _states(self, source: Tensor, target: Tensor) -> Tensor:
        """Decoder states (B · T, D) in the precision to multiply in."""
        inputs = source, target, source_mask(source)
        states: Tensor
        if self.config.autocast:
            with autocast(source.device, self.precision):
                states = self.model(*inputs)
        else:
            states = functional_call(self.model, cast(self.model, self.precision), inputs)
        return states.flatten(0, 1).to(self.precision)


def cast(model: nn.Module, precision: torch.dtype) -> dict[str, Tensor]:
    """Weights and buffers of a model in `precision`; gradients go back to its own."""
    tensors = chain(model.named_parameters(), model.named_buffers())
    return {name: t.to(precision) if t.is_floating_point() else t for name, t in tensors}


def source_mask(source: Tensor) -> Tensor:
    """Mask (B, 1, 1, S) of source ids (B, S), true at real tokens."""
    return (source != PAD)[:, None, None, :]
