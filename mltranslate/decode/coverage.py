"""How much of a sentence its translations cover, and what a beam found ranked again by that.

The coverage penalty of Wu et al. (2016, "Google's neural machine translation system", equation 14)
is `beta * sum_i log(min(sum_j p_ij, 1))`: `p_ij` is how much the subword j of a translation looks
at the subword i of the source. A subword of the source that gets less than the attention of one
whole subword costs the logarithm of what it gets. Subwords count one by one: those of a word share
its attention, but they do so in every hypothesis, and only differences between these matter.

The search graphs do not give attention, so that nobody pays for it who does not ask: finished
hypotheses are read once more by the graph that aligns, and only their order changes, not which
prefixes a beam follows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mltranslate.decode.types import Hypothesis, Request, Search

Attention = NDArray[np.float32]
"""Of one translation: (T, S + 2), as `Decoder.alignment` gives it."""

Look = Callable[[Sequence[Request], Sequence[Hypothesis]], Sequence[Attention]]
"""What the subwords of one hypothesis a request look at."""

LEAST = 1e-6
"""What a subword of the source gets at least: one that nothing looks at costs no infinity."""


def coverage(attention: Attention) -> float:
    """Return the sum over the source's subwords of the log of how much each is looked at.

    0 when every one gets a whole subword's attention or more, negative otherwise. The tag and the
    end mark, the first and the last column of `attention`, say nothing that could be left out and
    do not count.
    """
    got = attention[:, 1:-1].sum(axis=0, dtype=np.float64)
    return float(np.log(got.clip(LEAST, 1)).sum())


def by_coverage(
    requests: Sequence[Request], found: Sequence[Sequence[Hypothesis]], search: Search, look: Look
) -> list[list[Hypothesis]]:
    """Order the hypotheses of every request by the search's rank with its coverage penalty.

    All of them are looked at in one go. Equal ones keep their order, and those that were cut at
    their limit stay behind.
    """
    pairs = [(request, one) for request, its in zip(requests, found, strict=True) for one in its]
    if not pairs:
        return [list(its) for its in found]
    looks = look([request for request, _ in pairs], [one for _, one in pairs])
    ranks = map(_rank, (one for _, one in pairs), looks, itertools.repeat(search))
    return [_ordered(its, list(itertools.islice(ranks, len(its)))) for its in found]


def _rank(one: Hypothesis, attention: Attention, search: Search) -> tuple[bool, float]:
    tokens = max(1, len(one.pieces) + one.finished)
    likely = one.score * tokens ** (1 - search.length_penalty)
    return one.finished, likely + search.coverage_penalty * coverage(attention)


def _ordered(its: Sequence[Hypothesis], ranks: Sequence[tuple[bool, float]]) -> list[Hypothesis]:
    best_first = sorted(range(len(its)), key=ranks.__getitem__, reverse=True)
    return [its[place] for place in best_first]
