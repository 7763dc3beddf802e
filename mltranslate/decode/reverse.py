"""How well translations say their source back, and what a beam found ranked by that too.

A model that goes both ways tells how probable the source is as a translation of each hypothesis
(Yee et al. 2019, "Simple and effective noisy channel modeling for neural machine translation").
A hypothesis that leaves something out, or makes something up, says less of it.

The rank is `(1 - w) * log p(y | x) / |y| ** a + w * log p(x | y) / |x| ** a`, with the weight `w`
and the length penalty `a` of the search. Both are among the ids of a shortlist where there is one:
that of the source is for all hypotheses of a sentence together, so that they can be compared. Only
the order of what was found changes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mltranslate.decode.types import END, Hypothesis, Request, Search

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A sentence and its translations, from which the way back is scored."""

    said: Ids
    """The subwords of the sentence and the end mark."""
    requests: tuple[Request, ...]
    """To translate each of the translations back."""


Back = Callable[[Sequence[Return]], Iterable[Sequence[float]]]
"""Log-probability of every token of `Return.said`, from each of its requests in turn."""


def turned(request: Request, hypotheses: Sequence[Hypothesis]) -> Return:
    """Return the way back to `request` from those of its `hypotheses` that say something."""
    back = (
        Request(
            pieces=one.pieces, source=request.target, target=request.source,
            max_tokens=len(request.pieces) + 1,
        )
        for one in hypotheses
        if one.pieces
    )  # fmt: skip
    return Return(said=(*request.pieces, END), requests=tuple(back))


def by_reverse(
    requests: Sequence[Request],
    found: Sequence[Sequence[Hypothesis]],
    search: Search,
    back: Back,
    most: int,
) -> list[list[Hypothesis]]:
    """Order the hypotheses of every request by the search's rank with its `reverse_weight`.

    All of them are scored in one go. Equal ones keep their order, those that were cut at their
    limit stay behind, and so do empty ones. Where one has more than `most` subwords, which the
    model does not read, the order of its request stays.
    """
    ranked = [
        len(its) > 1 and max(len(request.pieces), *(len(one.pieces) for one in its)) <= most
        for request, its in zip(requests, found, strict=True)
    ]
    ways = [
        turned(request, its)
        for request, its, is_ranked in zip(requests, found, ranked, strict=True)
        if is_ranked
    ]
    scores = iter(back(ways) if ways else ())
    return [
        _ordered(its, list(_ranks(its, scores, search))) if is_ranked else list(its)
        for its, is_ranked in zip(found, ranked, strict=True)
    ]


def _ranks(
    its: Sequence[Hypothesis], scores: Iterator[Sequence[float]], search: Search
) -> Iterator[tuple[bool, float]]:
    """The rank of each hypothesis; `scores` has those that say something, in order."""
    weight, power = search.reverse_weight, search.length_penalty
    for one in its:
        if not one.pieces:
            yield one.finished, -math.inf
            continue
        [said] = itertools.islice(scores, 1)
        tokens = len(one.pieces) + one.finished
        forth = one.score * math.pow(tokens, 1 - power)
        yield one.finished, (1 - weight) * forth + weight * sum(said) / math.pow(len(said), power)


def _ordered(its: Sequence[Hypothesis], ranks: Sequence[tuple[bool, float]]) -> list[Hypothesis]:
    best_first = sorted(range(len(its)), key=ranks.__getitem__, reverse=True)
    return [its[place] for place in best_first]
