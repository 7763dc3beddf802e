"""Encoder and decoder layers of the Transformer.

Shape suffixes as in `seq2seq`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from mltranslate_train.model.attention import Attention, Cache, CausalAttention, CrossAttention
from mltranslate_train.model.autoregressive import AverageAttention, Ssru
from mltranslate_train.model.dropout import Dropout
from mltranslate_train.model.feed_forward import FeedForward

if TYPE_CHECKING:
    from mltranslate_train.model.transformer import TransformerConfig

AMONG_TARGET: dict[str, type[CausalAttention | AverageAttention | Ssru]] = {
    "attention": CausalAttention,
    "average": AverageAttention,
    "ssru": Ssru,
}
"""What a target token reads its predecessors with, by the recipe's `decoder`."""


class _Layer(nn.Module):
    """Sub-layers with a residual connection and a normalisation each."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self._normalise_first = config.norm == "pre"
        self.dropout = Dropout(config.dropout)

    def _enter(self, norm: nn.Module, x: Tensor) -> Tensor:
        """What a sub-layer reads."""
        return norm(x) if self._normalise_first else x

    def _leave(self, norm: nn.Module, x: Tensor, added: Tensor) -> Tensor:
        """What comes out when a sub-layer adds to x."""
        x = x + self.dropout(added)
        return x if self._normalise_first else norm(x)


class EncoderLayer(_Layer):
    """Self-attention and feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.attention = Attention(config)
        self.ffn_norm = nn.LayerNorm(config.d_model)
        self.ffn = FeedForward(config)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map x (B, S, D) to the same shape; `mask` is (B, 1, 1, S), true where readable."""
        attended = self.attention(self._enter(self.attention_norm, x), mask)
        x = self._leave(self.attention_norm, x, attended)
        return self._leave(self.ffn_norm, x, self.ffn(self._enter(self.ffn_norm, x)))


class CausalLayer(_Layer):
    """A decoder layer of a language model, whose names it has: there is no source to attend to."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        self.self_norm = nn.LayerNorm(config.d_model)
        self.self_attention = AMONG_TARGET[config.decoder](config)
        self.ffn_norm = nn.LayerNorm(config.d_model)
        self.ffn = FeedForward(config)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, D) of all positions to the same shape."""
        read = self.self_attention(self._enter(self.self_norm, x))
        x = self._leave(self.self_norm, x, read)
        return self._leave(self.ffn_norm, x, self.ffn(self._enter(self.ffn_norm, x)))


class DecoderLayer(_Layer):
    """Self-attention or what replaces it, cross-attention and feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        self.self_norm = nn.LayerNorm(config.d_model)
        self.self_attention = AMONG_TARGET[config.decoder](config)
        self.cross_norm = nn.LayerNorm(config.d_model)
        self.cross_attention = CrossAttention(config)
        self.ffn_norm = nn.LayerNorm(config.d_model)
        self.ffn = FeedForward(config)

    def forward(self, x: Tensor, memory: Cache, mask: Tensor | None) -> Tensor:
        """Map x (B, T, D) of all target positions to the same shape."""
        return self._read_source(self._read_target(x), memory, mask)

    def aligned(
        self, x: Tensor, memory: Cache, mask: Tensor | None, heads: int
    ) -> tuple[Tensor, Tensor]:
        """As `forward`, and the mean attention (B, T, S) of the first `heads` heads."""
        x = self._read_target(x)
        entered = self._enter(self.cross_norm, x)
        alignment = self.cross_attention.alignment(entered, memory, mask, heads)
        return self._read_source(x, memory, mask), alignment

    def step(
        self, x: Tensor, position: int, memory: Cache, mask: Tensor | None, past: Cache | None
    ) -> tuple[Tensor, Cache]:
        """Map one token's x (B, 1, D), at `position` after `past`; returns the new cache."""
        entered = self._enter(self.self_norm, x)
        read, cache = self.self_attention.step(entered, position, past)
        x = self._leave(self.self_norm, x, read)
        return self._read_source(x, memory, mask), cache

    def _read_target(self, x: Tensor) -> Tensor:
        read = self.self_attention(self._enter(self.self_norm, x))
        return self._leave(self.self_norm, x, read)

    def _read_source(self, x: Tensor, memory: Cache, mask: Tensor | None) -> Tensor:
        attended = self.cross_attention.attend(self._enter(self.cross_norm, x), memory, mask)
        x = self._leave(self.cross_norm, x, attended)
        return self._leave(self.ffn_norm, x, self.ffn(self._enter(self.ffn_norm, x)))
