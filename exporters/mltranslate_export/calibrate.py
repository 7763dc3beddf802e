"""Finds the range of every activation that int8 quantises, by watching the trained model decode."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
from sentencepiece import SentencePieceProcessor
from torch import Tensor, nn

from mltranslate.decode.types import Request
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.graphs.builder import Array
from mltranslate_export.graphs.linear import LOGITS, Ranges
from mltranslate_export.verify.pairs import Pair
from mltranslate_export.verify.parity import BATCH, oracle
from mltranslate_export.verify.quality import requests_for
from mltranslate_train.model.recurrent import Gru, Lstm, State
from mltranslate_train.model.seq2seq import Seq2Seq

_Seen = dict[str, tuple[Array, Array]]

SENTENCES = 50
"""Most sentences a direction; the last ones, as the first are those that quality is measured on."""


def calibrate(checkpoint: Checkpoint, groups: Mapping[tuple[str, str], Sequence[Pair]]) -> Ranges:
    """Decode sentences of every direction and note the extremes of each channel that products read.

    Every sentence also goes in upper case, so that unusual input stays within the ranges. Whatever
    lies beyond them at run time counts as the extreme.
    """
    seen: _Seen = {}
    with ExitStack() as stack:
        for name, module in checkpoint.model.named_modules():
            if isinstance(module, nn.Linear):
                hook = module.register_forward_pre_hook(_before(seen, name))
                stack.callback(hook.remove)
            elif isinstance(module, Lstm | Gru):
                stack.enter_context(_replaced(module, "step", _watched_step(module, seen, name)))
        logits = _watched_logits(checkpoint.model, seen)
        stack.enter_context(_replaced(checkpoint.model, "logits", logits))
        requests = _requests(checkpoint, groups)
        for first in range(0, len(requests), BATCH):
            oracle(checkpoint, requests[first : first + BATCH], beam=1)
    return seen


def _requests(
    checkpoint: Checkpoint, groups: Mapping[tuple[str, str], Sequence[Pair]]
) -> list[Request]:
    processor = SentencePieceProcessor(model_file=str(checkpoint.vocabulary))
    pairs = [pair for group in groups.values() for pair in group[-SENTENCES:]]
    pairs += [dataclasses.replace(pair, text=pair.text.upper()) for pair in pairs]
    return requests_for(
        lambda text: tuple(processor.encode(text)), pairs, checkpoint.max_source_tokens
    )


def _before(seen: _Seen, name: str) -> Callable[..., None]:
    def note(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        _note(seen, name, inputs[0])

    return note


def _watched_logits(model: Seq2Seq, seen: _Seen) -> Callable[[Tensor], Tensor]:
    """Note what the output layer reads; it can be an embedding, where no hook sees that."""
    plain = model.logits

    def logits(states: Tensor) -> Tensor:
        _note(seen, LOGITS, states)
        return plain(states)

    return logits


def _watched_step(layer: Lstm | Gru, seen: _Seen, name: str) -> Callable[[Tensor, State], State]:
    """Note what both products of a recurrent layer read."""
    plain = layer.step

    def step(x: Tensor, state: State) -> State:
        _note(seen, f"{name}.ih", x)
        _note(seen, f"{name}.hh", state[0])
        return plain(x, state)

    return step


@contextmanager
def _replaced(owner: nn.Module, method: str, watched: Callable[..., object]) -> Iterator[None]:
    """Let `watched` take the place of a method of this one module."""
    vars(owner)[method] = watched
    try:
        yield
    finally:
        del vars(owner)[method]


def _note(seen: _Seen, name: str, values: Tensor) -> None:
    channels = values.detach().reshape(-1, values.shape[-1])
    # Zero is always inside: it must be exact, and rectified values start there.
    low, high = (channels.amin(0).clamp(max=0).numpy(), channels.amax(0).clamp(min=0).numpy())
    if name in seen:
        low, high = np.minimum(low, seen[name][0]), np.maximum(high, seen[name][1])
    seen[name] = low, high
