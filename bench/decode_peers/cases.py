"""What is timed: single sentences, a batch, and a file, all of real text."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from models import ENDLESS, NATURAL

LENGTHS = (8, 16, 32)
SINGLES = 3
"""Sentences of a case of batch 1, one after the other in a call."""
BATCH = 32
BATCH_LENGTH = 16
FILE = "file"
BATCHED = f"batch{BATCH}"
_FILE_LIMIT = 128
"""Most tokens of a sentence of the file, for either engine."""

Case = dict[str, Any]


class Sentences:
    """Draws source ids from lines of text, tag and end mark included."""

    def __init__(self, lines: Sequence[Sequence[int]], tag: int, end: int) -> None:
        self._lines = [list(line) for line in lines if line]
        self._tag, self._end = tag, end
        self._random = random.Random(1)

    def of_length(self, length: int) -> list[int]:
        """Some lines on end, cut to this length."""
        pieces: list[int] = []
        while len(pieces) < length:
            pieces += self._random.choice(self._lines)
        return [self._tag, *pieces[:length], self._end]

    def mixed(self) -> list[int]:
        """The first half of one line and the second half of another: a length as in the text."""
        one, other = self._random.choices(self._lines, k=2)
        pieces = one[: (len(one) + 1) // 2] + other[len(other) // 2 :]
        return [self._tag, *pieces, self._end]


def make_cases(draw: Sentences, file_sentences: int, *, trained: bool) -> dict[str, Case]:
    """All cases by name. A group of sentences is one call of an engine, with one limit."""
    cases: dict[str, Case] = {}
    for length in LENGTHS:
        groups = [_group([draw.of_length(length)]) for _ in range(SINGLES)]
        cases[f"greedy-{length}"] = _case(ENDLESS, 1, groups)
        cases[f"beam4-{length}"] = _case(ENDLESS, 4, groups)
    batch = _group([draw.of_length(BATCH_LENGTH) for _ in range(BATCH)])
    cases[BATCHED] = _case(ENDLESS, 1, [batch])
    sources = [draw.mixed() for _ in range(file_sentences)]
    if trained:
        groups = [{"sources": sources, "limit": _FILE_LIMIT}]
    else:
        # Random weights never end a sentence: sentences of one length are cut at it together.
        groups = [_group(rows) for rows in _split(sources, len)]
    cases[FILE] = {**_case(NATURAL if trained else ENDLESS, 1, groups), "whole": False}
    return cases


def _case(model: str, beam: int, groups: list[dict[str, Any]]) -> Case:
    return {"model": model, "beam": beam, "groups": groups, "whole": True}


def _group(sources: list[list[int]]) -> dict[str, Any]:
    return {"sources": sources, "limit": len(sources[0]) - 2}


def _split(
    sources: list[list[int]], key: Callable[[list[int]], int]
) -> list[list[list[int]]]:  # fmt: skip
    found: dict[int, list[list[int]]] = {}
    for source in sorted(sources, key=key):
        found.setdefault(key(source), []).append(source)
    return list(found.values())
