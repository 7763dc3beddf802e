"""An encoder that guesses masked pieces from both sides (BERT: Devlin et al. 2019).

Shape suffixes as in `seq2seq`. Embedding, layers and last normalisation have the names that they
have in the translation model, so that its encoder can start from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from mltranslate_train.model.dropout import Dropout
from mltranslate_train.model.layers import EncoderLayer
from mltranslate_train.model.seq2seq import TextModel
from mltranslate_train.model.transformer import (
    TransformerConfig,
    final_norm,
    initialise_linears,
    sinusoids,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedConfig(TransformerConfig):
    """Shape of the Transformer's encoder."""

    unused: ClassVar[frozenset[str]] = frozenset(
        {"decoder_layers", "decoder", "alignment_heads", "embeddings", "word_dropout"}
    )


class MaskedModel(TextModel):
    """The Transformer's encoder, and a head in which states turn into guesses.

    The head (linear, GELU, normalisation, as BERT's) is thrown away after pre-training: it keeps
    the encoder's own states free to be more than the embedding of one piece.
    """

    config: MaskedConfig
    positions: Tensor

    def __init__(self, config: MaskedConfig) -> None:
        super().__init__(config)
        width = config.d_model
        self.encoder_layers = nn.ModuleList(
            EncoderLayer(config) for _ in range(config.encoder_layers)
        )
        self.encoder_norm = final_norm(config)
        self.head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.dropout = Dropout(config.dropout)
        self.register_buffer("positions", sinusoids(config.max_length, width), persistent=False)
        initialise_linears(self)
        self._initialise_embeddings()

    def forward(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        """States (B, S, D) of ids (B, S) for `logits`; `mask` (B, 1, 1, S) is true at real ones."""
        x = self.dropout(self._scale(self.embedding(ids)) + self.positions[: ids.shape[1]])
        for layer in self.encoder_layers:
            x = layer(x, mask)
        states: Tensor = self.head(self.encoder_norm(x))
        return states
