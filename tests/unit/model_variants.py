"""One small model of every variant, for tests that hold for all of them."""

from __future__ import annotations

import itertools
from typing import Any

import torch

from mltranslate_train.config import ModelSection
from mltranslate_train.model.build import make_config, make_model
from mltranslate_train.model.seq2seq import Seq2Seq

TRANSFORMERS: dict[str, dict[str, Any]] = {
    f"transformer-{norm}-{decoder}": {"norm": norm, "decoder": decoder}
    for norm, decoder in itertools.product(("pre", "post"), ("attention", "average", "ssru"))
}
RNNS: dict[str, dict[str, Any]] = {
    f"{cell}-{attention}-{'both-ways' if both else 'one-way'}": {
        "architecture": "rnn", "cell": cell, "attention": attention, "bidirectional": both,
    }
    for cell, attention, both in itertools.product(
        ("lstm", "gru"), ("none", "bahdanau", "luong"), (True, False)
    )
}  # fmt: skip
EMBEDDINGS: dict[str, dict[str, Any]] = {
    f"{architecture}-{embeddings}": {"architecture": architecture, "embeddings": embeddings}
    for architecture, embeddings in itertools.product(
        ("transformer", "rnn"), ("target", "separate")
    )
}
VARIANTS = TRANSFORMERS | RNNS | EMBEDDINGS

MARKS = 5
"""Ids of padding, unknown, begin, end, and the only tag."""
END, TAG = 3, 4


def make_variant(name: str, *, words: int = 40, layers: int = 2, width: int = 16) -> Seq2Seq:
    """A model with random weights, the same for each name."""
    keys = VARIANTS[name]
    if keys.get("architecture") != "rnn":
        keys = {"heads": 2, "ffn": 2 * width, **keys}
    section = ModelSection(
        d_model=width, encoder_layers=layers, decoder_layers=layers, dropout=0.0, max_length=12,
        **keys,
    )  # fmt: skip
    torch.manual_seed(1)
    return make_model(make_config(section, MARKS + words))
