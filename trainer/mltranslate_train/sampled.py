"""Sampled softmax: the loss of a batch over a part of the vocabulary.

All pieces that the batch asks for are in the part, so that what is frequent is always there; of the
others some are drawn, and each stands for several in the sum over the vocabulary (Jean et al.
2015, with the whole batch's labels in place of a partition's).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mltranslate_train.loss import fused_cross_entropy


def sampled_cross_entropy(
    states: Tensor, weight: Tensor, labels: Tensor, smoothing: float, size: int
) -> Tensor:
    """Estimate of `fused_cross_entropy`, exact where `size` is the vocabulary's or more.

    Args:
        states: decoder states (N, D), in the precision to multiply in.
        weight: output embedding (V, D).
        labels: target ids (N,).
        smoothing: probability mass spread evenly over the vocabulary.
        size: pieces to score; of those that are no label, a quarter as many at least.
    """
    if size >= len(weight):
        return fused_cross_entropy(states, weight, labels, smoothing)
    pieces, counts = draw(labels, len(weight), size)
    rows = torch.searchsorted(pieces, labels)
    return fused_cross_entropy(states, weight[pieces], rows, smoothing, counts)


def draw(labels: Tensor, vocabulary: int, size: int) -> tuple[Tensor, Tensor]:
    """Ids to score, rising (C,), and how many pieces each stands for (C,): a label for itself."""
    counts = torch.zeros(vocabulary, device=labels.device)
    counts[labels] = 1
    others = (counts == 0).nonzero().squeeze(1)
    # However many labels there are, few others must not stand for all the rest.
    drawn = min(len(others), max(size - (vocabulary - len(others)), -(-size // 4)))
    if drawn:
        chosen = torch.randperm(len(others), device=labels.device)[:drawn]
        counts[others[chosen]] = len(others) / drawn
    pieces = counts.nonzero().squeeze(1)
    return pieces, counts[pieces]
