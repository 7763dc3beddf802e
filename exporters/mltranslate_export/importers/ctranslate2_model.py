"""Reads Transformers as CTranslate2 saves them: `model.bin`, vocabularies and `config.json`.

Klein et al. 2020. What the parts mean is in `ctranslate2/specs/transformer_spec.py`; where the
files leave something open, CTranslate2's own reading of them counts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mltranslate.decode.types import END, PAD
from mltranslate.errors import DataError, reason
from mltranslate_export.importers.codes import our_codes
from mltranslate_export.importers.ctranslate2_weights import (
    EMBEDDINGS,
    OUTPUT,
    Vocabularies,
    check_sizes,
    fill,
    positions,
    source_embedding,
)
from mltranslate_export.importers.files import read_bytes, read_object
from mltranslate_export.importers.model import ImportedConfig, ImportedTransformer
from mltranslate_export.importers.model_bin import MODEL, ModelBin, open_model_bin
from mltranslate_export.importers.public import Subwords
from mltranslate_export.importers.vocabulary import pieces_of

SPLITTERS = ("sentencepiece.model", "source.spm", "sentencepiece.bpe.model", "spm.model")
"""Names of the SentencePiece model that splits sources, which is no file of CTranslate2's."""
_BEGIN = 2
_LONGEST = 256
"""Most places: tables often have thousands more than any sentence of training had."""
_EPSILON = 1e-5
_MARKS = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
_ACTIVATIONS = {0: "relu", 2: "swish", 3: "gelu"}
_FOLLOWING = re.compile(r"__[a-z]{2,3}__|[a-z]{3}_[A-Z][a-z]{3}|[a-z]{2}_[A-Z]{2}")
"""Tags of M2M-100, NLLB-200 and mBART-50, which begin sources and follow the decoder's mark."""
_LEADING = re.compile(r">>[A-Za-z_]+<<")
"""Tags of targets that begin sources, as in OPUS-MT."""
_NO_TEXT = re.compile(r"<blank>|<pad>|<mask>|averyunlikelytoken\d+|madeupword\d+")
_MUST_BE_OFF = (
    "encoder/multi_query_attention", "decoder/alibi", "decoder/scale_alibi",
)  # fmt: skip
_WITHOUT_EFFECT = (
    "encoder/embeddings_merge", "decoder/alignment_heads", "decoder/alignment_layer",
    "decoder/alibi_use_positive_positions",
)  # fmt: skip


class Ctranslate2Model:
    """A folder with a `model.bin`; see `PublicModel`."""

    label = "CTranslate2 Transformer"

    def __init__(
        self, folder: Path, splitter: Path | None = None,
        languages: tuple[object, object] = (None, None),
    ) -> None:  # fmt: skip
        """Read all but the weights; `splitter` is the SentencePiece model, if it lies elsewhere."""
        self._folder = folder
        self.languages = languages
        with open_model_bin(folder / MODEL) as stored:
            self._settings = _settings(folder, stored)
            self._kinds = stored.kinds()
        self._vocabularies = _vocabularies(folder)
        self.subwords, self.tag_follows = _subwords(
            self._vocabularies, self._settings, read_bytes(splitter or _splitter(folder))
        )

    def shape(self, size: int) -> ImportedConfig:
        """See `PublicModel.shape`; `DataError` where the sides differ or something is unknown."""
        with open_model_bin(self._folder / MODEL) as stored:
            check_sizes(stored, self._vocabularies)
            return ImportedConfig(vocabulary_size=size, dropout=0.0, **self._keys(stored))

    def fill(self, model: ImportedTransformer, rows: Sequence[int]) -> None:
        """See `PublicModel.fill`; `DataError` if the weights do not fit."""
        with open_model_bin(self._folder / MODEL) as stored:
            # What is no weight is read once more: an array that nobody read is not known.
            _settings(self._folder, stored)
            self._keys(stored)
            for name in _WITHOUT_EFFECT:
                stored.scalar(name, 0)
            fill(model, stored, rows, self._vocabularies, self._settings["unk_token"])

    def about(self) -> dict[str, Any]:
        """How the weights were stored; quantised ones are not what the model was trained to."""
        quantised = any(kind.startswith("int") for kind in self._kinds)
        kinds = ", ".join(self._kinds)
        return {"stored_weights": f"{kinds}, dequantised to fp32" if quantised else kinds}

    def _keys(self, stored: ModelBin) -> dict[str, Any]:
        words = self._vocabularies
        one = words.source == words.target
        return {**_dimensions(stored, one_vocabulary=one), **self._feeding(stored)}

    def _feeding(self, stored: ModelBin) -> dict[str, Any]:
        """Keys of `ImportedConfig` for what encoder and decoder read, and its places."""
        settings, tags = self._settings, self.subwords.tags
        if settings["add_source_bos"]:
            raise _variant("its sources begin with a mark (add_source_bos)")
        zero = stored.flag("decoder/start_from_zero_embedding", default=False)
        start = _start(settings, zero=zero)
        # Tokenizers of transformers and of Marian end sources; that of OpenNMT-py does not, and
        # its vocabulary of sources may lack the mark.
        reads_end = bool(settings["add_source_eos"]) or zero or start == END
        if reads_end:
            _check_mark(self._vocabularies.source, settings, "eos_token")
        if self.tag_follows and start != END:
            raise _variant("its decoder starts with another mark than the end mark")
        tables = [positions(stored, side, _LONGEST) for side in ("encoder", "decoder")]
        return {
            "reads_tag": bool(tags),
            "reads_end": reads_end,
            "tag_follows": self.tag_follows,
            "start": start,
            "max_length": min(len(table) for table in tables) - self.tag_follows,
            "learned_positions": not tables[0].equal(tables[1]),
        }


def _start(settings: Mapping[str, Any], *, zero: bool) -> int:
    """Our id of the decoder's first input."""
    if zero:
        return PAD
    starts = {settings["bos_token"]: _BEGIN, settings["eos_token"]: END}
    start = settings["decoder_start_token"]
    if not isinstance(start, str) or start not in starts:
        raise _variant(f"its decoder starts with {start!r}")
    return starts[start]


def _dimensions(stored: ModelBin, *, one_vocabulary: bool) -> dict[str, Any]:
    """Keys of `ImportedConfig` for the shape of the weights."""
    for name in _MUST_BE_OFF:
        if stored.flag(name, default=False):
            raise _variant(f"{name} is on")
    tied = stored.same(EMBEDDINGS, OUTPUT)
    sources_too = tied and one_vocabulary and stored.same(EMBEDDINGS, source_embedding(stored))
    width, heads = stored.matrix(EMBEDDINGS)[1], _on_both(stored, "num_heads", 8)
    if heads < 1 or not heads.is_integer():
        raise _variant(f"it has {heads:g} heads")
    activation = _on_both(stored, "activation", 0)
    if activation not in _ACTIVATIONS:
        raise _variant(f"its activation has the number {activation:g}")
    return {
        "d_model": width,
        "heads": int(heads),
        "ffn": stored.matrix("encoder/layer_0/ffn/linear_0/weight")[0],
        "encoder_layers": stored.layers("encoder"),
        "decoder_layers": stored.layers("decoder"),
        "norm": "pre" if _on_both(stored, "pre_norm", 1) else "post",
        "activation": _ACTIVATIONS[int(activation)],
        "embedding_norm": "decoder/layernorm_embedding/gamma" in stored,
        "embedding_scale": _on_both(stored, "scale_embeddings", 1, truth=math.sqrt(width)),
        "embeddings": "shared" if sources_too else "target" if tied else "separate",
    }


def _on_both(stored: ModelBin, key: str, default: float, *, truth: float | None = None) -> float:
    """Setting of encoder and decoder, which must be one; `truth` is what "on" stands for."""
    found = []
    for name in (f"{side}/{key}" for side in ("encoder", "decoder")):
        value = stored.scalar(name, default)
        if truth is not None and (name not in stored or stored.is_truth(name)):
            value = truth if value else 1.0
        found.append(value)
    if found[0] != found[1]:
        raise _variant(f"{key} differs between encoder ({found[0]:g}) and decoder ({found[1]:g})")
    return found[0]


def _settings(folder: Path, stored: ModelBin) -> dict[str, Any]:
    """What `config.json` says of marks; before version 6 it stood among the arrays."""
    found: dict[str, Any] = {**_MARKS, "decoder_start_token": "<s>", "layer_norm_epsilon": None}
    found |= {"add_source_bos": False, "add_source_eos": False}
    found |= read_object(folder / "config.json") if stored.version >= 6 else _older(stored)
    if not all(isinstance(found[key], str) for key in _MARKS):
        raise _variant("its marks are no text")
    if len({found[key] for key in _MARKS}) != len(_MARKS):
        raise _variant("two of its marks are one")
    if found["layer_norm_epsilon"] not in (None, _EPSILON):
        raise _variant(f"layer_norm_epsilon is {found['layer_norm_epsilon']!r}")
    if found.get("quantization_type"):
        raise _variant("its weights are quantised by AWQ")
    return found


def _older(stored: ModelBin) -> dict[str, Any]:
    found: dict[str, Any] = {key: stored.text(key, mark) for key, mark in _MARKS.items()}
    found["add_source_bos"] = stored.flag("with_source_bos", default=False)
    found["add_source_eos"] = stored.flag("with_source_eos", default=False)
    begin = stored.flag("with_target_bos", default=True)
    found["decoder_start_token"] = found["bos_token" if begin else "eos_token"]
    if stored.flag("user_decoder_start_tokens", default=False):
        found["decoder_start_token"] = None
    return found


def _vocabularies(folder: Path) -> Vocabularies:
    shared = _tokens(folder, "shared_vocabulary")
    if shared:
        return Vocabularies(source=shared, target=shared)
    source, target = _tokens(folder, "source_vocabulary"), _tokens(folder, "target_vocabulary")
    if source and target:
        return Vocabularies(source=source, target=target)
    raise DataError(
        f"the vocabulary of the model in {folder} cannot be read",
        why="there is neither shared_vocabulary nor source_vocabulary and target_vocabulary,"
        " as .json or .txt",
        fix="Copy the whole folder of the model",
    )


def _tokens(folder: Path, name: str) -> tuple[str, ...] | None:
    """Tokens by their ids, None if there is no such file."""
    path, lines = folder / f"{name}.json", folder / f"{name}.txt"
    try:
        if path.is_file():
            found = json.loads(path.read_text("utf-8"))
        elif lines.is_file():
            # Only line feeds end a token: some are other characters that end lines elsewhere.
            found = lines.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
        else:
            return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{name} in {folder} cannot be read", why=reason(error)) from error
    if not isinstance(found, list) or not all(isinstance(token, str) for token in found):
        raise DataError(f"{path} is no list of tokens")
    if len(set(found)) != len(found):
        raise DataError(f"{name} in {folder} has a token twice")
    return tuple(found)


def _splitter(folder: Path) -> Path:
    for name in SPLITTERS:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"there is no SentencePiece model in {folder}",
        why="CTranslate2 itself splits no text",
        fix=f"Copy the one of the model there, as {' or '.join(SPLITTERS)}",
    )


def _check_mark(tokens: Sequence[str], settings: Mapping[str, Any], key: str) -> None:
    """Refuse a vocabulary of one side that lacks a mark which the model reads or writes there."""
    if settings[key] not in tokens:
        raise DataError(f"a vocabulary of the model lacks {settings[key]}, its {key}")


def _subwords(
    vocabularies: Vocabularies, settings: Mapping[str, Any], splitter: bytes
) -> tuple[Subwords, bool]:
    """Vocabulary of the model, and whether its tags follow the decoder's mark."""
    _check_mark(vocabularies.source, settings, "unk_token")
    for key in ("unk_token", "eos_token"):
        _check_mark(vocabularies.target, settings, key)
    ids = vocabularies.ids()
    theirs = {ours: settings[key] for key, ours in _MARKS.items() if settings[key] in ids}
    ids |= {ours: ids.pop(mark) for ours, mark in theirs.items()}
    foreign = set(ids) - set(pieces_of(splitter))
    following = [token for token in foreign if _FOLLOWING.fullmatch(token)]
    leading = [token for token in foreign if _LEADING.fullmatch(token)]
    found = {mark.strip("_"): mark for mark in sorted(following or leading, key=ids.__getitem__)}
    tags = {code: ids[found[public]] for code, public in our_codes(found).items()}
    marks = {*found.values(), *filter(_NO_TEXT.fullmatch, ids)}
    subwords = Subwords(
        splitter=splitter,
        ids={token: row for token, row in ids.items() if token not in marks},
        tags=tags,
        read_only=vocabularies.read_only(),
    )
    return subwords, bool(following)


def _variant(why: str) -> DataError:
    return DataError("the model is of a variant that cannot be imported", why=why)
