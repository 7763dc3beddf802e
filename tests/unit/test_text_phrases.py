"""Phrases and the forms that they are asked for in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.fragments import may_be_abbreviation
from mltranslate.text.phrases import asks_without_mark, in_form, key, key_of_line, mark_of, unquoted

LINES = st.text(st.sampled_from("aB é.!?。？¿¡'’…"), max_size=12)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dog", "dog"),
        (" Dog. ", "dog"),
        ("Good  morning!!", "good morning"),
        ("¡Hola!", "hola"),
        ("¿Qué tal?", "qué tal?"),
        ("Ça va ?", "ça va?"),
        ("Ça va\u202f?", "ça va?"),
        ("How are you?!", "how are you?"),
        ("How are you!?", "how are you?"),
        ("你好吗？！", "你好吗?"),
        ("いくらですか。", "いくらですか?"),
        ("いくらですか", "いくらですか?"),
        ("静か。", "静か"),
        ("Straße", "straße"),
        ("你好！", "你好"),
        ("你好吗？", "你好吗?"),
        ("Don’t.", "don't"),
        ("cafe\u0301", "café"),
        ("", ""),
        ("!", ""),
    ],
)
def test_a_text_is_found_by_its_words(text: str, found: str) -> None:
    assert key(text, "de") == found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("“Hello!”", ("Hello!", "“", "”")),
        ("« Salut ! »", ("Salut !", "« ", " »")),
        ("「はい。」", ("はい。", "「", "」")),
        ('"a" or "b"', ('"a" or "b"', "", "")),
        ("Hello", ("Hello", "", "")),
        ('""', ('""', "", "")),
    ],
)
def test_quotation_marks_are_taken_off(text: str, parts: tuple[str, str, str]) -> None:
    assert unquoted(text) == parts


@given(LINES)
def test_what_is_unquoted_can_be_quoted_again(text: str) -> None:
    inner, before, behind = unquoted(f"“{text}”")
    assert before + inner + behind == f"“{text}”"


@pytest.mark.parametrize("text", ["Hello...", "Well…", "那么。。", "No.."])
def test_what_trails_off_is_something_else(text: str) -> None:
    assert key(text, "en") == ""


@given(LINES)
def test_a_phrase_is_found_by_itself(text: str) -> None:
    assert key(text, "de") in (key_of_line(" ".join(text.split()), "de"), "")


@given(LINES)
def test_a_key_finds_itself(text: str) -> None:
    found = key(text, "de")
    assert not found or key(found, "de") in (found, "")


@pytest.mark.parametrize("text", ["US", "IT.", "IT!!", "NATO", "ЕС"])
def test_few_capitals_may_be_an_abbreviation(text: str) -> None:
    assert may_be_abbreviation(text)


@pytest.mark.parametrize("text", ["us", "I", "HELLO", "Us", "你好", ""])
def test_others_are_none(text: str) -> None:
    assert not may_be_abbreviation(text)


@pytest.mark.parametrize(
    ("translation", "phrase", "asked", "language", "said"),
    [
        ("Hund", "dog", "dog", "de", "Hund"),
        ("perro", "dog", "Dog", "es", "Perro"),
        ("perro", "dog", "Dog.", "es", "Perro."),
        ("perro", "dog", "dog!", "es", "¡Perro!"),
        ("perro", "dog", "Dog?", "es", "¿Perro?"),
        ("perros", "dogs", "DOGS", "es", "PERROS"),
        ("bonjour", "hello", "HELLO!", "fr", "BONJOUR !"),
        ("你好！", "Hello!", "hello", "zh", "你好"),
        ("你好！", "Hello!", "Hello.", "zh", "你好。"),
        ("Hello!", "你好！", "你好", "en", "Hello"),
        ("¿Cómo estás?", "How are you?", "how are you", "es", "¿Cómo estás?"),
        ("Hola, ¡buen día!", "Hi, good day!", "Hi, good day", "es", "Hola, ¡buen día!"),
        ("OK", "OK", "ok", "de", "OK"),
        ("Wie geht es dir?", "How are you?", "How are you?!", "de", "Wie geht es dir?!"),
        ("你好吗？", "How are you?", "How are you?!", "zh", "你好吗？！"),
        ("Comment ça va ?", "How are you?", "how are you??", "fr", "Comment ça va ??"),
        ("Danke!", "Thanks!", "Thanks!!!", "de", "Danke!!!"),
        ("¡Gracias!", "Thanks!", "Thanks!!", "es", "¡Gracias!!"),
        ("z. B.", "for example", "For example.", "de", "Z. B."),
        ("How much is it?", "いくらですか？", "いくらですか。", "en", "How much is it?"),
        ("quiet", "静か", "静か。", "en", "Quiet."),
    ],
)
def test_a_translation_takes_the_form_of_what_was_asked(
    translation: str, phrase: str, asked: str, language: str, said: str
) -> None:
    assert in_form(translation, phrase, asked, language) == said


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("a", ""),
        ("a.", "."),
        ("a!!", "!"),
        ("a?!", "?"),
        ("a！", "!"),
        ("ですか。", "?"),
        ("静か。", "."),
        ("お元気ですか", ""),
        ("お元気ですか!", "?"),
    ],
)
def test_the_mark_of_a_text(text: str, mark: str) -> None:
    assert mark_of(text) == mark


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("how are you", "en"), ("Is it far", "en"), ("Où est-ce", "fr"), ("¿qué tal", "es"),
        ("你好吗", "zh"), ("いるか", "ja"), ("いるか？", "ja"), ("Где он", "ru"),
        ("Dove vai", "it"),
    ],
)  # fmt: skip
def test_words_may_show_a_question(text: str, language: str) -> None:
    assert asks_without_mark(text, language)


@pytest.mark.parametrize(("text", "language"), [("Hay wifi", "es"), ("本当", "ja"), ("", "xx")])
def test_words_may_show_none(text: str, language: str) -> None:
    assert not asks_without_mark(text, language)


@given(LINES, LINES, st.sampled_from(["de", "es", "fr", "zh", "tr"]))
def test_as_it_stands_it_stays(translation: str, phrase: str, language: str) -> None:
    assert in_form(translation, phrase, phrase, language) == translation
