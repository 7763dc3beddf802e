"""Pre-norm Transformer with tied embeddings (Vaswani et al. 2017; Xiong et al. 2020).

Shape suffixes: B batch, S source length, T target length, D model width, H heads, K width a head,
F feed-forward width, V vocabulary.

Input convention: the encoder reads `<2xx> x1 … xn </s>` and the decoder starts from the same
`<2xx>` tag, xx being the target language (Johnson et al. 2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mltranslate.errors import ConfigError

Cache = tuple[Tensor, Tensor]
"""Keys and values of one attention, each (B, H, length, K)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerConfig:
    """Shape of the model; `encoder_layers` deep and `decoder_layers` shallow decodes fastest."""

    vocabulary_size: int
    d_model: int = 256
    heads: int = 8
    ffn: int = 1024
    encoder_layers: int = 6
    decoder_layers: int = 2
    dropout: float = 0.1
    max_length: int = 256
    """Longest sequence, tag and end mark included, on either side."""

    def __post_init__(self) -> None:
        if self.d_model % self.heads or self.d_model % 2:
            raise ConfigError(
                f"model.d_model {self.d_model} does not fit {self.heads} heads",
                why="it must be even and divisible by model.heads",
                fix="Choose d_model as a multiple of twice the heads",
            )


def sinusoids(length: int, width: int) -> Tensor:
    """Fixed positions (length, width): sines in the first half, cosines in the second."""
    step = math.log(10000.0) / (width // 2 - 1)
    frequency = torch.exp(torch.arange(width // 2) * -step)
    angle = torch.arange(length)[:, None] * frequency[None, :]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def attend(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, causal: bool
) -> Tensor:
    """Context (B, H, T, K) of queries over keys and values; `mask` is true where readable.

    Give a mask or `causal`, not both: the GPU's kernels take one of them.
    """
    if query.device.type != "cpu":
        return functional.scaled_dot_product_attention(
            query, keys, values, attn_mask=mask, is_causal=causal
        )
    # On the CPU, at sentence lengths, the fused kernel's backward pass takes four times as long.
    scores = (query * query.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    if causal:
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=query.device).triu(1)
        scores = scores.masked_fill(future, -torch.inf)
    context: Tensor = scores.softmax(-1).to(values.dtype) @ values
    return context


class Attention(nn.Module):
    """Multi-head scaled dot-product attention; one projection makes queries, keys and values."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.d_model, 3 * config.d_model)
        self.out = nn.Linear(config.d_model, config.d_model)

    def _split(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def _attend(self, query: Tensor, cache: Cache, mask: Tensor | None, causal: bool) -> Tensor:
        context = attend(query, *cache, mask, causal)
        batch, _, length, _ = context.shape
        merged: Tensor = self.out(context.transpose(1, 2).reshape(batch, length, -1))
        return merged

    def forward(
        self, x: Tensor, mask: Tensor | None = None, causal: bool = False, past: Cache | None = None
    ) -> tuple[Tensor, Cache]:
        """Self-attention over x (B, T, D), after `past` if given; returns the grown cache."""
        query, key, value = (self._split(part) for part in self.qkv(x).chunk(3, dim=-1))
        if past is not None:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        return self._attend(query, (key, value), mask, causal), (key, value)


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


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between; ReLU quantises well."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.d_model, config.ffn)
        self.down = nn.Linear(config.ffn, config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (…, D) to the same shape."""
        out: Tensor = self.down(functional.relu(self.up(x)))
        return out


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each normalised before and added after."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.attention = Attention(config)
        self.ffn_norm = nn.LayerNorm(config.d_model)
        self.ffn = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map x (B, S, D) to the same shape; `mask` is (B, 1, 1, S), true where readable."""
        x = x + self.dropout(self.attention(self.attention_norm(x), mask)[0])
        out: Tensor = x + self.dropout(self.ffn(self.ffn_norm(x)))
        return out


class DecoderLayer(nn.Module):
    """Causal self-attention, cross-attention and feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.self_norm = nn.LayerNorm(config.d_model)
        self.self_attention = Attention(config)
        self.cross_norm = nn.LayerNorm(config.d_model)
        self.cross_attention = CrossAttention(config)
        self.ffn_norm = nn.LayerNorm(config.d_model)
        self.ffn = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, memory: Cache, mask: Tensor | None, past: Cache | None = None
    ) -> tuple[Tensor, Cache]:
        """Map x (B, T, D), or one step (B, 1, D) after `past`; returns the self-attention cache."""
        causal = x.shape[1] > 1
        attended, cache = self.self_attention(self.self_norm(x), causal=causal, past=past)
        x = x + self.dropout(attended)
        x = x + self.dropout(self.cross_attention.attend(self.cross_norm(x), memory, mask))
        return x + self.dropout(self.ffn(self.ffn_norm(x))), cache


class Transformer(nn.Module):
    """The translation model; embeddings serve encoder, decoder and output layer alike."""

    positions: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary_size, config.d_model)
        self.encoder_layers = nn.ModuleList(
            EncoderLayer(config) for _ in range(config.encoder_layers)
        )
        self.encoder_norm = nn.LayerNorm(config.d_model)
        self.decoder_layers = nn.ModuleList(
            DecoderLayer(config) for _ in range(config.decoder_layers)
        )
        self.decoder_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer(
            "positions", sinusoids(config.max_length, config.d_model), persistent=False
        )
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.embedding.weight, std=self.config.d_model**-0.5)

    def embed(self, ids: Tensor, start: int = 0) -> Tensor:
        """Embed ids (B, T) at positions start … start + T - 1 as (B, T, D)."""
        scaled = self.embedding(ids) * math.sqrt(self.config.d_model)
        out: Tensor = self.dropout(scaled + self.positions[start : start + ids.shape[1]])
        return out

    def encode(self, source: Tensor, mask: Tensor | None) -> Tensor:
        """Encode source ids (B, S); `mask` (B, 1, 1, S) is true at real tokens. Gives (B, S, D)."""
        x = self.embed(source)
        for layer in self.encoder_layers:
            x = layer(x, mask)
        out: Tensor = self.encoder_norm(x)
        return out

    def memories(self, encoded: Tensor) -> list[Cache]:
        """Cross-attention keys and values of every decoder layer."""
        return [layer.cross_attention.memory(encoded) for layer in self.decoder_layers]  # type: ignore[union-attr,operator]

    def decode(self, target: Tensor, memories: list[Cache], mask: Tensor | None) -> Tensor:
        """Decoder states (B, T, D) of the target prefix ids (B, T), all positions at once."""
        x = self.embed(target)
        for layer, memory in zip(self.decoder_layers, memories, strict=True):
            x, _ = layer(x, memory, mask)
        out: Tensor = self.decoder_norm(x)
        return out

    def step(
        self, ids: Tensor, position: int, memories: list[Cache], mask: Tensor | None,
        caches: list[Cache] | None,
    ) -> tuple[Tensor, list[Cache]]:  # fmt: skip
        """One decoder step for ids (B,) at `position`: logits (B, V) and the grown caches."""
        x = self.embed(ids[:, None], start=position)
        grown = []
        for index, layer in enumerate(self.decoder_layers):
            x, cache = layer(x, memories[index], mask, caches[index] if caches else None)
            grown.append(cache)
        return self.logits(self.decoder_norm(x[:, 0])), grown

    def logits(self, states: Tensor) -> Tensor:
        """Scores (…, V) of decoder states (…, D) against the tied embedding."""
        return functional.linear(states, self.embedding.weight)

    def forward(self, source: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        """Decoder states (B, T, D) for teacher forcing; call `logits` or a fused loss on them."""
        return self.decode(target, self.memories(self.encode(source, mask)), mask)
