import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.pieces import split_long


def _parts(sentence: str, limit: int) -> list[str]:
    return [span.text for span in split_long(sentence, limit, len) if span.translatable]


def test_a_sentence_that_fits_is_one_piece() -> None:
    assert _parts("It fits.", 8) == ["It fits."]


@given(st.text(), st.integers(1, 40))
def test_pieces_concatenate_and_fit(sentence: str, limit: int) -> None:
    spans = split_long(sentence, limit, len)
    assert "".join(span.text for span in spans) == sentence
    assert all(len(span.text) <= limit for span in spans if span.translatable)


def test_the_strongest_mark_near_the_middle_wins() -> None:
    assert _parts("one two, three four; five six, seven", 20) == [
        "one two, three four;", "five six, seven",
    ]  # fmt: skip
    assert _parts("one two, three four five six", 20) == ["one two,", "three four five six"]
    assert _parts("one two three four", 10) == ["one two", "three four"]


def test_unspaced_text_is_cut_at_its_own_marks() -> None:
    assert _parts("今天天气很好，我们去公园", 8) == ["今天天气很好，", "我们去公园"]
    assert _parts("今天天气很好我们去公园", 8) == ["今天天气很", "好我们去公园"]


def test_a_letter_keeps_its_accents() -> None:
    for part in _parts("e\u0301" * 20, 7):
        assert part[0] == "e"


def test_decimals_are_not_cut_at_their_comma() -> None:
    assert _parts("costs 1,000 euro", 12) == ["costs", "1,000 euro"]


@pytest.mark.timeout(60)
def test_counting_is_not_quadratic() -> None:
    counted = 0

    def count(text: str) -> int:
        nonlocal counted
        counted += len(text)
        return len(text) // 3

    sentence = "some words and more " * 20_000
    assert "".join(span.text for span in split_long(sentence, 100, count)) == sentence
    assert counted < 10 * len(sentence)
