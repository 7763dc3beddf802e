"""Label-smoothed cross-entropy fused with the output layer, in bounded memory.

Logits for a whole batch over a large vocabulary would cost more memory traffic than the rest of
a small model. Here they are made in chunks, and each chunk's gradient is computed while the
chunk is in the cache (the idea of Liger Kernel's fused linear cross-entropy, Hsu et al. 2024).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 512
"""Rows multiplied at once on a CPU; inputs are padded to a multiple, so that few shapes exist."""
_GPU_LOGITS = 1 << 28
"""Logits multiplied at once on a GPU: half a gigabyte in bf16, and few kernels a batch."""
_CACHED = 16
"""Rows of a product that are worked on at once on a CPU: they fit a core's cache, even in fp32."""
_TINY = 1e-38
"""Smallest probability whose logarithm is taken; a token costs at most 87 nats."""


class _FusedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        labels: Tensor,
        smoothing: float,
        counts: Tensor | None,
    ) -> Tensor:
        rows, size = len(states), len(weight)
        states = functional.pad(states, (0, 0, 0, -rows % BLOCK))
        cast = weight.to(states.dtype)
        # Of the mean of all logits, over which smoothing spreads, each row of `weight` is a share.
        shares = weight.new_full((size,), 1 / size) if counts is None else counts / counts.sum()
        bias = None if counts is None else counts.log().to(states.dtype)
        centre = (shares @ weight).to(states.dtype)
        state_gradient = torch.empty_like(states)
        weight_gradient = torch.zeros_like(weight)
        total = states.new_zeros((), dtype=torch.float32)
        height = block_rows(states.device, size)
        to_gradient = _to_gradient if states.device.type == "cpu" else to_gradient_at_once
        for start in range(0, len(states), height):
            block, wanted = states[start : start + height], labels[start : start + height]
            mean = (block[: len(wanted)] @ centre).float()  # of all logits of a row
            product = block @ cast.T if bias is None else torch.addmm(bias, block, cast.T)
            loss, product = to_gradient(product, wanted, smoothing)
            total += loss - smoothing * mean.sum()
            state_gradient[start : start + height] = product @ cast
            weight_gradient += product.T @ block
        # Smoothing takes the same share off every logit's gradient.
        state_gradient -= (shares @ cast.float() * smoothing).to(states.dtype)
        weight_gradient -= torch.outer(shares * smoothing, states.float().sum(0))
        ctx.save_for_backward(state_gradient[:rows], weight_gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        (scale,) = outputs
        state_gradient, weight_gradient = ctx.saved_tensors
        return state_gradient * scale, weight_gradient * scale, None, None, None


def block_rows(device: torch.device, size: int) -> int:
    """Rows to multiply at once by a vocabulary of that size, a multiple of BLOCK."""
    return BLOCK if device.type == "cpu" else max(1, _GPU_LOGITS // size // BLOCK) * BLOCK


def _to_gradient(logits: Tensor, labels: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """Summed loss of a block, without smoothing's mean; its logits (N, V) become their gradient.

    Rows beyond the labels are padding; their gradient is zero.
    """
    total = logits.new_zeros((), dtype=torch.float32)
    for part in parts(logits, len(labels)):
        picked = labels[part, None]
        scores = logits[part].float()
        chances = scores.softmax(1)
        total += cross_entropy(scores, chances, picked, smoothing)
        kept = torch.full_like(picked, smoothing - 1, dtype=chances.dtype)
        logits[part] = chances.scatter_add_(1, picked, kept)
    logits[len(labels) :] = 0
    return total, logits


def to_gradient_at_once(logits: Tensor, labels: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """As `_to_gradient`, where memory is read and written through and kernels are started.

    The probabilities are rounded as the logits are, and nothing but they is written: torch's
    softmax computes in fp32 inside.
    """
    chances = logits.softmax(1)
    real = chances[: len(labels)]
    picked = labels[:, None]
    chosen = real.gather(1, picked).float()
    scores = logits[: len(labels)].gather(1, picked).float()
    # log sum exp = score - log p, of which smoothing leaves its share.
    total = (smoothing * scores - chosen.clamp_min(_TINY).log()).sum()
    real.scatter_(1, picked, (chosen + (smoothing - 1)).to(chances.dtype))
    chances[len(labels) :] = 0
    return total, chances


def parts(logits: Tensor, rows: int) -> Iterator[slice]:
    """Slices of the first `rows` rows, each small enough for what holds it while it is changed."""
    size = _CACHED if logits.device.type == "cpu" else max(1, rows)
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def cross_entropy(scores: Tensor, chances: Tensor, picked: Tensor, smoothing: float) -> Tensor:
    """Sum of log sum exp less the picked score's share; the mean score's share is not in it.

    Scores (N, V), their softmax (N, V), and the labels (N, 1).
    """
    wanted = scores.gather(1, picked)
    # log p = score - log sum exp; taken from the picked class, the sum need not be kept.
    normaliser = wanted - chances.gather(1, picked).clamp_min(_TINY).log()
    return (normaliser - (1 - smoothing) * wanted).sum()


def fused_cross_entropy(
    states: Tensor, weight: Tensor, labels: Tensor, smoothing: float, counts: Tensor | None = None
) -> Tensor:
    """Summed label-smoothed cross-entropy in nats (Szegedy et al. 2016).

    Args:
        states: decoder states (N, D), in the precision to multiply in.
        weight: output embedding (V, D), whose gradient is accumulated in its own precision.
        labels: target ids (N,), none of them padding.
        smoothing: probability mass spread evenly over the vocabulary.
        counts: how many pieces of the vocabulary each row of `weight` stands for (V,), in fp32;
            one each without it. A label's must be 1.
    """
    loss: Tensor = _FusedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        states, weight, labels, smoothing, counts
    )
    return loss
