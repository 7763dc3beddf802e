"""What can stand in place of the decoder's self-attention: decoders of constant cost a step.

Shape suffixes as in `seq2seq`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mltranslate_train.model.attention import Cache
from mltranslate_train.model.feed_forward import FeedForward

if TYPE_CHECKING:
    from mltranslate_train.model.transformer import TransformerConfig


class AverageAttention(nn.Module):
    """Average attention network (Zhang et al. 2018), with its feed-forward network and gates.

    A token reads the plain mean of itself and what stands before it.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.ffn = FeedForward(config)
        self.gates = nn.Linear(2 * config.d_model, 2 * config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, D) to the same shape."""
        counts = torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]
        return self._gate(x, x.float().cumsum(1) / counts)

    def step(self, x: Tensor, position: int, past: Cache | None) -> tuple[Tensor, Cache]:
        """Map one token's x (B, 1, D), at `position`; the cache is the sum so far (B, 1, D)."""
        total = x.float() if past is None else past[0] + x.float()
        return self._gate(x, total / (position + 1)), (total,)

    def _gate(self, x: Tensor, mean: Tensor) -> Tensor:
        read = self.ffn(mean)
        keep, take = self.gates(torch.cat([x, read.to(x.dtype)], dim=-1)).sigmoid().chunk(2, dim=-1)
        out: Tensor = keep * x + take * read
        return out


class Ssru(nn.Module):
    """Simpler simple recurrent unit (Kim et al. 2019): a forget gate, a cell, and a ReLU."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.forget = nn.Linear(config.d_model, config.d_model)
        self.value = nn.Linear(config.d_model, config.d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, D) to the same shape."""
        return functional.relu(scan(*self._gates(x)))

    def step(self, x: Tensor, position: int, past: Cache | None) -> tuple[Tensor, Cache]:
        """Map one token's x (B, 1, D); the cache is the cell (B, 1, D)."""
        forget, added = self._gates(x)
        cell = added if past is None else forget * past[0] + added
        return functional.relu(cell), (cell,)

    def _gates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Forget gate and what is added to the cell, in the precision of sums."""
        forget = self.forget(x).float().sigmoid()
        return forget, (1 - forget) * self.value(x).float()


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, forget: Tensor, added: Tensor) -> Tensor:
        states = added.clone()
        for t in range(1, states.shape[1]):
            states[:, t].addcmul_(forget[:, t], states[:, t - 1])
        ctx.save_for_backward(forget, states)
        return states

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, Tensor]:
        forget, states = ctx.saved_tensors
        gradient = outputs[0].clone()
        for t in range(states.shape[1] - 2, -1, -1):
            gradient[:, t].addcmul_(forget[:, t + 1], gradient[:, t + 1])
        of_forget = torch.zeros_like(forget)
        torch.mul(gradient[:, 1:], states[:, :-1], out=of_forget[:, 1:])
        return of_forget, gradient


# torch.compile would unroll the loops, and anew for every length.
_apply: Any = torch.compiler.disable(_Scan.apply)  # type: ignore[no-untyped-call]


def scan(forget: Tensor, added: Tensor) -> Tensor:
    """Cells c(t) = forget(t) * c(t - 1) + added(t), all (B, T, D), from zero.

    A loop in place over the time steps: a parallel prefix sum makes log T passes over all the
    memory and is slower at sentence lengths, and one in closed form divides by vanishing products.
    """
    cells: Tensor = _apply(forget, added)
    return cells
