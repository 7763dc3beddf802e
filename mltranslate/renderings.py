"""Finished sentences: what is known of each, joined to texts, and the other ways to say them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mltranslate.alignment import NO_ALIGNMENT, Alignment, joined
from mltranslate.decode.types import Hypothesis
from mltranslate.glossary import Term
from mltranslate.text.protected import Masked
from mltranslate.text.spans import Span, join
from mltranslate.types import Caution, TokenScore


@dataclass(frozen=True, slots=True)
class Rendering:
    """A finished sentence."""

    text: str
    log_probability: float
    """Natural log-probability of all its tokens together."""
    tokens: int
    """Tokens decoded, end marks included."""
    loss: float = 0.0
    """How much less the search makes of it than of the best one of its sentence."""
    cautions: frozenset[Caution] = frozenset()
    alternatives: tuple[Rendering, ...] = ()
    """The next best ones, best first, other texts each; none unless they were asked for."""
    token_scores: tuple[TokenScore, ...] = ()
    """Tokens with end marks; none unless they were asked for."""
    alignment: Alignment = NO_ALIGNMENT
    """Which of the model's words come from which; empty unless it was asked for."""
    hypothesis: Hypothesis | None = None
    """What the model wrote, subword by subword; None for what was put together from parts."""
    looked_up: bool = False
    """Whether the phrasebook has it, or has a part of it."""

    @property
    def score(self) -> float:
        """Mean log-probability a token; 0 when nothing was decoded."""
        return self.log_probability / max(1, self.tokens)


def assemble(
    spans: Sequence[Span], parts: Sequence[Rendering], target: str, count: int = 1
) -> Rendering:
    """Join the renderings of the translatable spans of one sentence to one rendering.

    With `count` over 1 it has the so many best ways to join them, less itself, as alternatives.
    """
    if len(spans) == 1 and len(parts) == 1:
        return parts[0]
    best, *others = (_joined(spans, chosen, target) for chosen in variants(parts, count))
    return replace(best, alternatives=tuple(distinct(best, others)))


def restored(
    rendering: Rendering, masked: Masked, target: str, terms: Sequence[Term] = ()
) -> Rendering | None:
    """The rendering of a masked sentence with everything back in it; None when a name is lost.

    `terms` are those that the translation was made to have.
    """
    pairs = [(term.source, term.target) for term in terms]
    found = masked.restore(rendering.text, target, rendering.alignment, pairs)
    if found is None:
        return None
    text, guessed = found
    best = replace(
        rendering,
        text=text,
        cautions=rendering.cautions | {Caution.PLACED} if guessed else rendering.cautions,
    )
    others = (restored(other, masked, target, terms) for other in rendering.alternatives)
    return replace(best, alternatives=tuple(distinct(best, list(filter(None, others)))))


def retouched(rendering: Rendering, retouch: Callable[[str], str]) -> Rendering:
    """The rendering, and its alternatives, with what `retouch` makes of their texts."""
    best = replace(rendering, text=retouch(rendering.text))
    others = [retouched(other, retouch) for other in rendering.alternatives]
    return replace(best, alternatives=tuple(distinct(best, others)))


def distinct(best: Rendering, others: Sequence[Rendering]) -> Iterator[Rendering]:
    """Yield those of `others` that say something else than `best` and those before them."""
    seen = {best.text}
    for other in others:
        if other.text not in seen:
            seen.add(other.text)
            yield other


def faithful(best: Rendering, others: Sequence[Rendering]) -> list[Rendering]:
    """Those of `others` that lose no number of their source, unless `best` loses one itself."""
    lossy = {Caution.NUMBERS} - best.cautions
    return [other for other in others if not lossy & other.cautions]


def variants(parts: Sequence[Rendering], count: int) -> list[tuple[Rendering, ...]]:
    """Choose one rendering for each of `parts`, in the `count` best ways, best first.

    The first way has the parts themselves. The others lose least, all parts together. Time is
    linear in the number of parts.
    """
    ways: list[tuple[float, tuple[tuple[int, Rendering], ...]]] = [(0.0, ())]
    for place, part in enumerate(parts if count > 1 else ()):
        options = list(zip(_losses(part), part.alternatives, strict=True))
        grown = [
            (loss + more, (*changes, (place, other)))
            for loss, changes in ways
            for more, other in options
        ]
        ways = heapq.nsmallest(count, [*ways, *grown], key=lambda way: way[0])
    return [_changed(parts, changes) for _, changes in ways]


def _losses(part: Rendering) -> Iterator[float]:
    """What each alternative loses, never less than a better one: coverage decides the order too."""
    return itertools.accumulate((other.loss for other in part.alternatives), max)


def _changed(
    parts: Sequence[Rendering], changes: Sequence[tuple[int, Rendering]]
) -> tuple[Rendering, ...]:
    chosen = list(parts)
    for place, other in changes:
        chosen[place] = other
    return tuple(chosen)


def _joined(spans: Sequence[Span], parts: Sequence[Rendering], target: str) -> Rendering:
    cautions = frozenset[Caution]().union(*(part.cautions for part in parts))
    return Rendering(
        text=join(spans, [part.text for part in parts], target),
        log_probability=sum(part.log_probability for part in parts),
        tokens=sum(part.tokens for part in parts),
        loss=sum(part.loss for part in parts),
        cautions=cautions | {Caution.SPLIT} if len(parts) > 1 else cautions,
        token_scores=tuple(score for part in parts for score in part.token_scores),
        alignment=joined([part.alignment for part in parts]),
        looked_up=any(part.looked_up for part in parts),
    )
