"""Alternatives of sentences put together to alternatives of texts."""

import itertools
import math
import operator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.renderings import Rendering, assemble, distinct, faithful, variants
from mltranslate.text.spans import Span
from mltranslate.types import Caution


def rendering(text: str, *scores: float, tokens: int = 2) -> Rendering:
    best, *others = [
        Rendering(f"{text}{number}", score * tokens, tokens, scores[0] - score)
        for number, score in enumerate(scores)
    ]
    return replace(best, alternatives=tuple(others))


falling = st.lists(st.integers(-50, 0), min_size=1, max_size=4).map(
    lambda scores: sorted((score / 8 for score in scores), reverse=True)
)


@given(st.lists(falling, min_size=1, max_size=4), st.integers(1, 9))
def test_the_ways_that_lose_least_come_first(scores: list[list[float]], count: int) -> None:
    parts = [rendering(chr(97 + place), *row) for place, row in enumerate(scores)]
    ways = variants(parts, count)
    assert ways[0] == tuple(parts)
    assert len(set(ways)) == len(ways) == min(count, math.prod(map(len, scores)))
    every = itertools.product(*([part, *part.alternatives] for part in parts))
    sums = sorted((sum(one.score for one in way) for way in every), reverse=True)
    assert [sum(one.score for one in way) for way in ways] == pytest.approx(sums[: len(ways)])


def test_a_better_rank_is_never_passed_by_a_smaller_loss() -> None:
    """A coverage penalty orders by more than what is lost."""
    parts = [rendering("a", -1.0, -1.5, -1.2)]
    assert [way[0].text for way in variants(parts, 3)] == ["a0", "a1", "a2"]


def test_many_sentences_are_no_burden() -> None:
    parts = [rendering(str(n), -1.0, -1.5 - n / 1e6, -2.0) for n in range(20_000)]
    changes = [sum(map(operator.is_not, way, parts)) for way in variants(parts, 4)]
    assert changes == [0, 1, 1, 1]


def test_parts_of_a_sentence_give_alternatives_of_the_whole() -> None:
    spans = [Span("x", True), Span(" - ", False), Span("y", True)]
    parts = [rendering("a", -1.0, -2.0), rendering("b", -1.0, -1.5, tokens=4)]
    whole = assemble(spans, parts, "en", 3)
    assert whole.text == "a0 - b0"
    assert [other.text for other in whole.alternatives] == ["a0 - b1", "a1 - b0"]
    assert (whole.tokens, whole.score) == (6, -1.0)
    assert whole.alternatives[0].score == pytest.approx((-2.0 - 6.0) / 6)
    assert whole.cautions == {Caution.SPLIT}
    assert assemble(spans, parts, "en").alternatives == ()


def test_the_same_words_are_listed_once() -> None:
    best, again, other = (Rendering(text, -1.0, 1) for text in ("a", "a", "b"))
    assert [one.text for one in distinct(best, [again, other, other])] == ["b"]


def test_what_loses_a_number_is_no_alternative_to_what_does_not() -> None:
    whole = Rendering("a", -1.0, 1)
    placed = Rendering("b", -1.0, 1, cautions=frozenset({Caution.PLACED}))
    lossy = Rendering("c", -1.0, 1, cautions=frozenset({Caution.NUMBERS}))
    assert faithful(whole, [lossy, placed]) == [placed]
    assert faithful(lossy, [lossy, placed]) == [lossy, placed]
