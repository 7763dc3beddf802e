"""Which words are shown together, and how that is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from fake_engine import FakeEngine

from mltranslate.types import CancelToken, Translation, WordLink
from mltranslate_tui import wording
from mltranslate_tui.links import Found, found, is_word, told

SOURCE, TARGET = "Er gab auf, 我没有.", "He gave it up: 没有我"
LINKS = tuple(
    WordLink(source=source, target=target)
    for source, target in (
        ((0, 2), (0, 2)),
        ((3, 6), (3, 7)),
        ((7, 10), (11, 13)),
        ((3, 6), (8, 10)),
        ((12, 13), (17, 18)),
        ((13, 15), (15, 17)),
    )
)


def result(*route: str, links: Sequence[WordLink] = LINKS) -> Translation:
    answer = FakeEngine().translate(
        SOURCE, source="de", target="en", cancel=CancelToken(), progress=lambda _: None
    )
    return dataclasses.replace(answer, text=TARGET, route=route, alignment=tuple(links))


@pytest.mark.parametrize("at", [3, 5, 6])
def test_the_cursor_is_on_a_word_from_its_first_character_to_its_end(at: int) -> None:
    assert found(result(), at, of_source=True) == Found((3, 6), ((3, 7), (8, 10)))


@pytest.mark.parametrize(("at", "word"), [(12, "我"), (13, "没有"), (14, "没有"), (15, "没有")])
def test_of_words_that_touch_the_cursor_is_on_the_latter(at: int, word: str) -> None:
    links = found(result(), at, of_source=True)
    assert links is not None
    assert SOURCE[slice(*links.word)] == word


def test_a_word_behind_a_linked_one_that_touches_it_has_no_link_of_its_own() -> None:
    alone = result(links=[link for link in LINKS if link.source != (13, 15)])
    assert found(alone, 12, of_source=True) == Found((12, 13), ((17, 18),))
    assert found(alone, 13, of_source=True) is None
    assert found(alone, 18, of_source=False) == Found((17, 18), ((12, 13),))


def test_a_word_of_the_translation_leads_to_the_source() -> None:
    assert found(result(), 9, of_source=False) == Found((8, 10), ((3, 6),))


def test_there_may_be_none() -> None:
    assert found(result(), 11, of_source=True) is None
    assert found(result(links=()), 0, of_source=True) is None


@pytest.mark.parametrize(
    ("at", "of_source", "said"),
    [(4, True, "gab ↔ gave it"), (9, False, "it ↔ gab"), (16, False, "没有 ↔ 没有")],
)
def test_words_are_named(at: int, of_source: bool, said: str) -> None:
    links = found(result(), at, of_source=of_source)
    assert links is not None
    assert told(result("de", "en"), links, of_source=of_source) == said


def test_words_that_are_apart_are_named_so() -> None:
    apart = Found((3, 6), ((3, 7), (11, 13)))
    assert told(result("de", "en"), apart, of_source=True) == "gab ↔ gave … up"


@pytest.mark.parametrize(
    ("at", "word"), [(0, True), (2, True), (11, False), (12, True), (99, False)]
)
def test_words_are_letters_and_digits(at: int, word: bool) -> None:
    assert is_word(SOURCE, at) is word


def test_why_there_are_no_links_is_said() -> None:
    assert wording.unlinked(result(), able=True) == "No links: not translated"
    assert wording.unlinked(result("zh", "en", "fr"), able=True) == "No links through English"
    assert wording.unlinked(result("de", "en"), able=False) == "No links from this pack"
    assert wording.unlinked(result("de", "en"), able=True) == "No links here"
