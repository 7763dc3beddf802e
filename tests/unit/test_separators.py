import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.separators import with_separators


@pytest.mark.parametrize(
    ("source", "languages", "output", "mended"),
    [
        ("It has 1,234,567.", "en fr", "Elle a 1 234,567.", "Elle a 1\u202f234\u202f567."),
        ("It has 1,234,567.", "en ru", "Там 1 234.567.", "Там 1\u00a0234\u00a0567."),
        ("Es sind 1.234.567.", "de en", "There are 1.234.567.", "There are 1,234,567."),
        ("1.234,5 km und 2,5 m", "de en", "1.234,5 km and 2.5 m", "1,234.5 km and 2.5 m"),
        ("有1,234円。", "ja de", "Es sind 1,234 Yen.", "Es sind 1.234 Yen."),
        ("Il y en a 1 234 567.", "fr en", "There are 1.234.567.", "There are 1,234,567."),
        ("Il y a 12\u202f345,67 m.", "fr de", "Es sind 12,345.67 m.", "Es sind 12.345,67 m."),
        ("10,000 or 20,000?", "en es", "¿10,000 o 20,000?", "¿10.000 o 20.000?"),
        ("1,234,567.5 km", "en es", "1 234 567,5 km", "1 234 567,5 km"),
        ("1,234,567.5 km", "en es", "1 234 567.5 km", "1.234.567,5 km"),
        ("It has 1,234,567.", "en fr", "Elle a 1 234 567.", "Elle a 1 234 567."),
        # What is no number with groups, or another one, stays.
        ("Version 1.234 of it", "en de", "Version 1.234 davon", "Version 1.234 davon"),
        ("Version 1.234.5 hier", "de en", "Version 1.234.5 here", "Version 1.234.5 here"),
        ("1,234 people", "en de", "1234 Leute", "1234 Leute"),
        ("1,234 people", "en de", "1,235 Leute", "1,235 Leute"),
        ("Am 3.5.2024 um 10.30", "de en", "On 3.5.2024 at 10.30", "On 3.5.2024 at 10.30"),
        ("1,234 people", "en hi", "1,234 लोग", "1,234 लोग"),
        ("1.234 lakh", "hi en", "1.234 lakh", "1.234 lakh"),
        ("1,23,456 and 12,34", "en de", "1,23,456 und 12,34", "1,23,456 und 12,34"),
        ("call 1 234 567, 1990 200 men", "fr en", "1.234 567, 1990 200", "1,234,567, 1990 200"),
    ],
)  # fmt: skip
def test_separators_are_those_of_the_language(
    source: str, languages: str, output: str, mended: str
) -> None:
    assert with_separators(output, source, *languages.split()) == mended


NUMBERS = st.text("12340., '’\u00a0\u202fa", max_size=24)
LANGUAGES = st.sampled_from(["en", "de", "fr", "ru", "ja", "hi"])


@given(NUMBERS, NUMBERS, LANGUAGES, LANGUAGES)
def test_no_digit_changes(source: str, output: str, one: str, other: str) -> None:
    made = with_separators(output, source, one, other)
    assert re.sub(r"[\s.,'’]", "", made) == re.sub(r"[\s.,'’]", "", output)
    assert with_separators(made, source, one, other) == made


@given(st.integers(1_000, 10**12))
def test_a_number_comes_through_another_language_and_back(number: int) -> None:
    text = f"{number:,}"
    there = with_separators(text, text, "en", "de")
    assert there == text.replace(",", ".")
    assert with_separators(there, there, "de", "ja") == text


def test_time_is_linear_in_the_text() -> None:
    for unit in ("1,", "1,234", "1,234,", "123 ", "1 234,", "1'234."):
        text = unit * 20_000
        assert len(with_separators(text, text, "en", "de")) == len(text)
