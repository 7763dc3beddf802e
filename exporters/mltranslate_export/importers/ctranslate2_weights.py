"""From the names of CTranslate2's arrays to ours, one tensor of ours at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mltranslate.errors import DataError
from mltranslate_export.importers.model import ImportedTransformer
from mltranslate_export.importers.model_bin import MODEL, ModelBin
from mltranslate_export.importers.vocabulary import NO_ROW
from mltranslate_export.importers.weights import check_shape, select_rows
from mltranslate_train.model.transformer import sinusoids

EMBEDDINGS = "decoder/embeddings/weight"
OUTPUT = "decoder/projection/weight"
_OUTPUT_BIAS = "decoder/projection/bias"
_SOURCE = ("encoder/embeddings_0/weight", "encoder/embeddings/weight")
"""Names of the encoder's embedding, the second before it could have several."""
_TOP = {
    "encoder_norm": "encoder/layer_norm",
    "decoder_norm": "decoder/layer_norm",
    "encoder_embedding_norm": "encoder/layernorm_embedding",
    "decoder_embedding_norm": "decoder/layernorm_embedding",
}
_IN_LAYER = {
    "attention_norm": "self_attention/layer_norm",
    "attention.qkv": "self_attention/linear_0",
    "attention.out": "self_attention/linear_1",
    "self_norm": "self_attention/layer_norm",
    "self_attention.qkv": "self_attention/linear_0",
    "self_attention.out": "self_attention/linear_1",
    "cross_norm": "attention/layer_norm",
    "cross_attention.q": "attention/linear_0",
    "cross_attention.kv": "attention/linear_1",
    "cross_attention.out": "attention/linear_2",
    "ffn_norm": "ffn/layer_norm",
    "ffn.up": "ffn/linear_0",
    "ffn.down": "ffn/linear_1",
}
_OF_NORM = {"weight": "gamma", "bias": "beta"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabularies:
    """Tokens of both sides by their rows; the same where there is one vocabulary.

    Both together have one set of ids: the target's, and after them what only sources have.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]

    def ids(self) -> dict[str, int]:
        """Id of every token."""
        return {token: row for row, token in enumerate(dict.fromkeys(self.target + self.source))}

    def read_only(self) -> frozenset[int]:
        """Ids that only sources have."""
        return frozenset(range(len(self.target), len(self.ids())))

    def source_rows(self, rows: Sequence[int], unknown: str) -> list[int]:
        """Rows of the encoder's embedding; what it lacks is its token `unknown`."""
        if self.source == self.target:
            return list(rows)
        places = {token: row for row, token in enumerate(self.source)}
        tokens = list(self.ids())
        return [places.get(tokens[row], places[unknown]) if row >= 0 else row for row in rows]

    def target_rows(self, rows: Sequence[int]) -> list[int]:
        """Rows of the decoder's embedding and of the output layer, none for what it lacks."""
        return [row if row < len(self.target) else NO_ROW for row in rows]


def source_embedding(stored: ModelBin) -> str:
    """Name of the encoder's embedding."""
    return next((name for name in _SOURCE if name in stored), _SOURCE[0])


def check_sizes(stored: ModelBin, vocabularies: Vocabularies) -> None:
    """Refuse vocabularies of another size than their tables; `DataError` then."""
    source, target = len(vocabularies.source), len(vocabularies.target)
    tables = {source_embedding(stored): source, EMBEDDINGS: target, OUTPUT: target}
    for name, size in tables.items():
        rows = stored.matrix(name)[0]
        if rows != size:
            raise DataError(
                "vocabulary and embedding differ in size",
                why=f"the vocabulary has {size} tokens, {name!r} of {MODEL} {rows} rows",
                fix="Copy the model's folder again, whole",
            )


def positions(stored: ModelBin, side: str, most: int) -> Tensor:
    """Positions (at most `most`, D) of one side: the file's, or those that CTranslate2 computes."""
    name = f"{side}/position_encodings/encodings"
    width = stored.matrix(EMBEDDINGS)[1]
    if name not in stored:
        # CTranslate2 counts the places of its own table from 1.
        return sinusoids(most + 1, width)[1:].clone()
    if stored.matrix(name)[1] != width:
        raise DataError(f"{name!r} of {MODEL} has another width than the embeddings")
    return stored.take(name)[:most].clone()


def fill(
    model: ImportedTransformer, stored: ModelBin, rows: Sequence[int], vocabularies: Vocabularies,
    unknown: str,
) -> None:  # fmt: skip
    """Give `model`, which may lie on the meta device, the weights of a `model.bin`.

    `rows` has for every id of ours that of `vocabularies`, or -1 for zeros.

    Raises:
        DataError: an array is not there, has another shape, or is not known.
    """
    targets = vocabularies.target_rows(rows)
    tables: Mapping[str, tuple[str, Sequence[int]]] = {
        "source_embedding.weight": (
            source_embedding(stored), vocabularies.source_rows(rows, unknown),
        ),
        "embedding.weight": (EMBEDDINGS, targets),
        "output.weight": (OUTPUT, targets),
    }  # fmt: skip
    for name, wanted in dict(model.state_dict()).items():
        if name in tables:
            table, chosen = tables[name]
            value = select_rows(stored.take(table), chosen)
        elif name == "logits_bias":
            value = _logits_bias(stored, targets)
        else:
            value = _value(stored, name, wanted)
        check_shape(name, value, wanted)
        model.load_state_dict({name: value}, strict=False, assign=True)
    _place(model, stored)
    _check_all_taken(stored, [table for table, _ in tables.values()])


def _place(model: ImportedTransformer, stored: ModelBin) -> None:
    length = model.config.max_length + model.config.tag_follows
    model.positions = positions(stored, "decoder", length)
    encoders = positions(stored, "encoder", length)
    if model.config.learned_positions:
        model.encoder_positions = encoders


def _value(stored: ModelBin, name: str, wanted: Tensor) -> Tensor:
    """A tensor of ours that is neither an embedding nor the output's."""
    module, _, kind = name.rpartition(".")
    if module in _TOP:
        return stored.take(f"{_TOP[module]}/{_OF_NORM[kind]}")
    layers, index, inner = module.split(".", 2)
    place = f"{layers.removesuffix('_layers')}/layer_{index}/{_IN_LAYER[inner]}"
    theirs = f"{place}/{_OF_NORM[kind] if inner.endswith('norm') else kind}"
    if kind == "bias" and not inner.endswith("norm") and theirs not in stored:
        return torch.zeros(wanted.shape)
    return stored.take(theirs)


def _logits_bias(stored: ModelBin, rows: Sequence[int]) -> Tensor:
    if _OUTPUT_BIAS not in stored:
        return torch.zeros(len(rows))
    return select_rows(stored.take(_OUTPUT_BIAS).reshape(-1, 1), rows)[:, 0]


def _check_all_taken(stored: ModelBin, tables: Sequence[str]) -> None:
    """Refuse a model with parts that we do not know: its translations would be wrong."""
    # Tables that are one have several names, and were read under one of them.
    known = {*tables, *(f"{table}_scale" for table in tables)}
    left = [name for name in stored.left() if name not in known]
    if left:
        raise DataError(
            f"{MODEL} has the unknown array {left[0]!r}",
            why="it is a variant of the Transformer that cannot be imported",
        )
