import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.casing import capitalised, is_shouted, lowered, raised


@pytest.mark.parametrize(
    "text",
    [
        "HELLO!",
        "WELCOME",
        "NO SMOKING!",
        "WHO IS IT?",
        "ДОБРОЕ УТРО",
        "NOCH 50 KM BIS KÖLN",
        "I DON'T KNOW",
        "ÉTÉ 98, ENCORE",
        "DIE STRAßE IST GESPERRT",
        "DIE STRAẞE IST GESPERRT",
        "LA 1ª PLANTA ESTÁ CERRADA",
    ],
)
def test_words_in_capitals_are_shouted(text: str) -> None:
    assert is_shouted(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "USA",
        "EU, UN",
        "NATO",
        "UNESCO",
        "BAHN AG",
        "USB HDMI VGA",
        "Ⓐ",
        "I",
        "A.",
        "Hello",
        "NO smoking",
        "ßßßßßßß",
        "ªªªªªªª!",
        "iPHONE",
        "我用USB",
        "我的MACBOOK",
        "你好",
        "OK?",
        "😀",
    ],
)
def test_abbreviations_and_other_text_are_not(text: str) -> None:
    assert not is_shouted(text)


def test_only_english_keeps_its_pronoun() -> None:
    assert lowered("I SEE, I'M IN", "en") == "I see, I'm in"
    assert lowered("I CANI", "it") == "i cani"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("guten tag", "Guten tag"),
        ("„ach“", "„Ach“"),
        ("@a1 ist da", "@a1 ist da"),
        ("3 tage", "3 tage"),
        ("", ""),
    ],
)
def test_the_first_letter_becomes_a_capital(text: str, result: str) -> None:
    assert capitalised(text) == result


def test_kept_words_stay_whatever_the_others_become() -> None:
    assert raised("Der Weg von a.bc nach a.b", ["a.b", "a.bc"]) == "DER WEG VON a.bc NACH a.b"
    assert raised("Straße", []) == "STRASSE"


@given(st.text(), st.sampled_from(["", "en", "de"]))
def test_capitals_come_back(text: str, language: str) -> None:
    if is_shouted(text):
        small = capitalised(lowered(text, language))
        assert not is_shouted(small)
        assert raised(small, []).casefold() == text.casefold()


TURKISH = "İSTANBUL'UN ISLAK SOKAKLARI"


@pytest.mark.parametrize("language", ["tr", "az", "tr-TR", "az-Latn"])
def test_turkish_has_two_letters_i(language: str) -> None:
    small = "istanbul'un ıslak sokakları"
    assert lowered(TURKISH, language) == small
    assert capitalised(small, language) == small.replace("i", "İ", 1)
    assert raised(small, (), language) == TURKISH


@pytest.mark.parametrize("language", ["", "en", "de", "trv"])
def test_elsewhere_a_dotted_capital_becomes_a_plain_letter(language: str) -> None:
    assert lowered("NACH İSTANBUL", language) == "nach istanbul"
    assert capitalised("istanbul", language) == "Istanbul"
    assert raised("istanbul", (), language) == "ISTANBUL"


def test_greek_and_german_letters() -> None:
    assert lowered("Ο ΣΚΥΛΟΣ, ΤΗΣ ΟΔΟΥ", "el") == "ο σκυλος, της οδου"
    assert raised("ο σκύλος", (), "el") == "Ο ΣΚΎΛΟΣ"
    assert lowered("DIE STRAẞE", "de") == lowered("DIE STRAßE", "de") == "die straße"
    assert raised("die straße", (), "de") == "DIE STRASSE"


@given(st.text(), st.sampled_from(["", "en", "tr", "el"]))
def test_small_letters_stay_as_they_are(text: str, language: str) -> None:
    once = lowered(text, language)
    assert lowered(once, language) == once
    assert "\u0307" not in once or "\u0307" in text
