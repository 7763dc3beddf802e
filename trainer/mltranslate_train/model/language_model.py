"""Language models: they guess every next piece from those before it.

Shape suffixes as in `seq2seq`. A sequence begins with the tag of its language.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mltranslate_train.model.dropout import Dropout
from mltranslate_train.model.layers import CausalLayer
from mltranslate_train.model.recurrent import CELLS
from mltranslate_train.model.rnn import RnnConfig
from mltranslate_train.model.seq2seq import TextModel
from mltranslate_train.model.transformer import (
    TransformerConfig,
    final_norm,
    initialise_linears,
    sinusoids,
)  # fmt: skip


class LanguageModel(TextModel, ABC):
    """What every language model offers."""

    @abstractmethod
    def forward(self, ids: Tensor) -> Tensor:
        """States (B, T, D) of ids (B, T) for `logits`, which score what comes after each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalConfig(TransformerConfig):
    """Shape of a decoder-only Transformer."""

    unused: ClassVar[frozenset[str]] = frozenset(
        {"encoder_layers", "alignment_heads", "embeddings", "word_dropout"}
    )


class CausalTransformer(LanguageModel):
    """The Transformer's decoder without a source (GPT: Radford et al. 2018).

    Its weights have the names of the translation model's decoder, which can start from them.
    """

    config: CausalConfig
    positions: Tensor

    def __init__(self, config: CausalConfig) -> None:
        super().__init__(config)
        self.decoder_layers = nn.ModuleList(
            CausalLayer(config) for _ in range(config.decoder_layers)
        )
        self.decoder_norm = final_norm(config)
        self.dropout = Dropout(config.dropout)
        self.register_buffer(
            "positions", sinusoids(config.max_length, config.d_model), persistent=False
        )
        initialise_linears(self)
        self._initialise_embeddings()

    def forward(self, ids: Tensor) -> Tensor:
        """States (B, T, D) of ids (B, T)."""
        x = self.dropout(self._scale(self.embedding(ids)) + self.positions[: ids.shape[1]])
        for layer in self.decoder_layers:
            x = layer(x)
        states: Tensor = self.decoder_norm(x)
        return states


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentConfig(RnnConfig):
    """Shape of a recurrent language model."""

    unused: ClassVar[frozenset[str]] = frozenset(
        {"encoder_layers", "attention", "bidirectional", "embeddings", "word_dropout"}
    )


class RecurrentModel(LanguageModel):
    """LSTM or GRU layers (Mikolov et al. 2010; Zaremba et al. 2014), and a readout as the RNN's."""

    config: RecurrentConfig

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config)
        cell, width = CELLS[config.cell], config.d_model
        self.decoder = nn.ModuleList(cell(width, width) for _ in range(config.decoder_layers))
        self.readout = nn.Linear(width, width)
        self.dropout = Dropout(config.dropout)
        self._initialise_embeddings()

    def forward(self, ids: Tensor) -> Tensor:
        """States (B, T, D) of ids (B, T)."""
        x = self._scale(self.embedding(ids))
        for layer in self.decoder:
            x = layer.whole(self.dropout(x))  # type: ignore[operator]
        states: Tensor = self.dropout(torch.tanh(self.readout(x)))
        return states
