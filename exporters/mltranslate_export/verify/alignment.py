"""Compares the graph that aligns with the trainer's own attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from mltranslate.decode.coverage import Attention
from mltranslate.decode.decoder import Decoder
from mltranslate.decode.types import END, Hypothesis, Request
from mltranslate.errors import VerificationError
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.graphs.aligner import aligner_of
from mltranslate_export.importers.model import ImportedConfig
from mltranslate_train.model.attention import CrossAttention
from mltranslate_train.model.layers import DecoderLayer
from mltranslate_train.model.transformer import Transformer

MOST_DIFFERENT = 1e-3
"""Between two probabilities that are told apart by rounding only."""

_BATCH = 16


def compare(
    decoder: Decoder, checkpoint: Checkpoint, requests: Sequence[Request],
    quantised: Decoder | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Align greedy translations of `requests` with the fp32 graph, and tell how it went.

    With `quantised` the report has the share of subwords for which that decoder's graph looks most
    at the same place. Raises `VerificationError` unless the graph gives the trainer's attention.
    """
    ordered = sorted(requests, key=lambda request: len(request.pieces))
    largest, same, subwords = 0.0, 0, 0
    for first in range(0, len(ordered), _BATCH):
        batch = ordered[first : first + _BATCH]
        found = decoder.decode(batch)
        looks = decoder.alignment(batch, found)
        for request, one, ours in zip(batch, found, looks, strict=True):
            theirs = oracle(checkpoint, request, one)
            largest = max(largest, float(np.abs(ours - theirs).max(initial=0)))
            subwords += len(one.pieces)
        if quantised:
            pairs = zip(looks, quantised.alignment(batch, found), strict=True)
            same += sum(int((a.argmax(1) == b.argmax(1)).sum()) for a, b in pairs)
    if not largest <= MOST_DIFFERENT:
        raise VerificationError(
            "the fp32 graph for alignments does not give the trainer's attention",
            why=f"a probability differs by {largest:.2g}, and {MOST_DIFFERENT:g} is allowed",
            fix="This is a fault of the exporter; please report it",
        )
    report = {"sentences": len(requests), "subwords": subwords, "largest_difference": largest}
    return {**report, "int8_same": same / max(1, subwords)} if quantised else report


@torch.inference_mode()
def oracle(checkpoint: Checkpoint, request: Request, translation: Hypothesis) -> Attention:
    """What `Decoder.alignment` is to give for one sentence, by the model in torch."""
    model = cast(Transformer, checkpoint.model)
    aligner = aligner_of(model.config)
    tag = checkpoint.tags[request.tag_language(checkpoint.source_tag)]
    source = torch.tensor([[tag, *request.pieces, END]])
    pieces = translation.pieces[: model.config.max_length - 1]
    target = torch.tensor([[checkpoint.tags[request.target], *pieces]])
    layer = cast(DecoderLayer, model.decoder_layers[aligner.layer])
    asked, read = _inputs_of(model, layer.cross_attention, source, target)
    memory = layer.cross_attention.memory(read)
    found = layer.cross_attention.alignment(asked, memory, None, aligner.heads)[0]
    # The last row is that of the last subword; the first may be that of the model's own mark.
    last = len(found) if aligner.reading else len(found) - 1
    rows = found[last - len(pieces) : last].numpy()
    config, left_out = model.config, (0, len(translation.pieces) - len(pieces))
    if not isinstance(config, ImportedConfig):
        return np.pad(rows, (left_out, (0, 0)))
    return np.pad(rows, (left_out, (not config.reads_tag, not config.reads_end)))


def _inputs_of(
    model: Transformer, attention: CrossAttention, source: Tensor, target: Tensor
) -> tuple[Tensor, Tensor]:
    """What a cross-attention reads of target (1, T, D) and source (1, S, D)."""
    seen: dict[nn.Module, Tensor] = {}

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[module] = inputs[0]

    hooks = [part.register_forward_pre_hook(note) for part in (attention.q, attention.kv)]
    try:
        model(source, target, None)
    finally:
        for hook in hooks:
            hook.remove()
    return seen[attention.q], seen[attention.kv]
