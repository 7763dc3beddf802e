"""The label that does not flicker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mltranslate.types import Detection
from mltranslate_tui.steady import SteadyDetection


def candidates(*languages: str) -> list[Detection]:
    return [Detection(language=code, confidence=0.5) for code in languages]


def labels(steps: list[tuple[str, str, str]]) -> list[str]:
    steady = SteadyDetection()
    return [steady.settle(text, candidates(*both))[0].language for text, *both in steps]


def test_one_look_within_a_word_changes_nothing() -> None:
    assert labels([("gut", "de", "nl"), ("gute", "nl", "de"), ("guten", "de", "nl")]) == ["de"] * 3


def test_lead_that_lasts_wins() -> None:
    steps = [("gut", "de", "nl"), ("gute", "nl", "de"), ("guten", "nl", "de")]
    assert labels(steps) == ["de", "de", "nl"]


def test_end_of_a_word_decides_at_once() -> None:
    assert labels([("gute", "de", "nl"), ("gute ", "nl", "de")]) == ["de", "nl"]


def test_new_text_decides_at_once() -> None:
    assert labels([("gute", "de", "nl"), ("bon", "fr", "de")]) == ["de", "fr"]


def test_language_that_is_no_candidate_any_more_is_dropped() -> None:
    assert labels([("gute", "de", "nl"), ("guten", "en", "fr")]) == ["de", "en"]


@given(st.lists(st.tuples(st.text(max_size=4), st.permutations(["de", "en", "fr"]))))
def test_candidates_are_only_reordered(steps: list[tuple[str, list[str]]]) -> None:
    steady = SteadyDetection()
    for text, order in steps:
        settled = steady.settle(text, candidates(*order))
        assert sorted(found.language for found in settled) == ["de", "en", "fr"]
