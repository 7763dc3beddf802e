import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.quotes import with_paired_quotes


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("»Ja“, sagte er.", "de", "„Ja“, sagte er."),
        ('Er sagte „ja".', "de", "Er sagte „ja“."),
        ("Er sagte “ja“.", "de-AT", "Er sagte „ja“."),
        ('Il dit : «oui".', "fr", "Il dit : « oui »."),
        ('Il dit : "oui ».', "fr", "Il dit : « oui »."),
        ("Dijo “sí».", "es", "Dijo «sí»."),
        ('Disse “sim".', "pt", "Disse “sim”."),
        ('Ha detto «sì".', "it", "Ha detto «sì»."),
        ('他说“是"。', "zh", "他说“是”。"),
    ],
)
def test_two_marks_that_are_no_pair_become_one(text: str, language: str, expected: str) -> None:
    assert with_paired_quotes(text, language) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "no", '"ja"', "„ja“", "„ja”", "»ja«", "«ja»", "“ja”", '„a" und „b"', '"“',
        'a „b und "c" d',
    ],
)  # fmt: skip
def test_pairs_and_what_cannot_be_told_stay(text: str) -> None:
    assert with_paired_quotes(text, "de") == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("«Ah », dit-elle.", "« Ah », dit-elle."),
        ("« Ah», dit-elle.", "« Ah », dit-elle."),
        ("«\u00a0Ah\u00a0»", "«\u00a0Ah\u00a0»"),
        ("«Ah»", "«Ah»"),
        ("« »", "« »"),
    ],
)
def test_french_quotes_have_a_space_at_both_ends_or_at_none(text: str, expected: str) -> None:
    assert with_paired_quotes(text, "fr") == expected


def test_what_was_given_stays_as_it_is_written() -> None:
    assert with_paired_quotes('«a" b', "it", begun=1) == '«a" b'
    assert with_paired_quotes('x «a" b', "it", begun=2) == "x «a» b"


@given(st.text('ab "“”„«»', max_size=12), st.sampled_from(["de", "fr", "it", "zh"]))
def test_nothing_but_quotes_and_spaces_changes_and_twice_is_once(text: str, language: str) -> None:
    made = with_paired_quotes(text, language)
    marks = str.maketrans("", "", ' "“”„«»')
    assert made.translate(marks) == text.translate(marks)
    assert with_paired_quotes(made, language) == made
