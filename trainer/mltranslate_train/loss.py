"""Label-smoothed cross-entropy fused with the output layer, in bounded memory.

Logits for a whole batch over a large vocabulary would cost more memory traffic than the rest of
a small model. Here they are made in chunks, and each chunk's gradient is computed while the
chunk is in the cache (the idea of Liger Kernel's fused linear cross-entropy, Hsu et al. 2024).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_BLOCK = 512
"""Rows multiplied at once; inputs are padded to a multiple, so that all products have one shape."""
_SLICE = 32
"""Rows normalised at once: their logits stay in a core's own cache."""


class _FusedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, weight: Tensor, labels: Tensor, smoothing: float
    ) -> Tensor:
        rows, size = len(states), len(weight)
        states = functional.pad(states, (0, 0, 0, -rows % _BLOCK))
        cast = weight.to(states.dtype)
        state_gradient = torch.empty_like(states)
        weight_gradient = torch.zeros_like(weight)
        total = states.new_zeros((), dtype=torch.float32)
        for start in range(0, len(states), _BLOCK):
            block, wanted = states[start : start + _BLOCK], labels[start : start + _BLOCK]
            logits = block @ cast.T
            total += _to_gradient(logits, wanted, smoothing)
            state_gradient[start : start + _BLOCK] = logits @ cast
            weight_gradient += logits.T @ block
        # Smoothing takes the same share off every logit's gradient.
        state_gradient -= (cast.float().sum(0) * (smoothing / size)).to(states.dtype)
        weight_gradient -= states.float().sum(0) * (smoothing / size)
        ctx.save_for_backward(state_gradient[:rows], weight_gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        (scale,) = outputs
        state_gradient, weight_gradient = ctx.saved_tensors
        return state_gradient * scale.to(state_gradient.dtype), weight_gradient * scale, None, None


def _to_gradient(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Turn logits (N, V) into their gradient in place, all but smoothing's constant share.

    Rows beyond the labels are padding and become zero. Returns the summed loss.
    """
    real = len(labels)
    picked = logits[:real].gather(1, labels[:, None]).float()
    total = -(1 - smoothing) * picked.sum()
    for start in range(0, real, _SLICE):
        part = logits[start : min(start + _SLICE, real)]
        scores = part.float()
        peak = scores.amax(1, keepdim=True)
        total = total - smoothing * scores.mean(1).sum()
        mass = scores.sub_(peak).exp_().sum(1, keepdim=True)
        total = total + (mass.log() + peak).sum()
        part.copy_(scores.mul_(mass.reciprocal()))
    logits[real:] = 0
    share = torch.full_like(labels[:, None], 0, dtype=logits.dtype) + (smoothing - 1)
    logits[:real].scatter_add_(1, labels[:, None], share)
    return total


def fused_cross_entropy(states: Tensor, weight: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Summed label-smoothed cross-entropy in nats (Szegedy et al. 2016).

    Args:
        states: decoder states (N, D), in the precision to multiply in.
        weight: output embedding (V, D), whose gradient is accumulated in its own precision.
        labels: target ids (N,), none of them padding.
        smoothing: probability mass spread evenly over the vocabulary.
    """
    loss: Tensor = _FusedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        states, weight, labels, smoothing
    )
    return loss
