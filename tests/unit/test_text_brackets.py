import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.brackets import with_paired_brackets


@pytest.mark.parametrize(
    ("text", "source", "mended"),
    [
        ("(Tür]", "[door]", "[Tür]"),
        ("Ja [Tür) da", "Yes (door) there", "Ja (Tür) da"),
        ("(Tür)", "[door]", "(Tür)"),
        ("(Tür]", "[one] (two)", "(Tür]"),
        ("(Tür]", "door", "(Tür]"),
        ("[0, 1)", "from [0, 1) on", "[0, 1)"),
    ],
)
def test_a_mixed_pair_is_one_of_the_source(text: str, source: str, mended: str) -> None:
    assert with_paired_brackets(text, source) == mended


def test_what_was_given_stays() -> None:
    assert with_paired_brackets("(a] b", "[a]", begun=1) == "(a] b"


@given(st.text("()[]a ", max_size=12), st.text("()[]a", max_size=6))
def test_nothing_but_brackets_changes(text: str, source: str) -> None:
    made = with_paired_brackets(text, source)
    marks = str.maketrans("[]", "()")
    assert made.translate(marks) == text.translate(marks)


def test_time_is_linear_in_the_text() -> None:
    for unit in ("(", "(a", "[(", "(]"):
        with_paired_brackets(unit * 30_000, "[a]")
