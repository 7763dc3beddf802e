"""Greedy and beam translation of lists of sentences with a torch model."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch

from mltranslate_train import search
from mltranslate_train.model.transformer import Transformer
from mltranslate_train.tokenizer import END, PAD, Vocabulary

_GROWTH, _SLACK = 2, 16
"""Most target tokens of a sentence: twice the source's and a little more."""


def translate(
    model: Transformer, vocabulary: Vocabulary, sentences: Sequence[str], target: str,
    *, beam: int = 1, batch: int = 64,
) -> list[str]:  # fmt: skip
    """Translate sentences into `target`, in order; long sources are cut at the model's limit."""
    room = model.config.max_length - 2
    encoded = [ids[:room] for ids in vocabulary.encode(list(sentences))]
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    outputs: list[list[int]] = [[] for _ in encoded]
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        found = _decode(model, vocabulary.tag_id(target), [encoded[row] for row in rows], beam)
        for row, pieces in zip(rows, found, strict=True):
            outputs[row] = pieces
    return vocabulary.decode(outputs)


def _decode(model: Transformer, tag: int, encoded: list[list[int]], beam: int) -> list[list[int]]:
    device = model.embedding.weight.device
    width = max(map(len, encoded)) + 2
    source = torch.full((len(encoded), width), PAD, dtype=torch.long)
    for row, pieces in enumerate(encoded):
        source[row, : len(pieces) + 2] = torch.tensor([tag, *pieces, END])
    start = torch.full((len(encoded),), tag)
    limits = torch.tensor([len(pieces) * _GROWTH + _SLACK for pieces in encoded])
    limits = limits.clamp(max=model.config.max_length - 1)
    inputs = [item.to(device) for item in (source, start, limits)]
    search_one = search.greedy if beam == 1 else functools.partial(search.beam, size=beam)
    return [list(found.pieces) for found in search_one(model, *inputs)]
