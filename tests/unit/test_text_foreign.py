import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.foreign import foreign_words, is_index, knows_all


def _knows(char: str) -> bool:
    """A vocabulary of Latin letters without those of Polish, of Chinese, kana and marks."""
    if is_index(char):
        return False
    return char < "\u0140" or "\u2010" <= char <= "\u203f" or "\u3040" <= char <= "\u9fff"


def _found(text: str) -> list[str]:
    return [text[start:end] for start, end, _ in foreign_words(text, _knows)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The word 한국어 means Korean.", ["한국어"]),
        ("He says “안녕 하세요”, softly.", ["안녕 하세요"]),
        ("H₂O is water.", ["H₂O"]),
        ("20 km² here", ["km²"]),
        ("E = mc², x²+y² and 10⁵!", ["mc²", "x²+y²", "10⁵"]),
        ("CO₂-Emissionen", ["CO₂"]),
        ("It is 3.5±0.1 m long.", []),
        ("It is 3.5≈3.6 m long.", ["3.5≈3.6"]),
        ("It is ≈3.", ["≈3"]),
        ("Łukasz met Őrs in łódź.", ["Łukasz", "Őrs", "łódź"]),
        ("这个한국어词", ["한국어"]),
        ("彼はŁukaです", ["Łuka"]),
        ("The 𠮷 is rare, the ﹏ and 國 too", []),
        ("The meaning¹ is clear.² Andy³ And³", ["¹", "²", "³", "And³"]),
        ("Łukasz² is here", ["Łukasz²"]),
        ("a\u0301 naïve CAFÉ, 5 °C – “so”", []),
        ("ŒUVRE ŁÓDŹ", ["ŒUVRE ŁÓDŹ"]),
        ("plain", []),
        ("", []),
    ],
)
def test_words_with_what_is_unknown_are_found(text: str, words: list[str]) -> None:
    assert _found(text) == words


def test_the_number_of_a_footnote_is_no_part_of_its_word() -> None:
    found = list(foreign_words("The meaning¹ of km²", _knows))
    assert found == [(11, 12, False), (16, 19, True)]
    assert not list(foreign_words("The meaning¹ of km²", knows_all))


def test_a_capital_is_known_by_its_small_letter() -> None:
    assert not list(foreign_words("ESPAÑA", lambda char: char == "ñ"))


@given(st.text(st.sampled_from("ab1 .,'-中あ한Ł²₂¹\ufeff\u0301😀\n\ud800"), max_size=30))
def test_words_are_in_order_and_apart(text: str) -> None:
    done = 0
    for start, end, _ in foreign_words(text, _knows):
        assert done <= start < end <= len(text)
        assert text[start:end].strip() == text[start:end]
        done = end


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["한", "한 ", "a²", "a", "² ", "1.", "abcd¹", "한.", "é", " "])
def test_time_is_linear_in_the_text(unit: str) -> None:
    text = unit * (100_000 // len(unit)) + "한"
    assert sum(1 for _ in foreign_words(text, _knows)) <= len(text)
