"""Varieties of a language, where the text decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.detect.varieties import variety


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("这是我们的国家", "zh", "zh-Hans"),
        ("這是我們的國家", "zh", "zh-Hant"),
        ("你好", "zh", None),
        ("中文 ABC 12", "zh", None),
        ("O autocarro para o Porto já partiu.", "pt", "pt-PT"),
        ("Estou a ler um livro.", "pt", "pt-PT"),
        ("O ônibus para São Paulo já saiu.", "pt", "pt-BR"),
        ("Estou lendo um livro.", "pt", "pt-BR"),
        ("Você viu o trem?", "pt", "pt-BR"),
        ("Bom dia, como se chama?", "pt", None),
        ("Dobar dan", "sr", "sr-Latn"),
        ("Добар дан", "sr", "sr-Cyrl"),
        ("這是我們的國家", "ja", None),
        ("Guten Tag", "de", None),
        ("", "zh", None),
        ("123", "pt", None),
    ],
)
def test_variety(text: str, language: str, expected: str | None) -> None:
    assert variety(text, language) == expected


def test_both_sides_leave_it_open() -> None:
    assert variety("O autocarro e o ônibus", "pt") is None


@given(
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.sampled_from(["zh", "pt", "sr", "und", "en"]),
)
def test_any_text(text: str, language: str) -> None:
    found = variety(text, language)
    assert found is None or found.startswith(language + "-")
