"""The label that does not flicker."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from mltranslate.detect.live import LiveLabel
from mltranslate.types import Detection

Step = tuple[str, str, str]


def candidates(*languages: str, confidence: float = 0.5) -> list[Detection]:
    rest = (1 - confidence) / max(1, len(languages) - 1)
    return [
        Detection(language=code, confidence=rest if rank else confidence)
        for rank, code in enumerate(languages)
    ]


START = "eine kleine "
"""Enough letters for a first impression."""


def labels(steps: list[Step], confidence: float = 0.9, start: str = START) -> list[str]:
    label = LiveLabel()
    return [
        label.settle(start + text, candidates(*both, confidence=confidence))[0].language
        for text, *both in steps
    ]


def test_one_look_within_a_word_changes_nothing() -> None:
    assert labels([("gut", "de", "nl"), ("gute", "nl", "de"), ("guten", "de", "nl")]) == ["de"] * 3


def test_lead_that_lasts_wins() -> None:
    steps = [("gut", "de", "nl"), ("gute", "nl", "de"), ("guten", "nl", "de")]
    assert labels(steps) == ["de", "de", "nl"]


def test_second_look_at_the_same_text_says_nothing_new() -> None:
    steps = [("gut", "de", "nl"), *[("gute", "nl", "de")] * 3, ("guten", "nl", "de")]
    assert labels(steps) == ["de", "de", "de", "de", "nl"]


def test_small_lead_never_wins() -> None:
    steps: list[Step] = [("gut", "de", "nl"), *((f"gut{'e' * n}", "nl", "de") for n in range(9))]
    assert labels(steps, confidence=0.6) == ["de"] * 10


def test_end_of_a_word_decides_at_once_where_it_is_certain() -> None:
    steps = [("gute", "de", "nl"), ("gute ", "nl", "de")]
    assert labels(steps, confidence=0.999) == ["de", "nl"]
    assert labels(steps, confidence=0.9) == ["de", "de"]


def test_first_letters_are_judged_at_once() -> None:
    steps = [("gut", "de", "nl"), ("gute", "nl", "de"), ("guten", "de", "nl")]
    assert labels(steps, start="") == ["de", "nl", "de"]


def test_new_text_decides_at_once() -> None:
    label = LiveLabel()
    assert label.settle("eine kleine gute", candidates("de", "nl"))[0].language == "de"
    assert (
        label.settle("une petite chose", candidates("fr", "de", confidence=0.9))[0].language == "fr"
    )


def test_last_language_decides_what_is_open_in_a_new_text() -> None:
    label = LiveLabel()
    label.settle("eine kleine gute", candidates("de", "nl"))
    assert label.settle("in", candidates("nl", "de", confidence=0.55))[0].language == "de"
    assert label.settle("int", candidates("nl", "de", confidence=0.7))[0].language == "nl"
    # The text before was German, whatever was shown for the first letters of this one.
    assert label.settle("in", candidates("nl", "de", confidence=0.55))[0].language == "de"


def test_deleting_is_typing_too() -> None:
    assert labels([("guten", "de", "nl"), ("gute", "nl", "de")]) == ["de", "de"]


def test_no_language_gives_way_at_once() -> None:
    assert labels([("12", "und", "de"), ("12 g", "de", "und")]) == ["und", "de"]


def test_language_that_is_no_candidate_any_more_is_dropped() -> None:
    assert labels([("gute", "de", "nl"), ("guten", "en", "fr")]) == ["de", "en"]


def test_shown_language_gains_probability() -> None:
    label = LiveLabel()
    label.settle("eine kleine gute", candidates("de", "nl"))
    assert label.language == "de"
    settled = label.settle("eine kleine guten", candidates("nl", "de", confidence=0.6))
    assert settled[0].language == "de"
    assert 0.6 < settled[0].confidence < 0.8
    assert abs(sum(found.confidence for found in settled) - 1) < 1e-9


def test_held_language_keeps_its_variety() -> None:
    label = LiveLabel()
    text = "você pegou o ônibus"
    label.settle(text, candidates("pt", "es"))
    rival, held = candidates("es", "pt", confidence=0.9)
    shown = label.settle(f"{text} p", [dataclasses.replace(rival, variety="es-MX"), held])
    assert [(one.language, one.variety) for one in shown] == [("pt", "pt-BR"), ("es", None)]


def test_language_ahead_by_its_odds_has_its_variety() -> None:
    label = LiveLabel()
    label.settle("這是我們的國家，我們去吃早飯", candidates("zh", "ja"))
    shown = label.settle("這是我們的國家，我們去吃早飯了", candidates("ja", "zh", confidence=0.6))
    assert (shown[0].language, shown[0].variety) == ("zh", "zh-Hant")


@given(st.lists(st.tuples(st.text(max_size=4), st.permutations(["de", "en", "fr", "und"]))))
def test_candidates_are_only_reordered(steps: list[tuple[str, list[str]]]) -> None:
    label = LiveLabel()
    for text, order in steps:
        settled = label.settle(text, candidates(*order))
        assert sorted(found.language for found in settled) == ["de", "en", "fr", "und"]
        assert settled[0].language == label.language
