"""The links of sentence pairs, both directions merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mltranslate_train.align.cells import Cells, Ids, Pairs
from mltranslate_train.align.model import Aligner
from mltranslate_train.align.symmetrise import Link, symmetrise


@dataclass(slots=True)
class Agreement:
    """Links that both directions found, and those that either did."""

    both: int = 0
    either: int = 0

    @property
    def share(self) -> float:
        """Share of all links that both directions found."""
        return self.both / max(1, self.either)


def pair_links(
    aligner: Aligner, pairs: Pairs, heuristic: str, agreement: Agreement | None = None
) -> Iterator[set[Link]]:
    """The merged links of each pair: places of pieces, first side and second side."""
    cells, forward, backward = aligner.best(pairs)
    one, two = (_by_pair(cells, pairs, chosen) for chosen in (forward, backward))
    for there, back in zip(one, two, strict=True):
        if agreement:
            agreement.both += len(there & back)
            agreement.either += len(there | back)
        yield symmetrise(there, back, heuristic)


def _by_pair(cells: Cells, pairs: Pairs, chosen: Ids) -> Iterator[set[Link]]:
    first_ends, second_ends = pairs.first.cumsum(), pairs.second.cumsum()
    row, column = cells.second.place[chosen], cells.first.place[chosen]
    pair = np.searchsorted(second_ends, row, side="right")
    first = column - (first_ends - pairs.first)[pair]
    second = row - (second_ends - pairs.second)[pair]
    links = list(zip(first.tolist(), second.tolist(), strict=True))
    ends = np.searchsorted(pair, np.arange(len(pairs)), side="right").tolist()
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        yield set(links[start:end])
