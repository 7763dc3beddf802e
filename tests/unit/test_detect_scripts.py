from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.detect.features import letters
from mltranslate.detect.scripts import SCRIPTS, counts, gate, possible

LANGUAGES = {
    "en": ("Latn",),
    "de": ("Latn",),
    "ru": ("Cyrl",),
    "uk": ("Cyrl",),
    "ar": ("Arab",),
    "zh": ("Hani",),
    "ja": ("Hani", "Kana"),
    "ko": ("Hang",),
}


def _gate(text: str, languages: tuple[str, ...] = tuple(LANGUAGES)) -> set[str]:
    offered = np.zeros((len(languages), len(SCRIPTS)), np.bool_)
    for row, language in enumerate(languages):
        for script in LANGUAGES[language]:
            offered[row, SCRIPTS.index(script)] = True
    cleaned = letters([text])
    allowed = gate(counts(cleaned), offered)
    assert possible(cleaned, offered).tolist() == allowed.tolist()
    return {language for language, yes in zip(languages, allowed[0], strict=True) if yes}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Straße", {"en", "de"}),
        ("Привет", {"ru", "uk"}),
        ("مرحبا", {"ar"}),
        ("世界", {"zh", "ja"}),
        ("世界の人", {"ja"}),
        ("ﾃｽﾄ", {"ja"}),
        ("안녕 hello", {"ko"}),
        ("日本 hi", {"zh", "ja"}),
        ("奈雪の茶是中国的一个茶饮品牌总部位于深圳市", {"zh", "ja"}),
        ("Ελλάδα", set()),
        ("ไทย", set()),
        ("", set()),
        ("123", set()),
    ],
)
def test_gate(text: str, expected: set[str]) -> None:
    assert _gate(text) == expected


def test_kana_decides_nothing_where_japanese_is_not_on_offer() -> None:
    assert _gate("世界の人", ("en", "zh")) == {"zh"}


def test_text_in_a_script_that_is_not_on_offer_has_no_language() -> None:
    assert _gate("Привет как дела a", ("en", "de")) == set()
    assert _gate("Привет hello", ("en", "de")) == {"en", "de"}


@pytest.mark.parametrize(
    ("character", "script"),
    [
        ("a", "Latn"),
        ("ß", "Latn"),
        ("ệ", "Latn"),
        ("Ａ", "Latn"),
        ("ж", "Cyrl"),
        ("ґ", "Cyrl"),
        ("ع", "Arab"),
        ("漢", "Hani"),
        ("𠀋", "Hani"),
        ("ひ", "Kana"),
        ("カ", "Kana"),
        ("ー", "Kana"),
        ("한", "Hang"),
        ("ㅋ", "Hang"),
        ("ω", "Grek"),
        ("א", "Hebr"),
        ("ก", "Thai"),
        ("አ", "Ethi"),
        ("ᚠ", "Zyyy"),
        ("ދ", "Thaa"),
        ("ပ", "Mymr"),
        ("ក", "Khmr"),
        ("𐌰", "Goth"),
        ("𞤀", "Zyyy"),
    ],
)
def test_script_of_a_letter(character: str, script: str) -> None:
    found = counts(letters([character]))[0]
    assert SCRIPTS[int(found.argmax())] == script
    assert np.count_nonzero(found) == 1


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=30), max_size=5))
def test_counts_of_any_batch(texts: list[str]) -> None:
    found = counts(letters(texts))
    assert found.shape == (len(texts), len(SCRIPTS))
    for row, text in enumerate(texts):
        assert found[row].tolist() == counts(letters([text]))[0].tolist()
