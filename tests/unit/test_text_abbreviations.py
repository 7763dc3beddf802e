"""Abbreviations: what counts as one, and sentences with stand-ins for them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.abbreviations import abbreviations, hide


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("昨日DVDを見ました。", ("DVD",)),
        ("CO2とMP3、それからB2B。", ("CO2", "MP3", "B2B")),
        ("NHKはNHKです。CD/DVD", ("NHK", "CD", "DVD")),
        ("3D映画、T恤、iPhone、NHKs、PM2.5、AT&T、USB-C", ()),
        ("EUのTVはOKです。", ()),
        ("ＤＶＤ", ()),
    ],
)
def test_abbreviations_are_capitals_by_themselves(text: str, found: tuple[str, ...]) -> None:
    assert abbreviations(text) == found


def test_hidden_are_the_first_of_those_that_are_asked_for() -> None:
    made = hide("NHKとBBC、NHK。", ["NHK", "ABC"])
    assert made is not None
    assert made.text == "LinuxとBBC、NHK。"
    assert made.restore("Linux and BBC, NHK.", "en") == ("NHK and BBC, NHK.", False)
    assert made.restore("That and BBC, NHK.", "en") is None
    made = hide("ABとCDとEF", ["EF", "CD", "AB"])
    assert made is not None
    assert made.text == "LinuxとGoogleとEF", "there are two stand-ins"
    made = hide("LinuxのUSB", ["USB"])
    assert made is not None
    assert made.text == "LinuxのGoogle", "no stand-in is there already"


@pytest.mark.parametrize("text", ["何もない。", "USBsとLinux", "LinuxとGoogleのUSB"])
def test_where_nothing_can_be_hidden_there_is_no_other_sentence(text: str) -> None:
    assert hide(text, ["USB"]) is None


WORDS = st.sampled_from(["DVD", "CO2", "の", "。", " ", "-", "a", "Linux", "EU", "7"])


@given(st.lists(WORDS | st.text(max_size=2), max_size=12).map("".join))
def test_what_is_hidden_comes_back(text: str) -> None:
    found = abbreviations(text)
    assert all(one in text for one in found)
    made = hide(text, found)
    if made is not None:
        assert made.text != text
        assert made.restore(f"{made.text}!", "en") == (f"{text}!", False)


@pytest.mark.parametrize("unit", ["A", "A1", "AB ", "A-", "0", "ABC1-", "DVDの"])
def test_hostile_text_takes_no_longer_than_its_length(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    started = time.process_time()
    hide(text, abbreviations(text))
    assert time.process_time() - started < 2


def test_only_some_are_looked_for() -> None:
    assert len(abbreviations(" ".join(f"AB{number}" for number in range(100)))) == 20
