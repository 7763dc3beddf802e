"""Numbers of a translation: which are lost, which are mended, which are left alone."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.numerals import is_misspelt, loses_number, mend_dates, mend_numbers


@pytest.mark.parametrize(
    ("source", "output", "lost"),
    [
        ("١٢٣ كتاب", "123 books", False),
        ("It costs 1,234.50 dollars.", "Es kostet 1.234,50 Dollar.", False),
        ("Population: 12 345 678", "人口：１２３４５６７８", False),
        ("Rooms 100 200 300", "Zimmer 100, 200 und 300", False),
        ("Rooms 100 200 300", "Zimmer 100, 200 und 400", True),
        ("Zimmer 100, 200 und 300", "Rooms 100 200 300", False),
        ("Il y a 1 200 000 habitants", "There are 1,200,000 inhabitants", False),
        ("There are 1,200,000 inhabitants", "Il y a 1 200 000 habitants", False),
        ("Il y a 1 200 000 habitants", "There are 1,200 inhabitants", True),
        ("Il y a 1\u00a0200\u202f000 habitants", "There are 1200000 inhabitants", False),
        ("Il y a 1\u00a0200\u202f000 habitants", "There are 1, 200 and 000", True),
        ("Room 1200", "Zimmer 120", True),
        ("In 1985 and 1985", "Im Jahr 1985", True),
        ("At 12 o'clock", "Um zwölf Uhr", False),
        ("At 15:30", "Um 15.30 Uhr", False),
        ("In 2020 100 people came", "100 Leute kamen 2020", False),
        ("13 cats", "viele Katzen", True),
        ("cats", "13 Katzen", False),
        ("9" * 5000, "9" * 5000, False),
    ],
)
def test_a_lost_number_is_seen(source: str, output: str, lost: bool) -> None:
    assert loses_number(source, output) == lost


@given(st.text())
def test_a_text_loses_no_number_of_its_own(text: str) -> None:
    assert not loses_number(text, text)


@pytest.mark.parametrize(
    ("source", "output", "mended"),
    [
        ("Number 111 is here.", "Anzahl 1111 ist hier.", "Anzahl 111 ist hier."),
        ("On 2026-11-22.", "Am 2026-11-222.", "Am 2026-11-22."),
        ("Room 1200", "Zimmer 120", "Zimmer 1200"),
        ("Call 0301234567 now", "Ruf 030123467 an", "Ruf 0301234567 an"),
        ("In 1984 and 2015", "2016 und 1985", "2015 und 1984"),
        ("第１２３４号", "Number 12234", "Number 1234"),
        ("Rooms 121 and 122", "Zimmer 12 und 1222", "Zimmer 12 und 122"),  # 12 tells nothing
    ],
)
def test_a_misspelt_number_is_mended(source: str, output: str, mended: str) -> None:
    assert mend_numbers(source, output) == mended


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("20 km", "12 miles"),
        ("25 km", "15 Meilen"),  # another number of the same length
        ("5万人", "50,000 people"),
        ("1221 and 1222", "1223"),  # either may be meant
        ("1,234,567 people", "1,234,5678 Leute"),  # separators differ from language to language
        ("2700 万英镑", "20000 or 27000 pounds"),  # which is 27 million
        ("54 million", "540万"),
        ("2万2000円です。", "It costs 22,000 yen."),
        ("It costs 25000 yen.", "2万5000円です。"),
        ("3만 5000원입니다", "It is 35000 won."),
        ("百20人", "120 people"),
        ("2 mil 200 euros", "2200 euros"),
        ("2 тыс. 500 рублей", "2500 rubles"),
        ("1 km 500 m", "1500 m"),
        ("12345" * 20, "12346" * 20),
        ("Es kostet 12355 Euro.", "It costs 12,345 euros."),
        ("Rooms 100 200 300", "Zimmer 1000, 200 und 300"),  # may be one number
        ("Rooms 1000, 200 and 300", "Zimmer 100 200 300"),
        ("13 cats", "viele Katzen"),
        ("cats", "13 Katzen"),
    ],
)
def test_what_is_no_slip_or_not_certain_is_left_alone(source: str, output: str) -> None:
    assert mend_numbers(source, output) == output


@given(st.text(), st.text())
def test_nothing_but_numbers_changes_and_none_gets_lost(source: str, output: str) -> None:
    mended = mend_numbers(source, output)
    assert re.sub(r"\d+", "0", mended) == re.sub(r"\d+", "0", output)
    assert loses_number(source, output) or mended == output


@given(st.lists(st.integers(13, 10**7), max_size=30), st.lists(st.integers(13, 10**7), max_size=30))
def test_mending_only_gains(meant: list[int], written: list[int]) -> None:
    source, output = (" / ".join(map(str, numbers)) for numbers in (meant, written))
    mended = mend_numbers(source, output)
    kept = Counter(source.split(" / ")) & Counter(output.split(" / "))
    assert not kept - Counter(mended.split(" / "))
    assert mend_numbers(source, mended) == mended or loses_number(source, mended)


@given(st.from_regex(r"[1-9][0-9]{1,20}", fullmatch=True))
def test_a_doubled_digit_is_a_slip_and_the_number_itself_is_none(number: str) -> None:
    assert is_misspelt(number, number + number[-1])
    assert not is_misspelt(number, number)


@pytest.mark.parametrize(
    ("source", "output", "mended"),
    [
        ("Er kam am 3.5.2024 an.", "He came on 3.5,2024.", "He came on 3.5.2024."),
        ("10.000 am 3.5.2024", "10,000 on 3,5,2024", "10,000 on 3.5.2024"),
        ("Am 3.5.2024", "On 3. 5/2024", "On 3.5.2024"),
        ("Am 3.5.2024", "On 3/5/2024", "On 3/5/2024"),
        ("Am 3.5.2024", "On 3 May 2024", "On 3 May 2024"),
        ("Am 3.5.2024", "On 3.5.2024 or 3,5,2024", "On 3.5.2024 or 3,5,2024"),
        ("Am 3.5.2024", "On 13.5,2024", "On 13.5,2024"),
        ("An 1.2.3.4", "To 1.2,3.4", "To 1.2,3.4"),
        ("1,234,567", "1.234,567", "1.234,567"),
    ],
)
def test_dates_in_digits_are_as_the_source_has_them(source: str, output: str, mended: str) -> None:
    assert mend_dates(source, output) == mended


@given(st.text("1234.,/- a", max_size=16), st.text("1234.,/- a", max_size=24))
def test_no_digit_of_a_date_changes(source: str, output: str) -> None:
    made = mend_dates(source, output)
    assert re.sub(r"\D", "", made) == re.sub(r"\D", "", output)
    assert mend_dates(source, made) == made
