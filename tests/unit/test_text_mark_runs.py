import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.mark_runs import with_mark_runs


@pytest.mark.parametrize(
    ("source", "text", "language", "expected"),
    [
        ("The cake!!!", "Der Kuchen!!", "de", "Der Kuchen!!!"),
        ("The cake!!!", "Le gâteau!! !", "fr", "Le gâteau !!!"),
        ("The cake!!!", "Le gâteau ! ! !", "fr", "Le gâteau !!!"),
        ("The cake!!! 🎂", "Le gâteau!! ! 🎂", "fr", "Le gâteau !!! 🎂"),
        ("The cake!!!", "蛋糕！！", "zh", "蛋糕！！！"),
        ("蛋糕！！！", "The cake!!", "en", "The cake!!!"),
        ("Come!!", "¡Ven!", "es", "¡Ven!!"),
        ("What?", "Quoi ??", "fr", "Quoi ?"),
        ("No!! Why??", "Nein! Warum???", "de", "Nein!! Warum??"),
        ("What?!?", "Was?!", "de", "Was?!?"),
        ("No way!!", "Pas ! !", "fr", "Pas !!"),
        ("No way!", "Pas ! !", "fr", "Pas !"),
    ],
)
def test_runs_are_as_long_as_those_of_the_source(
    source: str, text: str, language: str, expected: str
) -> None:
    assert with_mark_runs(text, source, language) == expected


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Stop!", "Stop."),
        ("Stop.", "Stop!"),
        ("Stop?", "Stop!"),
        ("What?!", "Was!?"),  # in Spanish it closes what stands in another order
        ("What!!", "Was??"),
        ("No!! No!!", "Nein!"),
        ("Wait! ! !", "Warte!"),
        ("no marks", "keine"),
        ("See https://a.example/?q=1", "Siehe https://a.example/?q=1"),
    ],
)
def test_single_marks_other_marks_and_what_has_no_like_stay(source: str, text: str) -> None:
    assert with_mark_runs(text, source, "de") == text


def test_spaces_go_also_where_there_is_no_like() -> None:
    assert with_mark_runs("Oui !! ! Non !", "Yes", "fr") == "Oui !!! Non !"


def test_what_was_given_stays_as_it_is_written() -> None:
    assert with_mark_runs("Nein! Nein!", "No!! No!!", "de", begun=5) == "Nein! Nein!!"


_TEXTS = st.lists(st.sampled_from([*"a !?！？¡é1", "\u00a0"]), max_size=14).map("".join)


@given(_TEXTS, _TEXTS, st.sampled_from(["de", "fr", "zh"]))
def test_nothing_but_marks_and_spaces_changes_and_twice_is_once(
    source: str, text: str, language: str
) -> None:
    made = with_mark_runs(text, source, language)
    marks = str.maketrans("", "", " \u00a0!?！？")
    assert made.translate(marks) == text.translate(marks)
    assert with_mark_runs(made, source, language) == made
