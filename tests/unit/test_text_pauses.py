import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.pauses import paused, unpaused, with_final_pause


@pytest.mark.parametrize(
    ("text", "bare", "mark"),
    [
        ("Dear Anna,", "Dear Anna", ","),
        ("Nom :", "Nom", ":"),
        ("亲爱的安娜：", "亲爱的安娜", ":"),
        ("そして、", "そして", ","),
        ("I think so;", "I think so", ";"),
        ("Anna", "Anna", ""),
        ("Anna!,", "Anna!,", ""),
        (":", ":", ""),
        ("", "", ""),
    ],
)
def test_the_pause_at_the_end(text: str, bare: str, mark: str) -> None:
    assert unpaused(text) == (bare, mark)


@pytest.mark.parametrize(
    ("text", "mark", "language", "said"),
    [
        ("Hallo Tom", ",", "de", "Hallo Tom,"),
        ("Nom", ":", "fr", "Nom :"),
        ("例如", ",", "zh", "例如，"),
        ("名前", ":", "ja", "名前："),
        ("そして", ",", "ja", "そして、"),
        ("お願いします", ",", "ja", "お願いします。"),
        ("Hallo Tom!", ",", "de", "Hallo Tom!"),
        ("Hallo", "", "de", "Hallo"),
        ("", ",", "de", ""),
    ],
)
def test_a_pause_as_the_language_sets_it(text: str, mark: str, language: str, said: str) -> None:
    assert paused(text, mark, language) == said


def test_a_translation_has_the_pause_of_its_source() -> None:
    assert with_final_pause("Hallo Tom", "Hi Tom,", "de") == "Hallo Tom,"
    assert with_final_pause("Hallo Tom.", "Hi Tom,", "de") == "Hallo Tom."
    assert with_final_pause("Hallo Tom", "Hi Tom", "de") == "Hallo Tom"


@given(st.text(max_size=8), st.text("a,:!、 ", max_size=6), st.sampled_from(["fr", "ja", "de"]))
def test_no_more_than_a_pause_comes_and_once(text: str, source: str, language: str) -> None:
    made = with_final_pause(text, source, language)
    assert made.startswith(text)
    assert len(made) <= len(text) + 2
    assert with_final_pause(made, source, language) == made
