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
_TINY = 1e-38
"""Smallest probability whose logarithm is taken; a token costs at most 87 nats."""


class _FusedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, weight: Tensor, labels: Tensor, smoothing: float
    ) -> Tensor:
        rows, size = len(states), len(weight)
        states = functional.pad(states, (0, 0, 0, -rows % _BLOCK))
        cast = weight.to(states.dtype)
        centre = weight.mean(0).to(states.dtype)
        state_gradient = torch.empty_like(states)
        weight_gradient = torch.zeros_like(weight)
        total = states.new_zeros((), dtype=torch.float32)
        for start in range(0, len(states), _BLOCK):
            block, wanted = states[start : start + _BLOCK], labels[start : start + _BLOCK]
            mean = (block[: len(wanted)] @ centre).float()  # of all logits of a row
            loss, gradient = _to_gradient(block @ cast.T, wanted, smoothing)
            total += loss - smoothing * mean.sum()
            state_gradient[start : start + _BLOCK] = gradient @ cast
            weight_gradient += gradient.T @ block
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


def _to_gradient(logits: Tensor, labels: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """Summed loss of a block and its gradient to the logits (N, V), without smoothing's share.

    Rows beyond the labels are padding; their gradient is zero.
    """
    picked = labels[:, None]
    probabilities = logits.softmax(1)
    scores = logits[: len(labels)].gather(1, picked).float()
    chances = probabilities[: len(labels)].gather(1, picked).float()
    # log p = score - log sum exp; taken from the picked class, the sum need not be kept.
    normaliser = scores - chances.clamp_min(_TINY).log()
    loss = (normaliser - (1 - smoothing) * scores).sum()
    probabilities[len(labels) :] = 0
    share = torch.full_like(picked, 0, dtype=logits.dtype) + (smoothing - 1)
    probabilities[: len(labels)].scatter_add_(1, picked, share)
    return loss, probabilities


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
