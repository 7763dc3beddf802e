import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.guards import implausible_length, inspect, loop_extent, loops
from mltranslate.types import Caution

PROSE = list(range(100, 130))


@pytest.mark.parametrize(
    ("tokens", "extent"),
    [
        ([], 0),
        ([7], 0),
        (PROSE, 0),
        ([7] * 5, 0),
        ([7] * 6, 6),
        ([1, 2] * 2, 0),
        ([1, 2] * 3, 6),
        ([9, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 8], 10),
        ([1, 2, 3] * 2, 0),
        (list(range(8)) * 3, 24),
        (list(range(9)) * 3, 0),
    ],
)
def test_loop_extent(tokens: list[int], extent: int) -> None:
    assert loop_extent(tokens) == extent


def test_a_loop_is_an_alarm_unless_the_source_loops_as_well() -> None:
    assert loops(PROSE[:5], [5] * 10)
    assert loops([3] * 3, [5] * 10)
    assert not loops([3] * 10, [5] * 10)
    assert not loops([3] * 8, [5] * 10)
    assert loops([3] * 6, [5] * 10)


def test_a_wandering_loop_has_little_variety() -> None:
    wandering = ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] * 4)[:40]
    assert loop_extent(wandering) == 0
    assert loops(PROSE, wandering)
    assert not loops(wandering, wandering)
    assert not loops(wandering, PROSE)


@pytest.mark.parametrize(
    ("source", "output", "alarm"),
    [
        (1, 0, True),
        (1, 1, False),
        (1, 13, False),
        (1, 14, True),
        (9, 1, False),
        (10, 2, True),
        (10, 3, False),
        (100, 25, False),
        (100, 24, True),
        (100, 192, False),
        (100, 193, True),
    ],
)
def test_implausible_length(source: int, output: int, alarm: bool) -> None:
    assert implausible_length(source, output) == alarm


def test_inspect_names_every_alarm() -> None:
    assert inspect(PROSE, PROSE, finished=True) == frozenset()
    assert inspect(PROSE, PROSE, finished=False) == {Caution.LENGTH}
    assert inspect(PROSE, [5] * 20, finished=True) == {Caution.LOOP}
    assert inspect(PROSE[:3], [5] * 40, finished=False) == {Caution.LOOP, Caution.LENGTH}


@given(st.lists(st.integers(0, 3), max_size=60))
def test_extent_is_within_the_tokens_and_blind_to_direction(tokens: list[int]) -> None:
    extent = loop_extent(tokens)
    assert extent == 0 or 6 <= extent <= len(tokens)
    assert extent == loop_extent(tokens[::-1])
