"""Optimiser, learning-rate schedule and averaged weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mltranslate_train.config import TrainConfig

_EMA_EVERY = 8
"""Steps between updates of the average; its decay is raised to this power."""


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019); biases and normalisation are not decayed."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=config.learning_rate, betas=(0.9, config.beta2), eps=1e-9, fused=True
    )


def learning_rate(step: int, config: TrainConfig) -> float:
    """Rate of a step, counted from 1: warm-up, stable or inverse square root, linear decay."""
    warm = min(1.0, step / max(1, config.warmup_steps))
    rate = config.learning_rate * warm
    if config.inverse_sqrt and step > config.warmup_steps:
        rate *= (max(1, config.warmup_steps) / step) ** 0.5
    left = config.max_steps - step + 1
    return rate * left / (config.decay_steps + 1) if left <= config.decay_steps else rate


class MovingAverage:
    """Exponential moving average of the weights, updated every few steps to stay cheap."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._source = [parameter.detach() for parameter in model.parameters()]
        self._names = [name for name, _ in model.named_parameters()]
        self._average = [parameter.clone() for parameter in self._source]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Fold in the weights after `step`; early steps count more, as nothing was averaged yet."""
        if self._decay and step % _EMA_EVERY:
            return
        decay = min(self._decay, step / (step + 10.0)) ** _EMA_EVERY if self._decay else 0.0
        torch._foreach_lerp_(self._average, self._source, 1 - decay)

    def state_dict(self) -> dict[str, Tensor]:
        """Averaged weights under the model's names."""
        return dict(zip(self._names, self._average, strict=True))

    @torch.no_grad()
    def load(self, state: dict[str, Tensor]) -> None:
        """Take over averaged weights that `state_dict` gave."""
        for name, average in zip(self._names, self._average, strict=True):
            average.copy_(state[name])
