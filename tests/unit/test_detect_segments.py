"""Parts of mixed text."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltranslate.detect import Detector
from mltranslate.detect.segments import segments, segments_many
from mltranslate.errors import LanguageError
from mltranslate.types import UNDETERMINED, Segment

MAIN = ("en", "zh", "de", "fr", "es", "ru", "it", "pt", "ja", "ko", "nl", "tr", "uk", "ar", "pl")


UNITS = (
    *("hello ", "мир", "世界", "。", "\u200f", "\ud800", "\0", " ", "é", "www.a.b", "\n"),
    *("“", "”", '"', "(", "！", "ทดสอบ", "a@b.cd", "\u0301", "\u2067", "{x}", "12"),
)


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


@pytest.mark.parametrize("languages", [["xx"], ["en", "xx"], [], "en"])
def test_unknown_languages_are_refused_before_any_work(
    detector: Detector, languages: list[str] | str
) -> None:
    with pytest.raises(LanguageError, match=r"xx|empty|no list of languages"):
        segments_many(detector, [], languages)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好，我是学生。これは日本語です。", ["你好，我是学生。", "これは日本語です。"]),
        ("我们明天去（see you soon）公园吃早饭", ["我们明天去", "（see you soon）", "公园吃早饭"]),
        ("他说：“Good morning”。然后走了", ["他说：", "“Good morning”。", "然后走了"]),
        ('他说"Good morning"然后走了', ["他说", '"Good morning"', "然后走了"]),
        ("「今日は雨です」“好的，我们走吧”", ["「今日は雨です」", "“好的，我们走吧”"]),
        (
            "Il a dit « Guten Tag, Freunde » et puis",
            ["Il a dit ", "« Guten Tag, Freunde » ", "et puis"],
        ),
        (
            "Er sagte »Good morning, dear friends« und ging",
            ["Er sagte ", "»Good morning, dear friends« ", "und ging"],
        ),
    ],
)
def test_marks_go_with_what_they_close_or_open(
    detector: Detector, text: str, expected: list[str]
) -> None:
    assert [part for _, part in _parts(detector, text)] == expected


def test_script_that_is_not_offered_is_a_part_of_its_own(detector: Detector) -> None:
    text = "Hello my dear friend Привет как дела and so on, 再见 see you."
    parts = [(part.language, part.text) for part in segments(detector, text, ["en", "de"])]
    assert parts == [
        ("en", "Hello my dear friend "),
        ("und", "Привет как дела "),
        ("en", "and so on, "),
        ("und", "再见 "),
        ("en", "see you."),
    ]


def test_neighbours_of_no_language_are_one_part(detector: Detector) -> None:
    (part,) = segments(detector, "if (a != b) { return x[i]; } Привет", ["en", "de"])
    assert part.language == UNDETERMINED


@pytest.mark.parametrize("text", ["سال ۲۰۲۴ بود و ما رفتیم", "वह २०२४ में आया। हम घर गए।"])
def test_digits_of_another_script_change_nothing(detector: Detector, text: str) -> None:
    assert len({part.language for part in segments(detector, text, ["fa", "hi", "en"])}) == 1


def test_many_texts_at_once_give_the_same(detector: Detector) -> None:
    texts = [
        "Das Wetter ist heute sehr schön. Nous allons nous promener au parc.",
        "",
        "He said nothing.",
        "12345",
        "",
        "Привет, мир",
        "Il a dit « Guten Tag, meine Freunde » et puis il est parti.",
    ]
    for languages in (MAIN, ["fr", "de"], None):
        together = segments_many(detector, texts, languages)
        alone = [segments(detector, text, languages) for text in texts]
        assert [[(part.language, part.text, part.start) for part in one] for one in together] == [
            [(part.language, part.text, part.start) for part in one] for one in alone
        ]
    assert segments_many(detector, []) == []


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


def test_memory_does_not_grow_with_the_scores(detector: Detector) -> None:
    words = map("".join, product("abdefghklmn", "aeiou", "lmnrst", "aeiou", "dklmnt"))
    text = " ".join(list(words) * 4)
    tracemalloc.start()
    try:
        segments(detector, text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # All scores at once would be 8 bytes for each language and word.
    assert peak * 3 < len(text.split()) * len(detector.languages) * 8


@pytest.mark.parametrize(
    "unit", ["\u200f\u202e مرحبا \u2067", "\ud800x \udfff", "ab\0cd \0", "“你好”(a)", "e\u0301"]
)
def test_a_megabyte_of_anything(detector: Detector, unit: str) -> None:
    text = unit * (1_000_000 // len(unit.encode("utf-8", "surrogatepass")))
    _check_spans(text, segments(detector, text, MAIN))


@settings(max_examples=150)
@given(
    st.text(st.characters(exclude_categories=()), max_size=80)
    | st.lists(
        st.sampled_from(UNITS),
        max_size=30,
    ).map("".join)
)
def test_spans_put_together_are_the_text(text: str) -> None:
    _check_spans(text, segments(DETECTOR, text))
    _check_spans(text, segments(DETECTOR, text, ["en", "zh"]))


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=30), max_size=8))
def test_spans_of_many_texts(texts: list[str]) -> None:
    for text, parts in zip(texts, segments_many(DETECTOR, texts), strict=True):
        _check_spans(text, parts)


def _check_spans(text: str, parts: list[Segment]) -> None:
    assert "".join(part.text for part in parts) == text
    place = 0
    for part in parts:
        assert part.start == place
        assert part.text
        assert part.end - part.start == len(part.text.encode("utf-8", "surrogatepass"))
        assert 0 <= part.confidence <= 1
        place = part.end
    assert all(one.language != other.language for one, other in pairwise(parts))


DETECTOR = Detector()
