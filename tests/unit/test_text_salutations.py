"""Salutations are parted from what they come before, and nothing gets lost by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.salutations import carried_on, going_on, parted
from mltranslate.text.slots import commas, greets
from mltranslate.text.spans import Span, cut


def salutation(text: str) -> int:
    return next((len(one) for one in ("Dear Anna,", "各位，") if text.startswith(one)), 0)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Dear Anna, how are you?", ["Dear Anna,", "how are you?"]),
        ("Dear Anna, 😀 how are you?", ["Dear Anna,", "how are you?"]),
        ("Dear Anna, Dear Anna, hello.", ["Dear Anna,", "Dear Anna,", "hello."]),
        ("One. Dear Anna, two.", ["One.", "Dear Anna,", "two."]),
        ("各位，会议改了。", ["各位，", "会议改了。"]),
        ("Dear Anna, 12:30", ["Dear Anna, 12:30"]),
        ("Dear Anna,", ["Dear Anna,"]),
        ("Dear Tom, how are you?", ["Dear Tom, how are you?"]),
    ],
)
def test_parts(text: str, sentences: list[str]) -> None:
    spans = parted(cut(text, "en"), salutation)
    assert "".join(span.text for span in spans) == text
    assert [span.text for span in spans if span.translatable] == sentences
    assert all(span.text for span in spans)


@given(st.text("Ab, \n.😀"), st.integers(0, 4))
def test_nothing_gets_lost(text: str, end: int) -> None:
    spans = parted(cut(text, "en"), lambda one: end if len(one) > 2 * end else 0)
    assert "".join(span.text for span in spans) == text
    assert len(going_on(spans)) == sum(span.translatable for span in spans)


def test_what_goes_on() -> None:
    spans = [
        Span("Dear Anna,", translatable=True), Span(" ", translatable=False),
        Span("how are you?", translatable=True), Span("\n", translatable=False),
        Span("Dear Tom,", translatable=True), Span("\n", translatable=False),
        Span("hello.", translatable=True),
    ]  # fmt: skip
    assert going_on(spans) == [False, True, False, False]


@pytest.mark.parametrize(
    ("text", "before", "source", "languages", "said"),
    [
        ("Ich komme.", "Hallo Tom,", "I'm coming.", ("en", "de"), "ich komme."),
        ("Ich komme.", "Hallo Tom,", "i'm coming.", ("en", "de"), "ich komme."),
        ("Nous venons.", "Salut,", "We are coming.", ("en", "fr"), "Nous venons."),
        ("I'm coming.", "Hi Tom,", "Ich komme.", ("de", "en"), "I'm coming."),
        ("NASA ruft.", "Hallo Tom,", "I call NASA.", ("en", "de"), "NASA ruft."),
        ("встреча перенесена.", "Коллеги!", "the meeting", ("en", "ru"), "Встреча перенесена."),
        ("", "Коллеги!", "the meeting", ("en", "ru"), ""),
    ],
)
def test_capitals_after_a_comma(
    text: str, before: str, source: str, languages: tuple[str, str], said: str
) -> None:
    assert carried_on(text, before, source, languages) == said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, Tom, how are you, my friend", [5, 10]),
        ("尊敬的各位，会议", [5]),
        ("1,000 people", []),
        ("Dear Anna,", []),
        ("a" * 90 + ", b", []),
    ],
)
def test_commas(text: str, found: list[int]) -> None:
    assert list(commas(text)) == found


def test_greetings() -> None:
    assert greets("Sehr geehrte Damen und Herren", "de")
    assert greets("Madame, Monsieur", "fr")
    assert not greets("Bonjour", "fr")
    assert not greets("Of course", "en")
    assert not greets("Dear all", "xx")
