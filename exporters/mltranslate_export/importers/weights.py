"""From the names of a public checkpoint's tensors to ours, one tensor of ours at a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mltranslate.errors import DataError
from mltranslate_export.importers.model import ImportedTransformer
from mltranslate_export.importers.tensors import Tensors

_TABLES = (
    "model.shared.weight",
    "shared.weight",
    "model.encoder.embed_tokens.weight",
    "model.decoder.embed_tokens.weight",
    "lm_head.weight",
)
"""Names of the one embedding: which of them a file has depends on who wrote it."""
_BIAS = "final_logits_bias"
_SELF, _CROSS = "self_attn", "encoder_attn"
_JOINT = ("q_proj", "k_proj", "v_proj")
_RENAMED = {
    "encoder_norm": "encoder.layer_norm",
    "decoder_norm": "decoder.layer_norm",
    "encoder_embedding_norm": "encoder.layernorm_embedding",
    "decoder_embedding_norm": "decoder.layernorm_embedding",
}
_IN_LAYER = {
    "attention_norm": "self_attn_layer_norm",
    "self_norm": "self_attn_layer_norm",
    "cross_norm": "encoder_attn_layer_norm",
    "ffn_norm": "final_layer_norm",
    "ffn.up": "fc1",
    "ffn.down": "fc2",
    "attention.out": f"{_SELF}.out_proj",
    "self_attention.out": f"{_SELF}.out_proj",
    "cross_attention.out": f"{_CROSS}.out_proj",
    "cross_attention.q": f"{_CROSS}.q_proj",
}
_JOINED = {
    "attention.qkv": (_SELF, _JOINT),
    "self_attention.qkv": (_SELF, _JOINT),
    "cross_attention.kv": (_CROSS, _JOINT[1:]),
}


def fill(
    model: ImportedTransformer, tensors: Tensors, rows: Sequence[int], positions: Tensor | None
) -> None:
    """Give `model`, which may lie on the meta device, the checkpoint's weights.

    `rows` has for every id of ours the row of the checkpoint's embedding, or -1 for zeros.
    `positions` is the table of positions, (N, D) with N `max_length`, and one more if the tag
    follows a mark; None where they are learned.

    Raises:
        DataError: a tensor is not there, has another shape, or holds values that are not finite.
    """
    for name, wanted in dict(model.state_dict()).items():
        if name == "embedding.weight":
            value = select_rows(_table(tensors), rows)
        elif name == "logits_bias":
            value = _logits_bias(tensors, rows)
        else:
            value = _value(tensors, name)
        check_shape(name, value, wanted)
        model.load_state_dict({name: value}, strict=False, assign=True)
    if positions is None:
        length = model.config.max_length + model.config.tag_follows
        model.encoder_positions = _learned(tensors, "encoder", length)
        model.positions = _learned(tensors, "decoder", length)
    else:
        model.positions = positions
    _check_all_taken(tensors)


def _value(tensors: Tensors, name: str) -> Tensor:
    """A tensor of ours that is neither the embedding nor the output's bias."""
    module, _, kind = name.rpartition(".")
    if module in _RENAMED:
        return tensors.take(f"model.{_RENAMED[module]}.{kind}")
    side, index, inner = module.split(".", 2)
    layer = f"model.{side.removesuffix('_layers')}.layers.{index}"
    if inner in _IN_LAYER:
        return tensors.take(f"{layer}.{_IN_LAYER[inner]}.{kind}")
    owner, parts = _JOINED[inner]
    return torch.cat([tensors.take(f"{layer}.{owner}.{part}.{kind}") for part in parts])


def _learned(tensors: Tensors, side: str, length: int) -> Tensor:
    """Learned positions (length, D) of one side; the checkpoint never uses its first two rows."""
    return tensors.take(f"model.{side}.embed_positions.weight")[2 : length + 2].clone()


def _table(tensors: Tensors) -> Tensor:
    """Embedding of the checkpoint; all that it is stored under must be the same."""
    found = [name for name in _TABLES if name in tensors]
    table = tensors.take(found[0] if found else _TABLES[0])
    for name in found[1:]:
        if not torch.equal(tensors.take(name), table):
            raise DataError(
                f"{name!r} is not the model's one embedding",
                why="only models that share one embedding between encoder, decoder and output"
                " can be imported",
            )
    return table


def _logits_bias(tensors: Tensors, rows: Sequence[int]) -> Tensor:
    if _BIAS not in tensors:
        return torch.zeros(len(rows))
    return select_rows(tensors.take(_BIAS).reshape(-1, 1), rows)[:, 0]


def select_rows(table: Tensor, rows: Sequence[int]) -> Tensor:
    """Rows of a table, zeros where the row is -1; `DataError` if it has too few."""
    if max(rows) >= len(table):
        raise DataError(
            "vocabulary and embedding differ in size",
            why=f"a subword has the id {max(rows)}, the embedding {len(table)} rows",
            fix="Copy the model's folder again, whole",
        )
    index = torch.tensor(rows)
    found = table[index.clamp(min=0)]
    found[index < 0] = 0.0
    return found


def check_shape(name: str, value: Tensor, wanted: Tensor) -> None:
    """Refuse a tensor of another shape than the model's; `DataError` then."""
    if value.shape != wanted.shape:
        raise DataError(
            f"the weights for {name!r} have another shape than the model",
            why=f"{tuple(value.shape)} instead of {tuple(wanted.shape)}",
            fix="Copy the model's folder again, whole",
        )


def _check_all_taken(tensors: Tensors) -> None:
    """Refuse a checkpoint with parts that we do not know: its translations would be wrong."""
    left = [name for name in tensors.left() if "embed_positions" not in name]
    if left:
        raise DataError(
            f"the checkpoint has the unknown tensor {left[0]!r}",
            why="it is a variant of its architecture that cannot be imported",
        )
