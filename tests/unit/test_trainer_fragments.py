import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.fragments import is_fragment
from mltranslate_train.config import NoiseConfig
from mltranslate_train.data.fragments import other_form
from mltranslate_train.data.noise import noisy_copies

SEEDS = range(200)


def forms(first: str, second: str, first_code: str, second_code: str) -> set[tuple[str, str, str]]:
    languages = (first_code, second_code)
    return {other_form(first, second, languages, random.Random(seed)) for seed in SEEDS}


@pytest.mark.parametrize(
    "text", ["dog", "guten Morgen", "狗", "l'eau", "à plus tard", "कुत्ता", "NASA", "belle-mère"]
)
def test_words_and_short_phrases_are_fragments(text: str) -> None:
    assert is_fragment(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dog.",
        "Wie geht's?",
        "¿qué",
        "a b c d",
        "x" * 31,
        "room 12",
        "狗。",
        "(dog)",
        "%d files",
        "foo.com is up",
        "iPhone",
        "sleep | rest",
        "一二三四五六七八九",
    ],
)
def test_sentences_and_what_ends_in_no_letter_are_not(text: str) -> None:
    assert not is_fragment(text)


def test_every_form_is_made_of_both_sides() -> None:
    assert forms("dog", "chien", "en", "fr") == {
        ("Dog", "Chien", "both"),
        ("DOG", "CHIEN", "both"),
        ("Dog.", "Chien.", "both"),
        ("Dog!", "Chien !", "both"),
        ("Dog?", "Chien ?", "both"),
    }


def test_marks_are_those_of_the_language_and_case_is_learnt_where_it_shows() -> None:
    assert forms("perro", "狗", "es", "zh") == {
        ("Perro", "狗", "forward"),
        ("PERRO", "狗", "forward"),
        ("Perro.", "狗。", "both"),
        ("¡Perro!", "狗！", "both"),
        ("¿Perro?", "狗？", "both"),
    }
    assert ("σκύλος", "犬") not in {pair[:2] for pair in forms("σκύλος", "犬", "el", "ja")}
    assert ("Σκύλος;", "犬？", "both") in forms("σκύλος", "犬", "el", "ja")


def test_capitals_are_those_of_the_language() -> None:
    assert ("İyi.", "Iyi.", "both") in forms("iyi", "iyi", "tr", "en")
    assert ("İYİ", "IYI", "both") in forms("iyi", "iyi", "tr", "en")
    assert ("狗？", "Dog?", "both") in forms("狗", "dog", "zh-Hant", "en")


@given(st.text(max_size=40), st.integers(0, 10**6))
def test_a_copy_is_longer_by_its_marks_at_most(text: str, seed: int) -> None:
    one, two, _ = other_form(text, text, ("es", "fr"), random.Random(seed))
    assert one.strip("¡!¿?.").upper() == text.strip("¡!¿?.").upper()
    assert two.rstrip("!?. ").upper() == text.rstrip("!?. ").upper()


def test_copies_are_made_of_fragments_alone_and_never_the_pair_itself() -> None:
    config, languages = NoiseConfig(fragments=1), ("en", "de")

    def copies(first: str, second: str, seed: int) -> list[tuple[str, str, str]]:
        return list(noisy_copies(first, second, languages, config, random.Random(seed)))

    assert all(len(copies("dog", "Hund", seed)) == 1 for seed in SEEDS)
    assert not any(copies("Dog.", "Hund", seed) for seed in SEEDS)
    assert not any(copies("", "hund", seed) for seed in SEEDS)
    assert not any(
        copy[:2] == ("Dog", "Hund") for seed in SEEDS for copy in copies("Dog", "Hund", seed)
    )
