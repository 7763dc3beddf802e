"""Public encoder-decoder models in torch: what calibration watches and graphs are compared with.

MarianMT, M2M-100, NLLB-200, mBART-50 and the Transformers of CTranslate2 differ from the trainer's,
which does the rest, in the few points that `ImportedConfig` names. Shape suffixes: B sentences,
S source length, T target length, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mltranslate.decode.types import PAD
from mltranslate_train.model.attention import Cache
from mltranslate_train.model.feed_forward import FeedForward
from mltranslate_train.model.seq2seq import check_choice
from mltranslate_train.model.transformer import Transformer, TransformerConfig

ARCHITECTURE = "imported-transformer"
"""Name of the family of graphs."""

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "swish": functional.silu,
    "gelu": functional.gelu,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedConfig(TransformerConfig):
    """Shape of a public model, and how it is fed."""

    activation: str = "relu"
    """Between the layers of the feed-forward network: "relu", "swish" or "gelu"."""
    embedding_norm: bool = False
    """Normalise the sum of embedding and position (mBART)."""
    embedding_scale: float = 1.0
    """Factor of embeddings that are looked up."""
    learned_positions: bool = False
    """Encoder and decoder have learned positions, each their own; otherwise both have the same."""
    reads_tag: bool = True
    """False: the encoder does not read the tag that every source starts with."""
    reads_end: bool = True
    """False: the encoder does not read the end mark that every source ends with."""
    start: int = PAD
    """First decoder input: the model's own mark instead of the target's tag."""
    tag_follows: bool = False
    """True: the target's tag is the second decoder input, and no translation holds it."""

    def __post_init__(self) -> None:
        TransformerConfig.__post_init__(self)
        check_choice("activation", self.activation, tuple(ACTIVATIONS))


class ImportedTransformer(Transformer):
    """A public model by the trainer's names for its weights; for inference only.

    `positions`, `encoder_positions` where there are learned ones, and `logits_bias` are the
    checkpoint's.
    """

    config: ImportedConfig
    encoder_positions: Tensor
    logits_bias: Tensor

    def __init__(self, config: ImportedConfig) -> None:
        super().__init__(config)
        self._marks = 1 + config.tag_follows
        self.register_buffer("logits_bias", torch.zeros(config.vocabulary_size))
        if config.learned_positions:
            places = torch.zeros(config.max_length, config.d_model)
            self.register_buffer("encoder_positions", places, persistent=False)
        width = config.d_model
        self.encoder_embedding_norm = nn.LayerNorm(width) if config.embedding_norm else None
        self.decoder_embedding_norm = nn.LayerNorm(width) if config.embedding_norm else None
        if config.activation != "relu":
            for layer in (*self.encoder_layers, *self.decoder_layers):
                layer.ffn = ActivatedFeedForward(config)

    def encode(self, source: Tensor, mask: Tensor | None) -> Tensor:
        """See `Seq2Seq.encode`."""
        if not self.config.reads_tag:
            source = source[:, 1:]
        if not self.config.reads_end:
            source = source[:, : max(1, source.shape[1] - 1)]
        return super().encode(source, self._readable(mask))

    def embed_source(self, ids: Tensor) -> Tensor:
        """Embed source ids (B, S), positions and normalisation included."""
        places = self.encoder_positions if self.config.learned_positions else self.positions
        embedded = super().embed_source(ids) + places[: ids.shape[1]]
        norm = self.encoder_embedding_norm
        return embedded if norm is None else norm(embedded)

    def decode(self, target: Tensor, memories: list[Cache], mask: Tensor | None) -> Tensor:
        """See `Seq2Seq.decode`; one state for every id of `target`, its tag included."""
        marks = target.new_full((len(target), 1), self.config.start)
        rest = target if self.config.tag_follows else target[:, 1:]
        x = self._embed_target(torch.cat([marks, rest], dim=1), 0)
        for layer, memory in zip(self._decoders(), memories, strict=True):
            x = layer(x, memory, self._readable(mask))
        states: Tensor = self.decoder_norm(x)
        return states[:, self._marks - 1 :]

    def step(
        self, ids: Tensor, position: int, memories: list[Cache], mask: Tensor | None,
        caches: list[Cache] | None,
    ) -> tuple[Tensor, list[Cache]]:  # fmt: skip
        """See `Seq2Seq.step`; the model's own first input goes before or in place of the tag."""
        mask = self._readable(mask)
        if position == 0:
            marks = torch.full_like(ids, self.config.start)
            if not self.config.tag_follows:
                ids = marks
            else:
                _, caches = self._advance(marks, 0, memories, mask, None)
        place = position + self._marks - 1
        states, following = self._advance(ids, place, memories, mask, caches)
        return self.logits(states), following

    def logits(self, states: Tensor) -> Tensor:
        """Scores (…, V) of states (…, D)."""
        return super().logits(states) + self.logits_bias

    def _advance(
        self, ids: Tensor, position: int, memories: list[Cache], mask: Tensor | None,
        caches: list[Cache] | None,
    ) -> tuple[Tensor, list[Cache]]:  # fmt: skip
        """Feed ids (B,) at `position`: states (B, D) and the new caches."""
        x = self._embed_target(ids[:, None], position)
        following = []
        for index, layer in enumerate(self._decoders()):
            past = caches[index] if caches else None
            x, cache = layer.step(x, position, memories[index], mask, past)
            following.append(cache)
        states: Tensor = self.decoder_norm(x[:, 0])
        return states, following

    def _embed_target(self, ids: Tensor, start: int) -> Tensor:
        x = self.embed_target(ids) + self.positions[start : start + ids.shape[1]]
        return x if self.decoder_embedding_norm is None else self.decoder_embedding_norm(x)

    def _place(self, embedded: Tensor, start: int = 0) -> Tensor:
        # The encoder's embeddings have their positions from `embed_source`.
        return embedded

    def _scale(self, embedded: Tensor) -> Tensor:
        return embedded * self.config.embedding_scale

    def _readable(self, mask: Tensor | None) -> Tensor | None:
        """Mask (B, 1, 1, S) of what the encoder reads."""
        if mask is None:
            return None
        if not self.config.reads_tag:
            mask = mask[..., 1:]
        if self.config.reads_end:
            return mask
        # What has something after it is no end mark; the first place stays, whatever is there.
        return torch.cat([mask[..., :1], mask[..., 2:]], dim=-1)


class ActivatedFeedForward(FeedForward):
    """The position-wise network with another activation than ReLU."""

    def __init__(self, config: ImportedConfig) -> None:
        super().__init__(config)
        self._activation = ACTIVATIONS[config.activation]

    def forward(self, x: Tensor) -> Tensor:
        """Map x (…, D) to the same shape."""
        out: Tensor = self.down(self._activation(self.up(x)))
        return out
