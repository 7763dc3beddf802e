"""Compares the fp32 graphs with the trainer's search, token for token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mltranslate.decode.decoder import Decoder
from mltranslate.decode.types import END, PAD, Hypothesis, Request
from mltranslate.errors import VerificationError
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_train import search

BEAM = 4
BATCH = 16
NEAR_TIE = 1e-4
"""Two choices whose log-probabilities differ by less are told apart by rounding only."""
MOST_NEAR_TIES = 0.01
"""Share of sentences that near ties may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How many sentences came out with other tokens than the oracle's."""

    search: str
    sentences: int
    near_ties: int
    """Other tokens, where the oracle itself is within `NEAR_TIE` of a draw."""
    different: int
    """Other tokens without such an excuse."""

    def check(self) -> None:
        """Raise `VerificationError` unless the tokens are equal but for rare near ties."""
        if self.different or self.near_ties > MOST_NEAR_TIES * self.sentences:
            raise VerificationError(
                f"the fp32 graph for {self.search} search is not the trainer's search",
                why=f"{self.different} of {self.sentences} sentences have other tokens, "
                f"{self.near_ties} more differ by near ties",
                fix="This is a fault of the exporter; please report it",
            )

    def report(self) -> dict[str, Any]:
        """Give the figures for the report."""
        return {**asdict(self), "near_tie_logprob": NEAR_TIE}


def compare(
    decoder: Decoder, checkpoint: Checkpoint, requests: Sequence[Request], *, beam: int,
    guard: bool = False,
) -> Parity:  # fmt: skip
    """Decode `requests` with graph and oracle; `beam` 1 is greedy search."""
    near = different = 0
    ordered = sorted(requests, key=lambda request: len(request.pieces))
    for first in range(0, len(ordered), BATCH):
        batch = ordered[first : first + BATCH]
        found = decoder.decode(batch, beam=beam, repetition_guard=guard)
        expected = oracle(checkpoint, batch, beam=beam, guard=guard)
        for request, ours, theirs in zip(batch, found, expected, strict=True):
            if (ours.pieces, ours.finished) != (theirs.pieces, theirs.finished):
                tie = _near_tie(checkpoint, request, ours, theirs, beam, guard=guard)
                near, different = near + tie, different + (not tie)
    name = "greedy" if beam == 1 else f"beam {beam}"
    return Parity(search=name, sentences=len(requests), near_ties=near, different=different)


def compare_short(
    decoder: Decoder, checkpoint: Checkpoint, requests: Sequence[Request], *, beam: int,
    guard: bool = False,
) -> Parity:  # fmt: skip
    """Like `compare`; the oracle is kept to the ids that the decoder's shortlist gives a sentence.

    Sentences that the shortlist does not cover are compared with the whole vocabulary.
    """
    near = different = 0
    every = set(range(checkpoint.model.config.vocabulary_size))
    for request in requests:
        ids = decoder.choices(request)
        banned = checkpoint.banned if ids is None else tuple(every.difference(ids.tolist()))
        kept = replace(checkpoint, banned=tuple({*checkpoint.banned, *banned}))
        found = compare(decoder, kept, [request], beam=beam, guard=guard)
        near, different = near + found.near_ties, different + found.different
    name = f"{'greedy' if beam == 1 else f'beam {beam}'}, shortlist"
    return Parity(search=name, sentences=len(requests), near_ties=near, different=different)


def oracle(
    checkpoint: Checkpoint, requests: Sequence[Request], *, beam: int, guard: bool = False
) -> list[Hypothesis]:
    """Decode one batch with the trainer's search."""
    source, start = _inputs(checkpoint, requests)
    limits = torch.tensor([request.max_tokens for request in requests])
    limits = limits.clamp(max=checkpoint.model.config.max_length)
    model, banned = checkpoint.model, checkpoint.banned
    if beam == 1:
        return search.greedy(model, source, start, limits, guard=guard, banned=banned)
    return search.beam(model, source, start, limits, size=beam, guard=guard, banned=banned)


def _inputs(checkpoint: Checkpoint, requests: Sequence[Request]) -> tuple[Tensor, Tensor]:
    width = max(len(request.pieces) for request in requests) + 2
    source = torch.full((len(requests), width), PAD)
    tags = [checkpoint.tags[r.tag_language(checkpoint.source_tag)] for r in requests]
    for row, tag, request in zip(source, tags, requests, strict=True):
        row[: len(request.pieces) + 2] = torch.tensor([tag, *request.pieces, END])
    return source, torch.tensor([checkpoint.tags[request.target] for request in requests])


def _near_tie(
    checkpoint: Checkpoint, request: Request, ours: Hypothesis, theirs: Hypothesis, beam: int, *,
    guard: bool = False,
) -> bool:  # fmt: skip
    if beam > 1:
        level = ours.finished == theirs.finished and abs(ours.score - theirs.score) <= NEAR_TIE
        return level or _closest_call(checkpoint, request, beam, guard) <= NEAR_TIE
    left, right = (*ours.pieces, END), (*theirs.pieces, END)
    place = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    if place is None:
        return False
    chances = _logprobs(checkpoint, request, left[:place])
    return bool((chances[left[place]] - chances[right[place]]).abs() <= NEAR_TIE)


@torch.inference_mode()
def _closest_call(checkpoint: Checkpoint, request: Request, beam: int, guard: bool) -> float:
    """Smallest lead, in log-probability, of a prefix that the oracle kept over one it dropped."""
    source, start = _inputs(checkpoint, [request])
    limits = torch.tensor([min(request.max_tokens, checkpoint.model.config.max_length)])
    stepper = search._Stepper(checkpoint.model, source, beam, checkpoint.banned)
    state = search.Beam.begin(1, beam, source.device)
    last, closest = start.repeat_interleave(beam), float("inf")
    for step in range(int(limits)):
        logprobs = stepper(last, step, state.tokens.flatten(0, 1) if guard else None)
        candidates = state.expand(logprobs[None])
        alive = candidates.totals[0][~candidates.ended[0]]
        if len(alive) > beam and alive[beam].isfinite():
            closest = min(closest, float(alive[beam - 1] - alive[beam]))
        state.finish(candidates, step + 1, limits)
        rows = state.prune(candidates)
        if bool(state.done.all()):
            break
        stepper.reorder(rows)
        last = state.tokens[:, :, -1].flatten()
    return closest


@torch.inference_mode()
def _logprobs(checkpoint: Checkpoint, request: Request, prefix: tuple[int, ...]) -> Tensor:
    """Log-probabilities (V,) of the token after `prefix`."""
    source, start = _inputs(checkpoint, [request])
    target = torch.cat([start, torch.tensor(prefix, dtype=torch.int64)])[None]
    model = checkpoint.model
    return model.logits(model(source, target, None)[0, -1]).log_softmax(dim=-1)
