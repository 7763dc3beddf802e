import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.clock import on_24_hours, with_clock


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The meeting is at 3pm.", "The meeting is at 15:00."),
        ("Open from 8 a.m. to 6 p.m.", "Open from 8:00 to 18:00."),
        ("Open from 8 a.m. to 6 p.m. (daily)", "Open from 8:00 to 18:00 (daily)"),
        ("at 10:30 PM on Friday", "at 22:30 on Friday"),
        ("at 7.15 p.m.!", "at 19:15!"),
        ("9am-5pm", "9:00-17:00"),
        ("9-5 p.m.", "9:00-17:00."),
        ("3-5pm, 11 – 2 pm", "15:00-17:00, 11:00 – 14:00"),
        ("10 to 12 p.m. and so", "10:00 to 12:00 and so"),
        ("8 a.m. – 6 p.m.", "8:00 – 18:00."),
        ("12 am, 12 p.m., 12:30 AM", "0:00, 12:00, 0:30"),
        ("Run `at 3pm` at 4pm", "Run `at 3pm` at 16:00"),
        ('<a title="at 3pm">at 4pm</a>', '<a title="at 3pm">at 16:00</a>'),
        # No times.
        ("13 pm or 0 am, 3:75 pm", "13 pm or 0 am, 3:75 pm"),
        ("I am 3. Am I?", "I am 3. Am I?"),
        ("$3 pm, 1.3pm, 2003 am", "$3 pm, 1.3pm, 2003 am"),
        ("5 amps and 6 pmol", "5 amps and 6 pmol"),
        ("", ""),
    ],
)  # fmt: skip
def test_times_are_on_24_hours(text: str, said: str) -> None:
    assert on_24_hours(text, "en", "de") == said


def test_only_from_english_into_languages_that_count_so() -> None:
    assert on_24_hours("at 3 pm", "en", "ar") == "at 3 pm"
    assert on_24_hours("at 3 pm", "de", "fr") == "at 3 pm"


@pytest.mark.parametrize(
    ("language", "source", "text", "said"),
    [
        ("ja", "at 15:00.", "１５時半です。", "15時です。"),
        ("ja", "from 8:00 to 18:00", "8時00時から18時00時まで", "8時から18時まで"),
        ("ja", "at 19:15", "19:15時に", "19時15分に"),
        ("ja", "at 6:30", "6時に", "6時30分に"),
        ("ja", "at 6:30 for 3 hours", "6時30分から3時間", "6時30分から3時間"),
        ("ja", "6:30 and 6:45", "6時と6時", "6時と6時"),
        ("ja", "at 6:30", "7時に", "7時に"),
        ("ja", "`at 8:00` at 9:00", "`at 8:00`は9時半", "`at 8:00`は9時"),
        ("zh", "at 19:15", "19:15 点开始", "19:15开始"),
        ("zh", "at 7:15", "7 点 15 点", "7:15"),
        ("zh", "at six", "6点", "6点"),
        ("de", "at 6:30", "6時", "6時"),
    ],
)
def test_minutes_are_those_of_the_source(language: str, source: str, text: str, said: str) -> None:
    assert with_clock(text, source, language) == said
    assert with_clock(text, source, language, begun=len(text)) == text


@given(st.text("1209:.ap m-to", max_size=20))
def test_twice_is_once(text: str) -> None:
    made = on_24_hours(text, "en", "fr")
    assert re.findall(r"\d+:\d\d", made) or made == text


@given(st.integers(1, 12), st.integers(0, 59), st.sampled_from(["am", "a.m.", "PM", "p.m."]))
def test_every_time_is_one_of_the_day(hour: int, minute: int, half: str) -> None:
    made = on_24_hours(f"at {hour}:{minute:02} {half} now", "en", "ru")
    found = re.fullmatch(r"at (\d+):(\d\d) now", made)
    assert found
    assert int(found[1]) % 12 == hour % 12
    assert (int(found[1]) >= 12) == (half[0] in "pP")
    assert int(found[2]) == minute


def test_time_is_linear_in_the_text() -> None:
    for unit in ("1 ", "1-", "12:", "1 to ", "1.1"):
        text = unit * 30_000
        assert on_24_hours(text, "en", "de") == text
