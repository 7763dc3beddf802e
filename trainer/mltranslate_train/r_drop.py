"""R-Drop (Liang et al. 2021) fused with the output layer, in bounded memory.

A batch passes the model twice, with two dropout masks; beside the cross-entropy of both passes,
the divergence between their predictions p and q is a loss. Everything is made in blocks of rows,
each with its gradient while it is in the cache, as in `loss`.

With d the difference of the logits, the symmetric divergence needs no logarithm:
KL(p, q) + KL(q, p) = sum (p - q) d, as what normalises the two cancels out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mltranslate_train.loss import BLOCK, cross_entropy, parts


class _FusedRDrop(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, weight: Tensor, labels: Tensor, smoothing: float, alpha: float
    ) -> Tensor:
        rows, size = len(labels), len(weight)
        pair = functional.pad(states.view(2, rows, -1), (0, 0, 0, -rows % BLOCK))
        cast = weight.to(states.dtype)
        centre = weight.mean(0).to(states.dtype)
        state_gradient = torch.empty_like(pair)
        weight_gradient = torch.zeros_like(weight)
        total = states.new_zeros((), dtype=torch.float32)
        for start in range(0, pair.shape[1], BLOCK):
            block, wanted = pair[:, start : start + BLOCK], labels[start : start + BLOCK]
            mean = (block[:, : len(wanted)] @ centre).float()  # of all logits of a row
            one, two = (part @ cast.T for part in block)
            total += _to_gradients(one, two, wanted, smoothing, alpha) - smoothing * mean.sum()
            for side, gradient in enumerate((one, two)):
                state_gradient[side, start : start + BLOCK] = gradient @ cast
                weight_gradient += gradient.T @ block[side]
        # Smoothing takes the same share off every logit's gradient.
        state_gradient -= (cast.float().sum(0) * (smoothing / size)).to(states.dtype)
        weight_gradient -= pair[:, :rows].float().sum((0, 1)) * (smoothing / size)
        ctx.save_for_backward(state_gradient[:, :rows].flatten(0, 1), weight_gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        (scale,) = outputs
        state_gradient, weight_gradient = ctx.saved_tensors
        return state_gradient * scale, weight_gradient * scale, None, None, None


def _to_gradients(
    one: Tensor, two: Tensor, labels: Tensor, smoothing: float, alpha: float
) -> Tensor:
    """Summed loss of a block, without smoothing's mean; logits (N, V) become their gradients.

    Rows beyond the labels are padding; their gradient is zero.
    """
    total = one.new_zeros((), dtype=torch.float32)
    for part in parts(one, len(labels)):
        total += _part_to_gradients(one[part], two[part], labels[part, None], smoothing, alpha / 2)
    one[len(labels) :] = 0
    two[len(labels) :] = 0
    return total


def _part_to_gradients(
    one: Tensor, two: Tensor, picked: Tensor, smoothing: float, half: float
) -> Tensor:
    first, second = one.float(), two.float()
    p, q = first.softmax(1), second.softmax(1)
    loss = cross_entropy(first, p, picked, smoothing)
    loss += cross_entropy(second, q, picked, smoothing)
    apart = first - second
    under_p, under_q = ((side * apart).sum(1, keepdim=True) for side in (p, q))
    loss += half * (under_p - under_q).sum()
    # The divergence's gradient to the first logits is half * (p * (apart - under_p) + p - q).
    slope = apart.mul_(half)
    kept = torch.full_like(picked, smoothing - 1, dtype=p.dtype)
    to_one = p * (slope + (1 + half - half * under_p)) - half * q
    to_two = q * ((1 + half + half * under_q) - slope) - half * p
    one.copy_(to_one.scatter_add_(1, picked, kept))
    two.copy_(to_two.scatter_add_(1, picked, kept))
    return loss


def fused_r_drop(
    states: Tensor, weight: Tensor, labels: Tensor, smoothing: float, alpha: float
) -> Tensor:
    """Cross-entropy of two passes plus `alpha` times half of KL(p, q) + KL(q, p), summed, in nats.

    Args:
        states: decoder states (2 N, D): all rows of the first pass, then those of the second.
        weight: output embedding (V, D), whose gradient is accumulated in its own precision.
        labels: target ids (N,), none of them padding.
        smoothing: probability mass of the cross-entropy spread evenly over the vocabulary.
        alpha: weight of the divergence; 0 gives the sum of both passes' `fused_cross_entropy`.
    """
    loss: Tensor = _FusedRDrop.apply(  # type: ignore[no-untyped-call]
        states, weight, labels, smoothing, alpha
    )
    return loss
