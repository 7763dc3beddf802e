import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.stutters import without_stutters


@pytest.mark.parametrize(
    ("text", "source", "mended"),
    [
        ("Il est 1,85 m m m.", "Er ist 1,85 m groß.", "Il est 1,85 m."),
        ("wenn auch auch auch noch", "though as of yet", "wenn auch noch"),
        ("das Black-Black-Black und", "the Black car", "das Black und"),
        ("L'un l'un l'un et", "one", "L'un et"),
        ("Oui oui oui !", "Ja!", "Oui !"),
        # The source does so itself, or twice is style.
        ("Ha ha ha!", "Ha, ha, ha!", "Ha ha ha!"),
        ("very very very good", "muy muy bueno", "very very very good"),
        ("a very very good one", "ein guter", "a very very good one"),
        ("1 1 1 and 2 2 2", "eins", "1 1 1 and 2 2 2"),
        ("哈哈哈", "笑", "哈哈哈"),
        ("no not nor", "no", "no not nor"),
        ("", "", ""),
    ],
)
def test_a_word_is_said_once(text: str, source: str, mended: str) -> None:
    assert without_stutters(text, source) == mended


def test_what_was_given_stays() -> None:
    assert without_stutters("no so so so", "non", begun=3) == "no so"
    assert without_stutters("no no no no no", "non", begun=3) == "no no no no no"
    assert without_stutters("ano no no", "non", begun=1) == "ano no no"


@given(st.text("ab '-,.1", max_size=24), st.text("ab ", max_size=6))
def test_words_only_go_and_twice_is_once(text: str, source: str) -> None:
    made = without_stutters(text, source)
    assert set(made.split()) <= set(text.split()) | set(text.replace("-", " ").split())
    assert without_stutters(made, source) == made
    assert len(made) <= len(text)


def test_time_is_linear_in_the_text() -> None:
    for unit in ("a ", "a a ", "ab-", "a' ", "aa"):
        text = unit * 50_000
        assert len(without_stutters(text, "x")) <= len(text)
