"""How a system is asked for translations: greedily, with a beam, or by sampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mltranslate.decode.types import Hypothesis
from mltranslate.errors import LanguageError, UsageError
from mltranslate_train.evaluate.batching import BATCH_TOKENS, length_batches
from mltranslate_train.evaluate.sets import Direction
from mltranslate_train.evaluate.systems import (
    Advance,
    Sampling,
    Searching,
    Settings,
    open_system,
)

_MOST = 1024
"""Sentences that go together at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What decides the translations, besides the system."""

    beam: int = 1
    """1 searches greedily."""
    sample: bool = False
    """Draw each token from the model's distribution instead (Edunov et al. 2018)."""
    top: int = 0
    """Draw only from so many likeliest tokens; 0 draws from all."""
    seed: int = 1
    batch_tokens: int = BATCH_TOKENS
    """Source tokens, padding included, that go together; a beam counts as often as wide."""

    def record(self) -> dict[str, Any]:
        """What of it counts, as plain JSON values."""
        sampled = {"sample": True, "top": self.top, "seed": self.seed}
        chosen = sampled if self.sample else {"beam": self.beam}
        return {**chosen, "batch_tokens": self.batch_tokens}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A source in subword ids, and its translations, best first."""

    pieces: list[int]
    hypotheses: list[Hypothesis]
    """None if the source is empty or too long for the model."""


def open_searching(text: str, settings: Settings) -> Searching:
    """The run or pack that `text` names; a pack will be decoded line by line, without guards.

    Raises:
        UsageError: it is neither.
        PackError, DataError, DeviceError: it cannot be loaded as asked.
    """
    if Path(text).is_file():
        raise UsageError(f"{text} is a file", fix="Give a run or a pack, which can translate")
    system = open_system(text, settings, (), ())
    if not isinstance(system, Searching):
        raise UsageError(
            f"{text} holds translations", fix="Give a run or a pack, which can make new ones"
        )
    return system


def check_direction(system: Searching, direction: Direction) -> None:
    """Raise LanguageError unless the system was made for the direction."""
    if direction not in system.directions:
        offers = ", ".join("-".join(pair) for pair in system.directions)
        raise LanguageError(
            f"{system.info.name} does not translate {'-'.join(direction)}",
            fix=f"It offers {offers}",
        )


class Searcher:
    """Translates chunks of texts into one language; raises UsageError if it cannot as asked."""

    def __init__(self, system: Searching, target: str, search: Search) -> None:
        self._system, self._search = system, search
        make_ask = _sampling if search.sample else _searching
        self._ask = make_ask(system, target, search)

    def find(self, texts: Sequence[str], start: int, advance: Advance) -> list[Found]:
        """Translations of texts, the first of which has the number `start` in its corpus.

        What is drawn for a text depends on its number and on nothing beside it.
        """
        encoded = self._system.pieces(texts)
        found = [Found(pieces=pieces, hypotheses=[]) for pieces in encoded]
        fit = [row for row, ids in enumerate(encoded) if 0 < len(ids) <= self._system.room]
        advance(len(texts) - len(fit))
        beam = 1 if self._search.sample else self._search.beam
        lengths = [len(encoded[row]) for row in fit]
        for places in length_batches(lengths, _MOST, self._search.batch_tokens // beam):
            rows = [fit[place] for place in places]
            batch = [encoded[row] for row in rows]
            for row, best in zip(
                rows, self._ask(batch, [start + row for row in rows]), strict=True
            ):
                found[row].hypotheses.extend(best)
            advance(len(rows))
        return found


_Ask = Callable[[list[list[int]], list[int]], list[list[Hypothesis]]]
"""Translates a batch of sources in subword ids, whose numbers in their corpus are given."""


def _searching(system: Searching, target: str, search: Search) -> _Ask:
    return lambda batch, _: system.n_best(batch, target, search.beam)


def _sampling(system: Searching, target: str, search: Search) -> _Ask:
    if not isinstance(system, Sampling):
        raise UsageError(
            f"{system.info.name} cannot sample",
            why="the graphs of a pack search greedily or with a beam",
            fix="Give the run that it was exported from, or leave --sample out",
        )

    def ask(batch: list[list[int]], numbers: list[int]) -> list[list[Hypothesis]]:
        draws = _draws(search.seed, numbers, system.room + 1)
        return [[one] for one in system.sample(batch, target, draws, search.top)]

    return ask


def _draws(seed: int, numbers: Sequence[int], steps: int) -> Tensor:
    """Random numbers (B, steps) in [0, 1), a counter-based generator for each row."""
    rows = [
        np.random.Generator(np.random.Philox(key=[seed, number])).random(steps)
        for number in numbers
    ]
    return torch.from_numpy(np.stack(rows))
