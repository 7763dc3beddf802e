from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.detect.features import MAX_CHARACTERS, Features, clean, features, letters

ROWS = 1 << 12
GOLDEN = [747, 858, 3515, 165, 2370, 2790, 1458, 1969, 2710, 362]
any_text = st.text(st.characters(exclude_categories=()), max_size=80)


def _of(text: str) -> Features:
    return features(letters([text]), ROWS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("12 345,6 !?", ""),
        ("\0\x07\ud800", ""),
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


def test_hash_is_stable() -> None:
    """A changed hash makes every trained table worthless: change `VERSION` with it."""
    assert _of("Tür").rows.tolist() == GOLDEN


@given(st.lists(any_text, max_size=6))
def test_a_batch_gives_what_its_texts_give_alone(texts: list[str]) -> None:
    batch = features(letters(texts), ROWS)
    alone = [_of(text).rows for text in texts]
    assert batch.ends.tolist() == np.cumsum([len(rows) for rows in alone]).tolist()
    assert batch.rows.tolist() == [row for rows in alone for row in rows.tolist()]


@given(any_text)
def test_any_text_has_rows_within_the_table(text: str) -> None:
    found = _of(text)
    assert found.ends.tolist() == [len(found.rows)]
    assert all(0 <= row < ROWS for row in found.rows.tolist())


@given(any_text)
def test_clean_text_has_no_separator_of_batches(text: str) -> None:
    cleaned = clean(text)
    assert "\0" not in cleaned
    assert cleaned == "" or (cleaned[0] == " " and "  " not in cleaned)


@pytest.mark.parametrize("unit", ["a", "ab ", "@", "a@b ", "www.", "\u0301", "漢", "\ud800"])
def test_work_is_bounded_for_huge_text(unit: str) -> None:
    assert len(clean(unit * 400_000)) <= 2 * MAX_CHARACTERS
