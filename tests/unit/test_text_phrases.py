"""Phrases and the forms that they are asked for in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.phrases import in_form, key, keys, may_be_abbreviation

LINES = st.text(st.sampled_from("aB é.!?。？¿¡'’…"), max_size=12)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dog", "dog"),
        (" Dog. ", "Dog"),
        ("Good  morning!!", "Good morning"),
        ("¡Hola!", "Hola"),
        ("¿Qué tal?", "Qué tal?"),
        ("Ça va ?", "Ça va?"),
        ("Ça va\u202f?", "Ça va?"),
        ("你好！", "你好"),
        ("你好吗？", "你好吗?"),
        ("I’m fine.", "I'm fine"),
        ("cafe\u0301", "café"),
        ("", ""),
        ("!", ""),
    ],
)
def test_a_text_is_found_by_its_words(text: str, found: str) -> None:
    assert key(text) == found


@pytest.mark.parametrize("text", ["Hello...", "Well…", "那么。。", "No.."])
def test_what_trails_off_is_something_else(text: str) -> None:
    assert key(text) is None


@given(st.lists(LINES, min_size=1))
def test_lines_are_found_as_each_by_itself(lines: list[str]) -> None:
    assert keys("\n".join(lines)) == [keys(line)[0] for line in lines]


@given(LINES)
def test_a_key_finds_itself(text: str) -> None:
    found = key(text)
    assert not found or key(found) in (found, None)


@pytest.mark.parametrize("text", ["US", "IT.", "NATO", "ЕС"])
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
    ],
)
def test_a_translation_takes_the_form_of_what_was_asked(
    translation: str, phrase: str, asked: str, language: str, said: str
) -> None:
    assert in_form(translation, phrase, asked, language) == said


@given(LINES, LINES, st.sampled_from(["de", "es", "fr", "zh", "tr"]))
def test_as_it_stands_it_stays(translation: str, phrase: str, language: str) -> None:
    assert in_form(translation, phrase, phrase, language) == translation
