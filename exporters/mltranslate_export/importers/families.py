"""What sets the families of public models apart: configuration, vocabulary and language tags.

MarianMT: Junczys-Dowmunt et al. 2018, Tiedemann and Thottingal 2020 (OPUS-MT). M2M-100: Fan et al.
2020. NLLB-200: NLLB Team 2022. mBART-50: Tang et al. 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mltranslate.decode.types import END, PAD
from mltranslate.errors import DataError
from mltranslate_export.importers.codes import M2M_ORDER, our_codes
from mltranslate_export.importers.files import language_tokens, read_bytes, read_object
from mltranslate_export.importers.public import Subwords
from mltranslate_export.importers.vocabulary import pieces_of
from mltranslate_train.model.transformer import sinusoids

_OFFSET = 2
"""Rows of the tables of positions that M2M-100 and mBART never use."""
_M2M = "m2m100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family of public models."""

    label: str
    norm: str
    """Where layers normalise, as in the trainer's recipes."""
    subwords: Callable[[Path], Subwords]
    positions: Callable[[int, int], Tensor] | None
    """Table of positions by length and width; None where they are learned."""
    embedding_norm: bool = False
    tag_follows: bool = False
    start: int = PAD

    def keys(self, subwords: Subwords) -> dict[str, Any]:
        """Keys of `ImportedConfig` that the family decides."""
        return {
            "norm": self.norm,
            "embedding_norm": self.embedding_norm,
            "learned_positions": self.positions is None,
            "reads_tag": bool(subwords.tags),
            "tag_follows": self.tag_follows,
            "start": self.start,
        }


def _marian_subwords(folder: Path) -> Subwords:
    """`source.spm` splits; `vocab.json` has the ids of both languages' pieces."""
    ids = _ids(read_object(folder / "vocab.json"), folder)
    marks = [piece for piece in ids if piece.startswith(">>") and piece.endswith("<<")]
    tags = {code: ids[mark] for code, mark in our_codes(marks).items()}
    return Subwords(
        splitter=read_bytes(folder / "source.spm"),
        ids=ids,
        tags=tags,
        marks=tuple(ids[mark] for mark in marks),
    )


def _m2m_subwords(folder: Path) -> Subwords:
    """Of M2M-100, whose ids are in `vocab.json`, and NLLB-200, whose ids are SentencePiece's."""
    if not (folder / "vocab.json").is_file():
        return _fairseq_subwords(folder)
    config = folder / "tokenizer_config.json"
    order = read_object(config).get("language_codes", _M2M) if config.is_file() else _M2M
    if order != _M2M:
        raise DataError(
            f"the model in {folder} cannot be imported",
            why=f"the order of its languages, {order!r}, is not known",
        )
    ids = _ids(read_object(folder / "vocab.json"), folder)
    size = max(ids.values()) + 1
    return Subwords(
        splitter=read_bytes(folder / "sentencepiece.bpe.model"),
        ids=ids,
        tags={code: size + index for index, code in enumerate(M2M_ORDER.split())},
    )


def _fairseq_subwords(folder: Path) -> Subwords:
    """Ids as fairseq gives them: four marks, and then SentencePiece's pieces, one id later."""
    splitter = read_bytes(folder / "sentencepiece.bpe.model")
    pieces = pieces_of(splitter)
    ids = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    ids |= {piece: index + 1 for index, piece in enumerate(pieces) if index > 2}
    tokens = language_tokens(folder, max(ids.values()) + 1)
    tags = {code: tokens[token] for code, token in our_codes(tokens).items()}
    return Subwords(splitter=splitter, ids=ids, tags=tags)


def _ids(read: Mapping[str, Any], folder: Path) -> dict[str, int]:
    for piece, row in read.items():
        if type(row) is not int or row < 0:
            raise DataError(f"vocab.json in {folder} gives {piece!r} the id {row!r}")
    return dict(read)


def _marian_positions(length: int, width: int) -> Tensor:
    """Vaswani et al. 2017: sines in the first half, cosines in the second."""
    frequency = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()


def _m2m_positions(length: int, width: int) -> Tensor:
    return sinusoids(length + _OFFSET, width)[_OFFSET:].clone()


FAMILIES: Mapping[str, Family] = {
    "marian": Family(
        label="MarianMT", norm="post", subwords=_marian_subwords, positions=_marian_positions
    ),
    "m2m_100": Family(
        label="M2M-100 and NLLB-200", norm="pre", subwords=_m2m_subwords,
        positions=_m2m_positions, tag_follows=True, start=END,
    ),
    "mbart": Family(
        label="mBART-50", norm="pre", subwords=_fairseq_subwords, positions=None,
        embedding_norm=True, tag_follows=True, start=END,
    ),
}  # fmt: skip
"""By `model_type` of config.json."""


def family_of(config: Mapping[str, Any], folder: Path) -> Family:
    """Family that config.json names; `DataError` if there is none for it."""
    name = str(config.get("model_type"))
    if name in FAMILIES:
        return FAMILIES[name]
    raise DataError(
        f"the model in {folder} cannot be imported",
        why=f"its model_type is {name!r}",
        fix=f"Import one of {', '.join(family.label for family in FAMILIES.values())}",
    )
