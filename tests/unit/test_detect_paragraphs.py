"""Paragraphs: cut without loss, in blocks or at once, and each with its language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.detect.paragraphs import ParagraphLanguages, cut_paragraphs, whole_paragraphs
from mltranslate.types import Detection

LINES = st.lists(st.sampled_from(["a b", "", " ", "\t", "c", "\r", "d\r"]), max_size=12)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("One.", ["One."]),
        ("One.\nTwo.\n", ["One.\nTwo.\n"]),
        ("One.\n\nTwo.\n", ["One.\n\n", "Two.\n"]),
        ("One.\r\n \t\r\n\r\nTwo.", ["One.\r\n \t\r\n\r\n", "Two."]),
        ("\n\nOne.\n\n\nTwo.\n\n", ["\n\nOne.\n\n\n", "Two.\n\n"]),
        ("\n \n", ["\n \n"]),
    ],
)
def test_text_is_cut_after_blank_lines(text: str, parts: list[str]) -> None:
    assert cut_paragraphs(text) == parts


@given(st.text(alphabet="ab \t\r\n\x0b\u2028", max_size=40))
def test_paragraphs_concatenate_to_the_text(text: str) -> None:
    parts = cut_paragraphs(text)
    assert "".join(parts) == text
    assert all(part.strip() for part in parts) or len(parts) == 1


@given(st.lists(LINES.map(lambda lines: "".join(f"{line}\n" for line in lines)), max_size=5))
def test_blocks_are_regrouped_to_whole_paragraphs(blocks: list[str]) -> None:
    text = "".join(blocks)
    grouped = list(whole_paragraphs(blocks, 10_000))
    assert "".join(grouped) == text
    cut = [part.strip() for block in grouped for part in cut_paragraphs(block)]
    assert [part for part in cut if part] == [
        part.strip() for part in cut_paragraphs(text) if part.strip()
    ]


def test_a_long_paragraph_is_not_waited_for() -> None:
    assert list(whole_paragraphs(["aaa\n", "bbb\n", "ccc\n"], 5)) == ["aaa\nbbb\n", "ccc\n"]
    assert list(whole_paragraphs(["aaa\n", "bbb\n", "\nccc\n"], 50)) == ["aaa\nbbb\n\n", "ccc\n"]


def _found(**odds: float) -> list[Detection]:
    return [Detection(language=code, confidence=value) for code, value in odds.items()]


def _languages(*candidates: list[Detection]) -> list[str]:
    return [one.language for one in ParagraphLanguages().settle(candidates)]


def test_what_is_sure_stays() -> None:
    assert _languages(_found(de=0.99), _found(fr=0.95, de=0.05), _found(de=0.99)) == [
        "de", "fr", "de",
    ]  # fmt: skip


def test_a_heading_goes_with_what_follows() -> None:
    heading = _found(en=0.55, de=0.3, fr=0.15)
    assert _languages(_found(fr=1.0), heading, _found(de=1.0)) == ["fr", "de", "de"]
    assert _languages(_found(de=1.0), heading) == ["de", "de"]
    assert _languages(heading) == ["en"]


def test_the_probability_is_that_beside_the_neighbours() -> None:
    _, heading = ParagraphLanguages().settle([_found(de=1.0), _found(en=0.6, de=0.4)])
    assert heading.language == "de"
    assert heading.confidence == pytest.approx(1.2 / 1.8)


def test_no_language_stays_none_and_has_no_influence() -> None:
    none, unsure = _found(und=1.0), _found(en=0.6, de=0.4)
    assert _languages(_found(de=1.0), none, unsure, none) == ["de", "und", "de", "und"]


def test_the_language_before_is_remembered_between_blocks() -> None:
    languages = ParagraphLanguages()
    languages.settle([_found(de=1.0)])
    assert languages.settle([_found(en=0.6, de=0.4)])[0].language == "de"
