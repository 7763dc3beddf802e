"""The Transformer (Vaswani et al. 2017) and its variants.

Shape suffixes as in `seq2seq`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mltranslate.errors import ConfigError
from mltranslate_train.model.attention import Cache
from mltranslate_train.model.dropout import Dropout
from mltranslate_train.model.layers import AMONG_TARGET, DecoderLayer, EncoderLayer
from mltranslate_train.model.seq2seq import ModelConfig, Seq2Seq, check_choice


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerConfig(ModelConfig):
    """Shape of a Transformer; the fields mean what the recipe's keys of their names do."""

    heads: int = 8
    ffn: int = 1024
    norm: str = "pre"
    decoder: str = "attention"
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    alignment_heads: int = 0

    def __post_init__(self) -> None:
        ModelConfig.__post_init__(self)
        check_choice("norm", self.norm, ("pre", "post"))
        check_choice("decoder", self.decoder, tuple(AMONG_TARGET))
        if self.d_model % self.heads or self.d_model % 2:
            raise ConfigError(
                f"model.d_model {self.d_model} does not fit {self.heads} heads",
                why="it must be even and divisible by model.heads",
                fix="Choose d_model as a multiple of twice the heads",
            )
        if self.alignment_heads > self.heads:
            raise ConfigError(
                f"model.alignment_heads is {self.alignment_heads}",
                why=f"a layer has {self.heads} heads",
                fix="Choose model.heads at most",
            )


def sinusoids(length: int, width: int) -> Tensor:
    """Fixed positions (length, width): sines in the first half, cosines in the second."""
    step = math.log(10000.0) / (width // 2 - 1)
    frequency = torch.exp(torch.arange(width // 2) * -step)
    angle = torch.arange(length)[:, None] * frequency[None, :]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class Transformer(Seq2Seq):
    """The translation model that packs are made of.

    With `norm` "post" (Vaswani et al. 2017) no normalisation follows the last layers; with "pre"
    (Xiong et al. 2020) one does.
    """

    config: TransformerConfig
    positions: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        self.encoder_layers = nn.ModuleList(
            EncoderLayer(config) for _ in range(config.encoder_layers)
        )
        self.encoder_norm = final_norm(config)
        self.decoder_layers = nn.ModuleList(
            DecoderLayer(config) for _ in range(config.decoder_layers)
        )
        self.decoder_norm = final_norm(config)
        self.dropout = Dropout(config.dropout)
        self.register_buffer(
            "positions", sinusoids(config.max_length, config.d_model), persistent=False
        )
        initialise_linears(self)
        self._initialise_embeddings()

    def encode(self, source: Tensor, mask: Tensor | None) -> Tensor:
        """Encode source ids (B, S); `mask` (B, 1, 1, S) is true at real tokens. Gives (B, S, D)."""
        x = self._place(self.embed_source(source))
        for layer in self.encoder_layers:
            x = layer(x, mask)
        out: Tensor = self.encoder_norm(x)
        return out

    def memories(self, encoded: Tensor) -> list[Cache]:
        """Cross-attention keys and values of every decoder layer."""
        return [layer.cross_attention.memory(encoded) for layer in self._decoders()]

    def decode(self, target: Tensor, memories: list[Cache], mask: Tensor | None) -> Tensor:
        """Decoder states (B, T, D) of the target prefix ids (B, T), all positions at once."""
        x = self._place(self.embed_target(target))
        for layer, memory in zip(self.decoder_layers, memories, strict=True):
            x = layer(x, memory, mask)
        out: Tensor = self.decoder_norm(x)
        return out

    def forward_with_alignment(
        self, source: Tensor, target: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """As `forward`, and the alignment (B, T, S): a distribution over the source a position.

        It is the mean of the first `alignment_heads` heads of cross-attention in the last layer
        but one, or in the only one, which Garg et al. (2019) found to align best.

        Raises:
            ConfigError: the model has no alignment heads.
        """
        if not self.config.alignment_heads:
            raise ConfigError(
                "model.alignment_heads is 0",
                why="no head learns word alignments",
                fix="Set it to 1 at least",
            )
        memories = self.memories(self.encode(source, mask))
        x = self._place(self.embed_target(target))
        chosen, alignment = max(0, self.config.decoder_layers - 2), x
        for index, (layer, memory) in enumerate(zip(self._decoders(), memories, strict=True)):
            if index == chosen:
                x, alignment = layer.aligned(x, memory, mask, self.config.alignment_heads)
            else:
                x = layer(x, memory, mask)
        return self.decoder_norm(x), alignment

    def step(
        self, ids: Tensor, position: int, memories: list[Cache], mask: Tensor | None,
        caches: list[Cache] | None,
    ) -> tuple[Tensor, list[Cache]]:  # fmt: skip
        """One decoder step for ids (B,) at `position`: logits (B, V) and the new caches."""
        x = self._place(self.embed_target(ids[:, None]), position)
        new = []
        for index, layer in enumerate(self._decoders()):
            past = caches[index] if caches else None
            x, cache = layer.step(x, position, memories[index], mask, past)
            new.append(cache)
        return self.logits(self.decoder_norm(x[:, 0])), new

    def _place(self, embedded: Tensor, start: int = 0) -> Tensor:
        """Add positions start … start + T - 1 to embeddings (B, T, D)."""
        out: Tensor = self.dropout(embedded + self.positions[start : start + embedded.shape[1]])
        return out

    def _decoders(self) -> Iterable[DecoderLayer]:
        return cast(Iterable[DecoderLayer], self.decoder_layers)


def initialise_linears(model: nn.Module) -> None:
    """Draw the weights of every linear layer (Glorot and Bengio 2010), with zero biases."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def final_norm(config: TransformerConfig) -> nn.Module:
    """What follows the last layer: a normalisation if the layers normalise what they read."""
    return nn.LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()
