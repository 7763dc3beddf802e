from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.detect.features import (
    MAX_CHARACTERS,
    Features,
    clean,
    clean_many,
    features,
    letters,
)

ROWS = 1 << 12
GOLDEN = [2168, 3635, 3458, 327, 560, 3830, 923, 2895, 137, 1275]
any_text = st.text(st.characters(exclude_categories=()), max_size=80)


def _of(text: str) -> Features:
    return features(letters([text]), ROWS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", " "),
        ("12 345,6 !?", " "),
        ("\0\x07\ud800", " "),
        ("Hello wo", " hello wo"),
        ("Hello, world.", " hello world "),
        ("L'été", " l été"),
        ("e\u0301te\u0301", " été"),
        ("see https://example.org/a?b=c now", " see now"),
        ("mail a.b@example.org", " mail "),
        ("snake_case2x", " snake case x"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_open_last_word_gives_features_that_its_continuation_keeps() -> None:
    open_word, longer = _of("schö").rows, _of("schön").rows
    # All but the whole word itself, which has grown.
    assert len(set(open_word.tolist()) - set(longer.tolist())) <= 1


def test_finished_word_has_a_right_border() -> None:
    assert len(_of("schön ").rows) > len(_of("schön").rows)


def test_count_of_features() -> None:
    # " ab": a, b, " a", "ab", " ab", and the word.
    assert len(_of("ab").rows) == 6


def test_ngrams_do_not_cross_words() -> None:
    together = sorted(_of("ab cd ").rows.tolist())
    apart = sorted(_of("ab ").rows.tolist() + _of("cd ").rows.tolist())
    assert together == apart


def test_wide_characters_have_pairs_at_most() -> None:
    # " 天气好": three characters, " 天", "天气", "气好".
    assert len(_of("天气好").rows) == 6
    assert len(_of("안녕 ").rows) == 5


def test_hash_is_stable() -> None:
    """A changed hash makes every trained table worthless: change `VERSION` with it."""
    assert _of("Tür").rows.tolist() == GOLDEN


@given(st.lists(any_text, max_size=6))
def test_a_batch_gives_what_its_texts_give_alone(texts: list[str]) -> None:
    batch = features(letters(texts), ROWS)
    alone = [_of(text).rows for text in texts]
    assert batch.ends.tolist() == np.cumsum([len(rows) for rows in alone]).tolist()
    assert batch.rows.tolist() == [row for rows in alone for row in rows.tolist()]


def _by_the_book(text: str) -> list[int]:
    """Hash every n-gram and word by itself, as the documentation says."""
    cleaned = clean(text)
    grams = [
        cleaned[start : start + order]
        for start in range(len(cleaned))
        for order in range(1, 6)
        if start + order <= len(cleaned)
    ]
    kept = [
        gram
        for gram in grams
        if gram != " " and " " not in gram[1:-1] and not (len(gram) > 2 and _wide(gram[1]))
    ]
    hashes = [functools.reduce(lambda h, c: h * 0x01000193 + ord(c), gram, 1) for gram in kept]
    hashes += [
        sum(ord(c) * 0x01000193 ** (place + 1) for place, c in enumerate(word)) % 2**32 ^ 0x9E3779B1
        for word in cleaned.split()
        if not _wide(word[-1])
    ]
    return sorted(_row(value % 2**32) for value in hashes)


def _wide(character: str) -> bool:
    return "\u2e80" <= character <= "\ud7ff"


def _row(value: int) -> int:
    value ^= value >> 15
    return (value * 0x85EBCA6B % 2**32) >> (33 - ROWS.bit_length())


@given(any_text)
def test_rows_are_those_of_every_ngram_and_word(text: str) -> None:
    assert sorted(_of(text).rows.tolist()) == _by_the_book(text)


@given(any_text)
def test_any_text_has_rows_within_the_table(text: str) -> None:
    found = _of(text)
    assert found.ends.tolist() == [len(found.rows)]
    assert all(0 <= row < ROWS for row in found.rows.tolist())


@given(any_text)
def test_clean_text_has_no_separator_of_batches(text: str) -> None:
    cleaned = clean(text)
    assert "\0" not in cleaned
    assert cleaned[0] == " "
    assert "  " not in cleaned


@given(st.lists(any_text, max_size=6))
def test_many_are_cleaned_as_each_is_alone(texts: list[str]) -> None:
    assert clean_many(texts) == [clean(text) for text in texts]


@given(st.lists(any_text, max_size=6))
def test_large_batches_are_cleaned_as_each_text_alone(texts: list[str]) -> None:
    many = ["x" * 5000, *texts]  # from 4,096 characters on by a table
    cleaned = letters(many).codes.tobytes().decode("utf-32-le", "surrogatepass")
    assert cleaned == "".join(f"{clean(text)}\0" for text in many)


@pytest.mark.parametrize("unit", ["a", "ab ", "@", "a@b ", "www.", "\u0301", "漢", "\ud800"])
def test_work_is_bounded_for_huge_text(unit: str) -> None:
    assert len(clean(unit * 400_000)) <= 2 * MAX_CHARACTERS
