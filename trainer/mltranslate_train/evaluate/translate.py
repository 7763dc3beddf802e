"""Greedy and beam translation of lists of sentences with a torch model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mltranslate_train import search
from mltranslate_train.evaluate.batching import BATCH_TOKENS, length_batches
from mltranslate_train.model.seq2seq import Seq2Seq
from mltranslate_train.tokenizer import END, PAD, Vocabulary

_GROWTH, _SLACK = 2, 16
"""Most target tokens of a sentence: twice the source's and a little more."""


def translate(
    model: Seq2Seq, vocabulary: Vocabulary, sentences: Sequence[str], target: str,
    *, beam: int = 1, length_penalty: float = 1.0, batch: int = 1024, tokens: int = BATCH_TOKENS,
    advance: Callable[[int], None] = lambda _: None,
) -> list[str]:  # fmt: skip
    """Translate sentences into `target`, in order; long sources are cut at the model's limit.

    Sentences of like length go together, `batch` at most and within `tokens`; `advance` is told
    after each batch how many were done.
    """
    room = model.config.max_length - 2
    encoded = [ids[:room] for ids in vocabulary.encode(list(sentences))]
    outputs: list[list[int]] = [[] for _ in encoded]
    find = search.greedy
    if beam > 1:
        find = functools.partial(search.beam, size=beam, length_penalty=length_penalty)
    for rows in length_batches([len(ids) for ids in encoded], batch, tokens // beam):
        inputs = arrange(model, vocabulary.tag_id(target), [encoded[row] for row in rows])
        for row, found in zip(rows, find(model, *inputs), strict=True):
            outputs[row] = list(found.pieces)
        advance(len(rows))
    return vocabulary.decode(outputs)


def arrange(
    model: Seq2Seq, tag: int, encoded: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor, Tensor]:
    """Source, start and limits of a batch, on the model's device, as every search takes them."""
    width = max(map(len, encoded)) + 2
    source = torch.full((len(encoded), width), PAD, dtype=torch.long)
    for row, pieces in enumerate(encoded):
        source[row, : len(pieces) + 2] = torch.tensor([tag, *pieces, END])
    start = torch.full((len(encoded),), tag)
    limits = torch.tensor([len(pieces) * _GROWTH + _SLACK for pieces in encoded])
    limits = limits.clamp(max=model.config.max_length - 1)
    return source.to(model.device), start.to(model.device), limits.to(model.device)
