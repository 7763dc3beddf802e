"""Sentences that go on in the next line, and translations that are broken as they were."""

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector
from hypothesis import given
from hypothesis import strategies as st

from mltranslate import Glossary, Translator
from mltranslate.text.spans import cut
from mltranslate.text.wrapping import rewrapped, unwrapped, wrapped_lines

LONG = "The committee decided yesterday that the new library"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"{LONG}\nwill be opened.\n", 1),
        (f"{LONG},\nwhich is late, will be opened.", 1),
        (f"{LONG}\r\nwill be opened.\r\n", 1),
        (f"- {LONG}\n  will be opened.\n- The second.", 2),
        (f"{LONG}\n{LONG.lower()}\nwill be opened.", 1),
        (f"1\n00:00:01,000 --> 00:00:03,500\nI think that\nwe should go.\n\n{LONG}\nis here.", 5),
        # Lists, headings, keys, tables, ends and beginnings of sentences.
        ("two cups of flour\nthree eggs\na pinch of salt", 3),
        (f"{LONG}.\nwill be opened.", 2),
        (f"{LONG}:\nwill be opened.", 2),
        (f"{LONG}\nWill be opened.", 2),
        (f"{LONG}\n\nwill be opened.", 3),
        (f"{LONG}  \nwill be opened.", 2),
        (f"# {LONG}\nwill be opened.", 2),
        (f"> {LONG}\nwill be opened.", 2),
        (f"{LONG}\nname: value", 2),
        (f"{LONG}\na) will be opened.", 2),
        (f"{LONG}\n- will be opened.", 2),
        (f"{LONG}\n    will be opened.", 2),
        (f"{LONG} | one\nwill be opened.", 2),
        (f"{LONG}\n图书馆", 2),
        ("", 0),
    ],
)
def test_lines_that_go_on(text: str, lines: int) -> None:
    found = list(wrapped_lines(text))
    assert len(found) == lines
    assert "".join(found) == text


@given(st.text("aA,. \n\r-|", max_size=200), st.text("ab \n", max_size=90))
def test_nothing_gets_lost(text: str, more: str) -> None:
    whole = text + more
    assert "".join(wrapped_lines(whole)) == whole
    assert "".join(span.text for span in cut(whole, "en", wrapped=True)) == whole


@pytest.mark.parametrize(
    ("text", "source", "language", "broken"),
    [
        ("Das ist ein Satz.", "This is\na sentence.", "de", "Das ist\nein Satz."),
        ("Das ist ein Satz.", "This is\r\n  a sentence.", "de", "Das ist\r\n  ein Satz."),
        ("eins zwei drei", "one\ntwo\nthree", "de", "eins\nzwei\ndrei"),
        ("eins zwei", "one\ntwo\nthree", "de", "eins\nzwei"),
        ("Satz", "one\ntwo", "de", "Satz"),
        ("Das ist\nein Satz.", "This is\na sentence.", "de", "Das ist\nein Satz."),
        ("Siehe `a b c d` dort", "Look at\n`a b c d` there", "de", "Siehe\n`a b c d` dort"),
        ("图书馆将开放", "the library\nwill open", "zh", "图书馆\n将开放"),
        ("图书馆，将开放", "the library\nwill open", "zh", "图书馆，\n将开放"),
        ("在 Python 中", "in\nPython here", "zh", "在 Python 中"),
        ("図書館が開きます", "the library\nwill open", "ja", "図書館が\n開きます"),
        ("一", "a\nb", "zh", "一"),
        ("Ein Satz.", "A sentence.", "de", "Ein Satz."),
        ("", "a\nb", "de", ""),
    ],
)
def test_breaks(text: str, source: str, language: str, broken: str) -> None:
    assert rewrapped(text, source, language) == broken


@given(
    st.text("ab `一、", max_size=40),
    st.text("ab\n", max_size=30),
    st.sampled_from(["de", "zh", "ja"]),
)
def test_breaks_take_the_place_of_blanks(text: str, source: str, language: str) -> None:
    found = rewrapped(text, source, language)
    assert found.replace("\n", "").replace(" ", "") == text.replace(" ", "")
    assert found.count("\n") <= source.count("\n")


def test_one_line() -> None:
    assert unwrapped("one \r\n   two\nthree") == "one two three"


@pytest.mark.timeout(5)
def test_time_is_linear() -> None:
    text = f"{LONG}\n{LONG.lower()}\n" * 2_000
    assert len(list(wrapped_lines(text))) == 2_000
    rewrapped("eins zwei " * 4_000, "one two three\n" * 200, "de")


def test_the_model_gets_the_whole_sentence() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text.upper())
    translator = Translator(decoder=decoder, detector=FakeDetector())
    text = f"{LONG}\nwill be opened in spring. It is late."
    result = translator.translate(text, "de", "en")[0]
    assert decoder.sentences == ["It is late.", f"{LONG} will be opened in spring."]
    assert result.text == text.upper()
    assert result.warnings == ()


def test_a_beginning_has_lines_by_themselves() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text.upper())
    translator = Translator(decoder=decoder, detector=FakeDetector())
    text = f"{LONG}\nwill be opened in spring."
    translator.translate(text, "de", "en", prefix="THE")
    assert f"{LONG}" in decoder.sentences


def test_a_term_may_be_in_two_lines() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text.replace("public library", "Bücherei"))
    translator = Translator(decoder=decoder, detector=FakeDetector())
    text = "The committee decided yesterday that the public\nlibrary will be opened in spring."
    glossary = Glossary([("public library", "Bücherei")])
    result = translator.translate(text, "de", "en", glossary=glossary)[0]
    assert result.missing_terms == ()
    assert "Bücherei" in result.text
    assert result.text.count("\n") == 1
