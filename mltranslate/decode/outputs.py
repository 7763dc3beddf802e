"""What the graphs of a pack give, as hypotheses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mltranslate.decode.coverage import Attention
from mltranslate.decode.types import END, PAD, UNFINISHED_PENALTY, Hypothesis, Search


def of_size(rows: Attention, target: int, source: int) -> Attention:
    """Return `rows` (T, S) without padding; those that were not asked for look at nothing."""
    found = np.zeros((target, source), np.float32)
    count = min(target, len(rows))
    found[:count] = rows[:count, :source]
    return found


def hypotheses_of(
    run: Mapping[str, NDArray[Any]], search: Search, short: bool
) -> list[list[Hypothesis]]:
    """Return what a graph gave, one list a sentence, best first."""
    if search.beam == 1:
        found = zip(run["tokens"].tolist(), run["totals"].tolist(), strict=True)
        return [[_of_greedy(row, total, short)] for row, total in found]
    penalty = search.length_penalty
    return [
        [_of_beam(row, rank, penalty, short) for row, rank in zip(rows, ranks, strict=True)]
        for rows, ranks in zip(run["tokens"].tolist(), run["ranks"].tolist(), strict=True)
    ]


def _of_greedy(row: list[int], total: float, short: bool) -> Hypothesis:
    pieces, finished = _pieces(row)
    mean = total / max(1, len(pieces) + finished)  # weights that are no numbers give nothing
    return Hypothesis(pieces=pieces, score=mean, finished=finished, shortlist=short)


def _of_beam(row: list[int], rank: float, penalty: float, short: bool) -> Hypothesis:
    pieces, finished = _pieces(row)
    level = rank if finished else rank + UNFINISHED_PENALTY
    mean = level * max(1, len(pieces) + finished) ** (penalty - 1)
    return Hypothesis(pieces=pieces, score=mean, finished=finished, shortlist=short)


def _pieces(tokens: list[int]) -> tuple[tuple[int, ...], bool]:
    """What stands before the end mark, or all but padding, and whether there is an end mark."""
    if END in tokens:
        return tuple(tokens[: tokens.index(END)]), True
    return tuple(token for token in tokens if token != PAD), False
