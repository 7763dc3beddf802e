from hypothesis import given
from hypothesis import strategies as st

from mltranslate_train.evaluate.robustness import (
    KINDS,
    STOPS,
    disturb,
    single_words,
    without,
    without_stop,
)

LINES = ["Ein Hund läuft schnell über die grüne Wiese.", "Wo ist das Museum?", "Ja", ""]

text = st.text(max_size=60)
lines = st.lists(text, max_size=5)


def test_each_kind_does_what_its_name_says() -> None:
    caps = disturb("caps", LINES, "de")
    assert caps.rows == (0, 1, 2)
    assert caps.sources[1] == "WO IST DAS MUSEUM?"
    assert disturb("lower", LINES, "de").sources[2] == "ja"
    stop = disturb("no stop", LINES, "de")
    assert stop.rows == (0, 1)
    assert stop.sources[1] == "Wo ist das Museum"
    typos = disturb("typos", LINES, "de")
    assert typos.rows[:2] == (0, 1)
    assert typos.sources[0].split()[0][0] == "E"
    assert typos.sources[0] != LINES[0]


def test_what_was_inserted_stands_between_words_and_can_be_taken_out() -> None:
    for kind in ("emoji", "noise"):
        found = disturb(kind, LINES[:2], "de")
        assert len(found.rows) == 2
        for row, source, extra in zip(found.rows, found.sources, found.inserted, strict=True):
            assert extra in source.split(" ")
            assert without(source, extra) == LINES[row]
    chinese = disturb("emoji", ["我累了。"], "zh")
    assert chinese.sources[0].replace(chinese.inserted[0], "") == "我累了。"


def test_a_letter_less_script_and_an_empty_set_leave_nothing_to_score() -> None:
    assert disturb("caps", ["我累了。"], "zh").rows == ()
    assert all(not disturb(kind, [], "de").rows for kind in KINDS)


def test_single_words_come_once_and_only_where_words_are_spaced() -> None:
    words = single_words([*LINES, "Museum Museum!", "a b 1234 x-y"], "de")
    assert len(words) == len(set(words))
    assert all(word.isalpha() and len(word) >= 4 for word in words)
    assert "Museum" in words
    assert single_words(["我累了。"], "zh") == []


def test_stops_and_insertions_are_taken_off() -> None:
    assert without_stop("Was?! ") == "Was"
    assert without_stop("...") == ""
    assert without("a 😀 b", "😀") == "a b"
    assert without("a b", "😀") == "a b"


@given(lines, st.sampled_from(sorted(KINDS)), st.sampled_from(["de", "zh"]))
def test_disturbing_is_repeatable_and_keeps_only_changed_lines(
    sources: list[str], kind: str, language: str
) -> None:
    found = disturb(kind, sources, language)
    assert found == disturb(kind, sources, language)
    assert len(found.rows) == len(found.sources) == len(found.inserted)
    for row, source, extra in zip(found.rows, found.sources, found.inserted, strict=True):
        assert source != sources[row]
        assert extra in source


@given(lines, text, st.sampled_from(sorted(KINDS)))
def test_a_line_is_disturbed_alike_whatever_follows(
    sources: list[str], more: str, kind: str
) -> None:
    short, long = disturb(kind, sources, "de"), disturb(kind, [*sources, more], "de")
    assert long.sources[: len(short.sources)] == short.sources


@given(text)
def test_a_text_without_its_stop_has_none(line: str) -> None:
    bare = without_stop(line)
    assert not bare or bare[-1] not in STOPS
    assert without_stop(bare) == bare
