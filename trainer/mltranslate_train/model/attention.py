"""Multi-head scaled dot-product attention (Vaswani et al. 2017).

Shape suffixes as in `seq2seq`, and H heads, K width a head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from mltranslate_train.model.dropout import dropout as drop

if TYPE_CHECKING:
    from mltranslate_train.model.transformer import TransformerConfig

Cache = tuple[Tensor, ...]
"""What one layer keeps between steps; of attention: keys and values, each (B, H, length, K)."""


def attend(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, causal: bool,
    dropout: float = 0.0,
) -> Tensor:  # fmt: skip
    """Context (B, H, T, K) of queries over keys and values; `mask` is true where readable.

    Give a mask or `causal`, not both: the GPU's kernels take one of them. `dropout` is the share
    of weights to drop.
    """
    if query.device.type != "cpu":
        return functional.scaled_dot_product_attention(
            query, keys, values, attn_mask=mask, is_causal=causal, dropout_p=dropout
        )
    # On the CPU, at sentence lengths, the fused kernel's backward pass takes four times as long.
    scores = _scores(query, keys, mask)
    if causal:
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=query.device).triu(1)
        scores = scores.masked_fill(future, -torch.inf)
    weights = scores.softmax(-1).to(values.dtype)
    if dropout:
        weights = drop(weights, dropout)
    context: Tensor = weights @ values
    return context


def _scores(query: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
    scores: Tensor = (query * query.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    return scores if mask is None else scores.masked_fill(~mask, -torch.inf)


class Attention(nn.Module):
    """Self-attention; one projection makes queries, keys and values."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.attention_dropout
        self.qkv = nn.Linear(config.d_model, 3 * config.d_model)
        self.out = nn.Linear(config.d_model, config.d_model)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map x (B, S, D) to the same shape; `mask` (B, 1, 1, S) is true where readable."""
        query, key, value = self._project(x)
        return self._attend(query, (key, value), mask, causal=False)

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = (self._split(part) for part in self.qkv(x).chunk(3, dim=-1))
        return query, key, value

    def _split(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def _attend(self, query: Tensor, cache: Cache, mask: Tensor | None, causal: bool) -> Tensor:
        keys, values = cache
        context = attend(query, keys, values, mask, causal, self.dropout if self.training else 0.0)
        batch, _, length, _ = context.shape
        merged: Tensor = self.out(context.transpose(1, 2).reshape(batch, length, -1))
        return merged


class CausalAttention(Attention):
    """Self-attention of the decoder: a token reads itself and what stands before it."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map x (B, T, D) to the same shape."""
        query, key, value = self._project(x)
        return self._attend(query, (key, value), mask, causal=True)

    def step(self, x: Tensor, position: int, past: Cache | None) -> tuple[Tensor, Cache]:
        """Map one token's x (B, 1, D), at `position` after `past`; returns the grown cache."""
        query, key, value = self._project(x)
        if past is not None:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        return self._attend(query, (key, value), None, causal=False), (key, value)


class CrossAttention(Attention):
    """Attention from the decoder to the encoder's output, whose keys and values are made once."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        del self.qkv
        self.q = nn.Linear(config.d_model, config.d_model)
        self.kv = nn.Linear(config.d_model, 2 * config.d_model)

    def memory(self, encoded: Tensor) -> Cache:
        """Keys and values of the encoder output (B, S, D)."""
        key, value = (self._split(part) for part in self.kv(encoded).chunk(2, dim=-1))
        return key, value

    def attend(self, x: Tensor, memory: Cache, mask: Tensor | None) -> Tensor:
        """Context of x (B, T, D) over `memory`, of x's shape."""
        return self._attend(self._split(self.q(x)), memory, mask, causal=False)

    def alignment(self, x: Tensor, memory: Cache, mask: Tensor | None, heads: int) -> Tensor:
        """Attention probabilities (B, T, S) of x, the mean of the first `heads` heads."""
        query = self._split(self.q(x))[:, :heads]
        scores = _scores(query, memory[0][:, :heads], mask)
        return scores.float().softmax(-1).mean(1)
