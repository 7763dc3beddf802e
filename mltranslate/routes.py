"""Which way a text goes from language to language, and which pack takes it over each hop.

The rule, for packs in their order of choice (`mltranslate.packs.store.list_packs`): a direct
direction beats the way through English, whichever pack has it; a hop belongs to the first pack
that has its direction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mltranslate.errors import LanguageError
from mltranslate.languages import describe

PIVOT = "en"
"""The language between two others that no pack translates directly."""
_NAMED = 20
"""Directions that an error names at most."""


class Offer(Protocol):
    """What is asked of a pack."""

    @property
    def directions(self) -> frozenset[tuple[str, str]]:
        """Pairs (source, target) that it translates directly."""


AnyOffer = TypeVar("AnyOffer", bound=Offer)


@dataclass(frozen=True, slots=True)
class Hop(Generic[AnyOffer]):
    """One translation from language to language, and who does it."""

    source: str
    target: str
    by: AnyOffer


def find_route(offers: Sequence[AnyOffer], source: str, target: str) -> tuple[Hop[AnyOffer], ...]:
    """Return one hop where any of `offers` is direct, otherwise two, through English.

    Raises LanguageError, which names directions from `source` or into `target`, or all where there
    are none, when there is no route.
    """
    ways = [[(source, target)], [(source, PIVOT), (PIVOT, target)]]
    for way in ways:
        hops = [_hop(offers, *pair) for pair in way]
        found = tuple(hop for hop in hops if hop is not None)
        if len(found) == len(way):
            return found
    raise LanguageError(
        f"there is no translation from {describe(source).name} ({source})"
        f" into {describe(target).name} ({target})",
        why="no pack in use has it, neither directly nor through English",
        fix=f"On offer: {_named(offers, source, target)}",
    )


def shares(offers: Sequence[AnyOffer]) -> Iterator[frozenset[tuple[str, str]]]:
    """Yield, for each of `offers` in their order, the directions that belong to it."""
    taken: frozenset[tuple[str, str]] = frozenset()
    for offer in offers:
        yield offer.directions - taken
        taken |= offer.directions


def _hop(offers: Sequence[AnyOffer], source: str, target: str) -> Hop[AnyOffer] | None:
    having = (offer for offer in offers if (source, target) in offer.directions)
    first = next(having, None)
    return None if first is None else Hop(source, target, first)


def _named(offers: Sequence[Offer], source: str, target: str) -> str:
    every = sorted(set().union(*(offer.directions for offer in offers)))
    near = [pair for pair in every if pair[0] == source or pair[1] == target] or every
    more = len(near) - _NAMED
    named = ", ".join(f"{one} to {other}" for one, other in near[:_NAMED])
    return named + (f" and {more} others" if more > 0 else "")
