"""Makes a checkpoint, from which a pack is exported, of a public model in a local folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import PickleError
from typing import Any

import torch
from safetensors import SafetensorError

from mltranslate.errors import DataError, reason
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.importers.codes import named_language
from mltranslate_export.importers.families import Family, Subwords, family_of
from mltranslate_export.importers.files import read_object
from mltranslate_export.importers.model import (
    ACTIVATIONS,
    ARCHITECTURE,
    ImportedConfig,
    ImportedTransformer,
)  # fmt: skip
from mltranslate_export.importers.tensors import open_tensors
from mltranslate_export.importers.vocabulary import Vocabulary, renumber
from mltranslate_export.importers.weights import fill

_SILU = "silu"
_FRAME = 2
"""Tag and end mark of a source."""

Direction = tuple[str, str]


def load_public(folder: Path, directions: Sequence[Direction], work: Path) -> Checkpoint:
    """Read the model in `folder` for translating in `directions`.

    Its vocabulary, with our ids, is written into the folder `work`.

    Raises:
        DataError: the folder is not whole, its model is of no family that can be imported, or it
            does not know a language of `directions`.
    """
    config = read_object(folder / "config.json")
    family = family_of(config, folder)
    subwords = family.subwords(folder)
    _check_languages(folder, subwords, directions, read_source=family.tag_follows)
    vocabulary = _vocabulary(subwords, directions)
    path = work / "vocabulary.model"
    path.write_bytes(vocabulary.model)
    shape = _shape(config, family, subwords, len(vocabulary.rows))
    languages = list(vocabulary.tags)
    return Checkpoint(
        name=folder.resolve().name.lower(),
        model=_model(folder, shape, family, vocabulary),
        vocabulary=path,
        about={
            "architecture": ARCHITECTURE,
            "languages": languages,
            "directions": [list(pair) for pair in directions],
            "imported": {"family": family.label, "folder": folder.resolve().name},
        },
        tags=vocabulary.tags,
        banned=vocabulary.banned,
        max_source_tokens=shape.max_length - _FRAME,
        source_tag="source" if family.tag_follows else "target",
    )


def _vocabulary(subwords: Subwords, directions: Sequence[Direction]) -> Vocabulary:
    languages = dict.fromkeys(code for pair in directions for code in pair)
    tags = {code: subwords.tags.get(code) for code in languages}
    marks = (*subwords.marks, *subwords.tags.values())
    return renumber(subwords.splitter, subwords.ids, tags, marks=marks)


def _check_languages(
    folder: Path, subwords: Subwords, directions: Sequence[Direction], *, read_source: bool
) -> None:
    """Refuse languages that the model does not know, as far as its files tell."""
    if not subwords.tags:
        _check_only_target(folder, directions)
        return
    # MarianMT has tags for targets only: it takes whatever sources it was trained on.
    needed = {code for pair in directions for code in pair[0 if read_source else 1 :]}
    unknown = sorted(code for code in needed if code not in subwords.tags)
    if unknown:
        raise DataError(
            f"the model in {folder} does not know {', '.join(unknown)}",
            why=f"it knows {', '.join(subwords.tags)}",
            fix="Use its codes in the verification data",
        )


def _check_only_target(folder: Path, directions: Sequence[Direction]) -> None:
    """A vocabulary without tags has one target; tokenizer_config.json often names both sides."""
    path = folder / "tokenizer_config.json"
    about = read_object(path) if path.is_file() else {}
    expected = [named_language(about.get(key)) for key in ("source_lang", "target_lang")]
    for pair in directions:
        if any(known and known != code for known, code in zip(expected, pair, strict=True)):
            raise DataError(
                f"the model in {folder} does not translate from {pair[0]} into {pair[1]}",
                why=f"its tokenizer_config.json says {' to '.join(map(str, expected))}",
                fix="Leave only sentences of its direction in the verification data",
            )
    targets = sorted({target for _, target in directions})
    if len(targets) > 1:
        raise DataError(
            f"the model in {folder} translates into one language",
            why=f"its vocabulary has no language tags, the verification data {', '.join(targets)}",
            fix="Leave only sentences of its target language there",
        )


def _shape(
    config: Mapping[str, Any], family: Family, subwords: Subwords, size: int
) -> ImportedConfig:
    """Shape of the model; `DataError` where the two sides differ or something is unknown."""
    _check_start(config, family, subwords)
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
            **family.keys(subwords),
        )
    except KeyError as error:
        raise DataError("config.json is not whole", why=f"it lacks {error}") from error


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


def _model(
    folder: Path, shape: ImportedConfig, family: Family, vocabulary: Vocabulary
) -> ImportedTransformer:
    """The model with the weights of the folder; memory holds them once, in fp32."""
    with torch.device("meta"):
        model = ImportedTransformer(shape)
    table = family.positions
    positions = table(shape.max_length + family.tag_follows, shape.d_model) if table else None
    try:
        with open_tensors(folder) as tensors:
            fill(model, tensors, vocabulary.rows, positions)
    except (OSError, ValueError, KeyError, RuntimeError, PickleError, SafetensorError) as error:
        why = reason(error)
        raise DataError(f"the weights in {folder} cannot be read", why=why) from error
    return model.eval()
