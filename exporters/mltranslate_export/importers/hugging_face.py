"""Reads models of MarianMT, M2M-100, NLLB-200 and mBART-50 as transformers saves them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import PickleError
from typing import Any

from safetensors import SafetensorError

from mltranslate.errors import DataError, reason
from mltranslate_export.importers.families import Family, family_of
from mltranslate_export.importers.files import read_object
from mltranslate_export.importers.model import ACTIVATIONS, ImportedConfig, ImportedTransformer
from mltranslate_export.importers.public import Subwords
from mltranslate_export.importers.tensors import open_tensors
from mltranslate_export.importers.weights import fill

_SILU = "silu"


class HuggingFaceModel:
    """A folder with a `config.json` of transformers; see `PublicModel`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = read_object(folder / "config.json")
        self._family = family_of(self._config, folder)
        self.label = self._family.label
        self.subwords = self._family.subwords(folder)
        self.tag_follows = self._family.tag_follows

    @property
    def languages(self) -> tuple[object, object]:
        """Source and target in tokenizer_config.json, which is often there."""
        path = self._folder / "tokenizer_config.json"
        about = read_object(path) if path.is_file() else {}
        return about.get("source_lang"), about.get("target_lang")

    def shape(self, size: int) -> ImportedConfig:
        """See `PublicModel.shape`; `DataError` where the sides differ or something is unknown."""
        config, family = self._config, self._family
        _check_start(config, family, self.subwords)
        try:
            heads, ffn = _same(config, "attention_heads"), _same(config, "ffn_dim")
            activation = str(config["activation_function"])
            width = int(config["d_model"])
            return ImportedConfig(
                vocabulary_size=size,
                d_model=width,
                encoder_layers=int(config["encoder_layers"]),
                decoder_layers=int(config["decoder_layers"]),
                dropout=0.0,
                max_length=int(config["max_position_embeddings"]) - family.tag_follows,
                heads=heads,
                ffn=ffn,
                activation="swish" if activation == _SILU else activation,
                embedding_scale=math.sqrt(width) if config.get("scale_embedding") else 1.0,
                **family.keys(self.subwords),
            )
        except KeyError as error:
            raise DataError("config.json is not whole", why=f"it lacks {error}") from error

    def fill(self, model: ImportedTransformer, rows: Sequence[int]) -> None:
        """See `PublicModel.fill`; `DataError` if the weights do not fit or cannot be read."""
        shape, table = model.config, self._family.positions
        positions = table(shape.max_length + shape.tag_follows, shape.d_model) if table else None
        try:
            with open_tensors(self._folder) as tensors:
                fill(model, tensors, rows, positions)
        except (OSError, ValueError, KeyError, RuntimeError, PickleError, SafetensorError) as error:
            raise DataError(
                f"the weights in {self._folder} cannot be read", why=reason(error)
            ) from error

    def about(self) -> dict[str, Any]:
        """See `PublicModel.about`."""
        return {}


def _same(config: Mapping[str, Any], key: str) -> int:
    encoder, decoder = int(config[f"encoder_{key}"]), int(config[f"decoder_{key}"])
    if encoder != decoder:
        raise DataError(
            "the model cannot be imported",
            why=f"{key} differs between encoder ({encoder}) and decoder ({decoder})",
        )
    return encoder


def _check_start(config: Mapping[str, Any], family: Family, subwords: Subwords) -> None:
    """Refuse variants that differ in a way that the weights do not show."""
    start = subwords.ids.get("</s>" if family.tag_follows else "<pad>")
    wrong = {
        "decoder_start_token_id": config.get("decoder_start_token_id", start) != start,
        "activation_function": config.get("activation_function") not in (*ACTIVATIONS, _SILU),
        "normalize_embedding": bool(config.get("normalize_embedding")) != family.embedding_norm
        and "normalize_embedding" in config,
        "tie_word_embeddings": not config.get("tie_word_embeddings", True),
        "share_encoder_decoder_embeddings": not config.get(
            "share_encoder_decoder_embeddings", True
        ),
    }
    for key in (key for key, is_wrong in wrong.items() if is_wrong):
        raise DataError(
            "the model is of a variant that cannot be imported",
            why=f"{key} in config.json is {config.get(key)!r}",
        )
