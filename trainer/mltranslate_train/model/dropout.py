"""Dropout (Srivastava et al. 2014) whose random numbers cost little on a CPU.

Torch draws one random number an element there, which takes longer than a small model's matrix
products. Eight elements share one 64-bit draw here, a byte each, so that a rate is rounded to a
256th; what is kept is scaled by the rounded rate, and the expectation stays exact.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = 256


class _DropBytes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dropped: int) -> Tensor:
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        mask = words.view(torch.uint8)[: x.numel()].view(x.shape) >= dropped
        ctx.save_for_backward(mask)
        ctx.scale = _LEVELS / (_LEVELS - dropped)
        return _masked(x, mask, ctx.scale)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return _masked(outputs[0], mask, ctx.scale), None


def _masked(x: Tensor, mask: Tensor, scale: float) -> Tensor:
    # Bytes become floats quickly, booleans do not; then a single pass over floats alone remains.
    kept = mask.view(torch.uint8).to(x.dtype)
    return torch.addcmul(kept.new_zeros(()), x, kept, value=scale)


def dropout(x: Tensor, rate: float) -> Tensor:
    """Zero a share `rate`, between 0 and 1, of x of any shape, and scale the others up."""
    if x.device.type != "cpu":
        return functional.dropout(x, rate)
    # At least one level either way: a rate in the recipe always drops something, never all.
    dropped = min(max(round(rate * _LEVELS), 1), _LEVELS - 1)
    out: Tensor = _DropBytes.apply(x, dropped)  # type: ignore[no-untyped-call]
    return out


class Dropout(nn.Module):
    """`dropout` while training."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Drop from x of any shape."""
        return dropout(x, self.rate) if self.training and self.rate else x
