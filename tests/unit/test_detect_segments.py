"""Parts of mixed text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltranslate.detect import Detector
from mltranslate.detect.segments import segments
from mltranslate.errors import LanguageError
from mltranslate.types import UNDETERMINED

MAIN = ("en", "zh", "de", "fr", "es", "ru", "it", "pt", "ja", "ko", "nl", "tr", "uk", "ar", "pl")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def _parts(detector: Detector, text: str) -> list[tuple[str, str]]:
    return [(part.language, part.text) for part in segments(detector, text, MAIN)]


def test_two_sentences(detector: Detector) -> None:
    german, french = "Das Wetter ist heute sehr schön. ", "Nous allons nous promener au parc."
    assert _parts(detector, german + french) == [("de", german), ("fr", french)]


def test_change_inside_a_sentence(detector: Detector) -> None:
    text = "She looked at me and said ich habe keine Ahnung wovon du sprichst"
    assert _parts(detector, text) == [
        ("en", "She looked at me and said "),
        ("de", "ich habe keine Ahnung wovon du sprichst"),
    ]


def test_scripts_without_spaces(detector: Detector) -> None:
    text = "我们明天去公园吃早饭 because the weather is so good"
    assert _parts(detector, text) == [
        ("zh", "我们明天去公园吃早饭 "),
        ("en", "because the weather is so good"),
    ]


def test_word_in_another_script(detector: Detector) -> None:
    parts = _parts(detector, "She always says спасибо to the driver of the bus.")
    assert [language for language, _ in parts] == ["en", "ru", "en"]
    assert parts[1][1] == "спасибо "


def test_loan_word_is_no_part(detector: Detector) -> None:
    text = "He felt a strange kind of Weltschmerz when he looked at the sea."
    assert _parts(detector, text) == [("en", text)]


def test_address_and_numbers_stay_with_their_sentence(detector: Detector) -> None:
    text = "Schreiben Sie bitte bis 12.30 Uhr an info@example.org oder www.example.org/help, danke."
    assert _parts(detector, text) == [("de", text)]


def test_opening_quote_goes_with_what_follows(detector: Detector) -> None:
    parts = _parts(detector, "Sie sagte laut und deutlich: “I have no idea what you mean.”")
    assert [language for language, _ in parts] == ["de", "en"]
    assert parts[1][1].startswith("“")


@pytest.mark.parametrize("text", ["12345", " ", "\n\n", "https://a.org/b", "\ud800\udfff", "\0"])
def test_no_language(detector: Detector, text: str) -> None:
    (part,) = segments(detector, text)
    assert (part.text, part.language, part.start) == (text, UNDETERMINED, 0)


def test_no_text(detector: Detector) -> None:
    assert segments(detector, "") == []


def test_script_that_is_not_offered(detector: Detector) -> None:
    assert {part.language for part in segments(detector, "Привет, мир", ["en", "de"])} == {"und"}


def test_unknown_language_is_refused(detector: Detector) -> None:
    with pytest.raises(LanguageError):
        segments(detector, "hello", ["xx"])


def test_spans_count_bytes(detector: Detector) -> None:
    text = "Wir möchten ein Stück Käse kaufen. Сегодня очень хорошая погода."
    first, second = segments(detector, text, MAIN)
    data = text.encode()
    assert data[first.start : first.end].decode() == first.text
    assert data[second.start : second.end].decode() == second.text


def test_long_text(detector: Detector) -> None:
    text = "Das ist ein Satz. This is a sentence. " * 400
    parts = segments(detector, text, MAIN)
    assert "".join(part.text for part in parts) == text
    assert {part.language for part in parts} == {"de", "en"}


@settings(max_examples=150)
@given(
    st.text(st.characters(exclude_categories=()), max_size=80)
    | st.lists(
        st.sampled_from(
            ["hello ", "мир", "世界", "。", "\u200f", "\ud800", "\0", " ", "é", "www.a.b", "\n"]
        ),
        max_size=30,
    ).map("".join)
)
def test_spans_put_together_are_the_text(text: str) -> None:
    parts = segments(DETECTOR, text)
    assert "".join(part.text for part in parts) == text
    place = 0
    for part in parts:
        assert part.start == place
        assert part.text
        assert part.end - part.start == len(part.text.encode("utf-8", "surrogatepass"))
        assert 0 <= part.confidence <= 1
        place = part.end


DETECTOR = Detector()
