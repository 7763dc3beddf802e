"""Is a translation plausible? Pure functions over subword ids and texts; they know no model.

A neural decoder fails in two typical ways: it repeats itself, or it stops far too early or far
too late. Both show in the output alone, compared with its source.
"""

from __future__ import annotations

from collections.abc import Sequence

from mltranslate.types import Caution

_LONGEST_PERIOD = 8
"""Loops of real decoders repeat one word or a short phrase: at most this many subwords."""
_FEWEST_ROUNDS = 3
"""Saying a thing twice is style ("very, very good"); three times in a row is rare in prose."""
_SHORTEST_LOOP = 6
"""Subwords that a loop covers at least: one subword six times, or two three times."""
_ECHO = 1.5
"""A source that repeats itself may be repeated, up to this many times its own extent."""

_SHORTEST_FOR_VARIETY = 24
"""Subwords from which the share of different trigrams says anything."""
_LEAST_VARIETY = 0.5
"""Real sentences stay above 0.9; a wandering loop with small changes falls below this."""

_MOST_GROWTH = 1.8
_ROOM_TO_GROW = 12
"""One vocabulary serves both sides, so lengths are alike; short sources may grow by this much."""
_LEAST_SHARE = 0.25
_SHORTEST_FOR_SHARE = 10
"""Subwords from which an output of less than a quarter of them counts as cut off."""


def inspect(source: Sequence[int], output: Sequence[int], *, finished: bool) -> frozenset[Caution]:
    """Return what is wrong with `output` as a translation of `source`, both as subword ids.

    `finished` is False when the decoder was stopped by its limit.
    """
    alarms = set()
    if loops(source, output):
        alarms.add(Caution.LOOP)
    if not finished or implausible_length(len(source), len(output)):
        alarms.add(Caution.LENGTH)
    return frozenset(alarms)


def loops(source: Sequence[int], output: Sequence[int]) -> bool:
    """Return True when `output` repeats itself and `source` does not do so to a like extent."""
    extent = loop_extent(output)
    if extent and extent > _ECHO * loop_extent(source):
        return True
    return _variety(output) < _LEAST_VARIETY <= _variety(source)


def loop_extent(tokens: Sequence[int]) -> int:
    """Return how many tokens the longest immediate repetition covers; 0 when there is none.

    A repetition is a sequence of up to eight tokens that occurs at least three times in a row
    and covers at least six tokens.
    """
    longest = 0
    for period in range(1, min(_LONGEST_PERIOD, len(tokens) // _FEWEST_ROUNDS) + 1):
        extent = period + _longest_echo(tokens, period)
        if extent >= max(_SHORTEST_LOOP, _FEWEST_ROUNDS * period):
            longest = max(longest, extent)
    return longest


def implausible_length(source: int, output: int) -> bool:
    """Return True when `output` subwords cannot be a translation of `source` subwords."""
    if output == 0 or output > _MOST_GROWTH * source + _ROOM_TO_GROW:
        return True
    return source >= _SHORTEST_FOR_SHARE and output < _LEAST_SHARE * source


def _longest_echo(tokens: Sequence[int], period: int) -> int:
    """Length of the longest stretch in which every token equals the one a period before."""
    longest = current = 0
    for earlier, later in zip(tokens, tokens[period:], strict=False):
        current = current + 1 if earlier == later else 0
        longest = max(longest, current)
    return longest


def _variety(tokens: Sequence[int]) -> float:
    """Different trigrams out of all; 1 for short texts."""
    if len(tokens) < _SHORTEST_FOR_VARIETY:
        return 1.0
    trigrams = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
    return len(set(trigrams)) / len(trigrams)
