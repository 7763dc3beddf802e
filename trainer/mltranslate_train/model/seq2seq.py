"""What every model over a vocabulary has, and what translation models offer beside it.

Shape suffixes: B rows, S source length, T target length, D model width, V vocabulary.

Input convention: the encoder reads `<2xx> x1 … xn </s>` and the decoder starts from the same
`<2xx>` tag, xx being the target language (Johnson et al. 2017). Padding stands at the end.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from mltranslate.errors import ConfigError
from mltranslate_train.model.dropout import Dropout

Tree = Any
"""Tensors in nested lists and tuples, each with the rows of a batch as its first dimension."""

EMBEDDINGS = ("shared", "target", "separate")


def map_tensors(function: Callable[[Tensor], Tensor], tree: Tree) -> Tree:
    """The same tree with `function` applied to every tensor."""
    if isinstance(tree, Tensor):
        return function(tree)
    return type(tree)(map_tensors(function, part) for part in tree)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Shape of any model; `encoder_layers` deep and `decoder_layers` shallow decodes fastest."""

    vocabulary_size: int
    d_model: int = 256
    encoder_layers: int = 6
    decoder_layers: int = 2
    dropout: float = 0.1
    word_dropout: float = 0.0
    max_length: int = 256
    """Longest sequence, tag and end mark included, on either side."""
    embeddings: str = "shared"
    """"shared" by encoder, decoder and output; "target" shares decoder and output; "separate"."""

    unused: ClassVar[frozenset[str]] = frozenset()
    """Fields that shape nothing in a model of this kind."""

    def __post_init__(self) -> None:
        check_choice("embeddings", self.embeddings, EMBEDDINGS)


def check_choice(key: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise ConfigError unless `model.<key>` has one of the allowed values."""
    if value not in allowed:
        raise ConfigError(f"model.{key} is {value!r}", fix=f"Choose one of {', '.join(allowed)}")


class TextModel(nn.Module):
    """Any model over a vocabulary: embeds pieces, and scores states by an output matrix.

    The embedding is the output matrix too, unless a subclass says otherwise.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary_size, config.d_model)

    @property
    def output_weight(self) -> Tensor:
        """Matrix (V, D) that scores states."""
        return self.embedding.weight

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embedding.weight.device

    def _scale(self, embedded: Tensor) -> Tensor:
        """Scale embeddings to unit variance at the start."""
        return embedded * math.sqrt(self.config.d_model)

    def _initialise_embeddings(self) -> None:
        """Draw every embedding so that first logits have unit variance."""
        for module in self.children():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=self.config.d_model**-0.5)

    def logits(self, states: Tensor) -> Tensor:
        """Scores (…, V) of states (…, D)."""
        return functional.linear(states, self.output_weight)


class Seq2Seq(TextModel, ABC):
    """A translation model: an encoder, a decoder, and what lies between them.

    `embedding` serves the decoder; encoder and output layer have a matrix of their own only
    where `embeddings` says so.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        size, width = config.vocabulary_size, config.d_model
        if config.embeddings != "shared":
            self.source_embedding = nn.Embedding(size, width)
        if config.embeddings == "separate":
            self.output = nn.Linear(width, size, bias=False)
        self.word_dropout = Dropout(config.word_dropout)

    @property
    def output_weight(self) -> Tensor:
        """Matrix (V, D) that scores states."""
        owner = self.output if self.config.embeddings == "separate" else self.embedding
        return owner.weight

    def embed_source(self, ids: Tensor) -> Tensor:
        """Embed source ids (B, S) as (B, S, D), scaled to unit variance at the start."""
        shared = self.config.embeddings == "shared"
        return self._words(self.embedding(ids) if shared else self.source_embedding(ids))

    def embed_target(self, ids: Tensor) -> Tensor:
        """Embed target ids (B, T) as (B, T, D), scaled alike."""
        return self._words(self.embedding(ids))

    def _words(self, embedded: Tensor) -> Tensor:
        """Scale embeddings (B, T, D); in training drop whole ones (Gal and Ghahramani 2016)."""
        scaled = self._scale(embedded)
        if not (self.training and self.config.word_dropout):
            return scaled
        kept: Tensor = self.word_dropout(scaled.new_ones(*scaled.shape[:2], 1))
        return scaled * kept

    def _initialise_embeddings(self) -> None:
        """Draw every embedding and the output matrix, so that first logits have unit variance."""
        super()._initialise_embeddings()
        if self.config.embeddings == "separate":
            nn.init.normal_(self.output.weight, std=self.config.d_model**-0.5)

    def forward(self, source: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        """Decoder states (B, T, D) for teacher forcing; call `logits` or a fused loss on them."""
        return self.decode(target, self.memories(self.encode(source, mask)), mask)

    @abstractmethod
    def encode(self, source: Tensor, mask: Tensor | None) -> Tree:
        """Encode source ids (B, S); `mask` (B, 1, 1, S) is true at real tokens."""

    @abstractmethod
    def memories(self, encoded: Tree) -> Tree:
        """What the decoder needs of the encoded source at every step, made once."""

    @abstractmethod
    def decode(self, target: Tensor, memories: Tree, mask: Tensor | None) -> Tensor:
        """Decoder states (B, T, D) of the target prefix ids (B, T)."""

    @abstractmethod
    def step(
        self, ids: Tensor, position: int, memories: Tree, mask: Tensor | None, caches: Tree | None
    ) -> tuple[Tensor, Tree]:
        """One decoder step for ids (B,) at `position`: logits (B, V) and the new caches.

        `caches` is None at position 0, and what the step before gave at the others.
        """
