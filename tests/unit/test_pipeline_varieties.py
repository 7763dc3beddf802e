"""A variety that was asked for is written where a rule can, else told, and never passed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack

from mltranslate.detect.varieties import variety
from mltranslate.pipeline import Translator
from mltranslate.types import Caution, Detection

SIMPLIFIED, TRADITIONAL, BOTH = "这是我们的国家。", "這是我們的國家。", "你好。"


def _translator(output: str, *languages: str) -> Translator:
    pairs = frozenset({("en", code) for code in languages})
    pack = FakePack(languages=("en", *languages), directions=pairs)
    decoder = FakeDecoder(render=lambda text, target, guard: output, pack=pack)
    return Translator(decoder=decoder, detector=FakeDetector())


@pytest.mark.parametrize(
    ("output", "target", "text", "found"),
    [
        (SIMPLIFIED, "zh", SIMPLIFIED, "zh-Hans"),
        (TRADITIONAL, "zh", TRADITIONAL, "zh-Hant"),
        (SIMPLIFIED, "zh-Hans", SIMPLIFIED, "zh-Hans"),
        (SIMPLIFIED, "zh_TW", TRADITIONAL, "zh-Hant"),
        (SIMPLIFIED, "Traditional Chinese", TRADITIONAL, "zh-Hant"),
        (TRADITIONAL, "zh-Hant", TRADITIONAL, "zh-Hant"),
        (TRADITIONAL, "zh-CN", SIMPLIFIED, "zh-Hans"),
        (BOTH, "zh-Hant", BOTH, None),
        ("我们的國。", "zh-Hant", "我們的國。", "zh-Hant"),
    ],
)
def test_chinese_is_written_as_asked(
    output: str, target: str, text: str, found: str | None
) -> None:
    result = _translator(output, "zh").translate("Hello.", target, "en")[0]
    assert (result.target, result.text, result.variety) == ("zh", text, found)
    assert result.warnings == ()


def _chinese(decoder: FakeDecoder, *codes: str) -> Translator:
    pairs = frozenset((one, other) for one in codes for other in codes if one != other)
    decoder.pack = FakePack(languages=codes, directions=pairs)
    return Translator(decoder=decoder, detector=FakeDetector())


def test_traditional_chinese_is_read_as_simplified() -> None:
    decoder = FakeDecoder()
    translator = _chinese(decoder, "en", "zh")
    for text in (TRADITIONAL, SIMPLIFIED):
        assert translator.translate(text, "en", "zh")[0].source_text == text
    assert decoder.batches == [[SIMPLIFIED], [SIMPLIFIED]]


def test_a_pack_that_lists_traditional_chinese_reads_it() -> None:
    decoder = FakeDecoder()
    _chinese(decoder, "en", "zh", "zh-Hant").translate(TRADITIONAL, "en", "zh-Hant")
    assert decoder.batches == [[TRADITIONAL]]


def test_alternatives_are_written_as_asked_and_code_as_it_is() -> None:
    decoder = FakeDecoder(render=lambda text, *_: f"{text}国家", others=lambda _: [("国家。", 0.1)])
    translator = _chinese(decoder, "en", "zh")
    result = translator.translate("One `国()` two.", "zh-Hant", "en", 4, n_best=2)[0]
    assert result.text == "One `国()` two.國家"
    alone = translator.translate("One.", "zh-Hant", "en", 4, n_best=2)[0]
    assert [one.text for one in alone.alternatives] == ["One.國家", "國家。"]


def test_a_beginning_is_read_as_simplified_and_kept_as_it_is() -> None:
    decoder = FakeDecoder(render=lambda *_: SIMPLIFIED)
    translator = _chinese(decoder, "en", "zh")
    result = translator.translate("Hello.", "zh-Hant", "en", prefix="這是")[0]
    assert result.text == TRADITIONAL
    assert translator.translate("Hi.", "zh-Hant", "en", prefix="国")[0].text.startswith("国")


@pytest.mark.parametrize(
    ("output", "target", "warned"),
    [
        ("O ônibus já saiu.", "pt-BR", False),
        ("O ônibus já saiu.", "pt-PT", True),
        ("Bom dia.", "pt-BR", True),
        ("Bom dia.", "pt", False),
    ],
)
def test_portuguese_is_not_promised_where_nothing_tells(
    output: str, target: str, warned: bool
) -> None:
    result = _translator(output, "pt").translate("Hello.", target, "en")[0]
    assert (Caution.VARIETY in result.warnings) == warned


def test_a_variety_that_no_text_shows_is_not_promised() -> None:
    assert _translator("Hallo.", "de").translate("Hello.", "de-AT", "en")[0].warnings == (
        Caution.VARIETY,
    )
    assert _translator("Hallo.", "de").translate("Hello.", "de_DE", "en")[0].warnings == ()


def test_a_pack_that_lists_a_variety_is_believed() -> None:
    result = _translator(TRADITIONAL, "zh", "zh-Hant").translate("Hello.", "zh-TW", "en")[0]
    assert (result.target, result.route) == ("zh-Hant", ("en", "zh-Hant"))
    assert (result.variety, result.warnings) == ("zh-Hant", ())


def test_text_that_is_in_the_target_language_already_has_a_variety_too() -> None:
    result = _translator("", "zh").translate(SIMPLIFIED, "zh-Hant", "zh")[0]
    assert result.text == SIMPLIFIED
    assert result.variety == "zh-Hans"
    assert result.warnings == (Caution.UNTRANSLATED, Caution.VARIETY)


def test_what_is_not_in_the_target_language_has_none() -> None:
    result = _translator("", "zh").translate("12:30", "zh-Hant")[0]
    assert (result.variety, result.warnings) == (None, (Caution.UNTRANSLATED,))


class VarietyDetector(FakeDetector):
    """Tells the variety of Chinese, as the real one does."""

    def detect_many(
        self, texts: Sequence[str], languages: Iterable[str] | None = None, top: int = 1
    ) -> list[list[Detection]]:
        found = super().detect_many(texts, languages, top)
        return [
            [replace(one, variety=variety(text, one.language)) for one in candidates]
            for text, candidates in zip(texts, found, strict=True)
        ]


def test_a_variety_that_a_pack_lists_is_detected_as_a_language() -> None:
    codes = ("en", "zh", "zh-Hant")
    pairs = frozenset((one, other) for one in codes for other in codes if one != other)
    decoder = FakeDecoder(pack=FakePack(languages=codes, directions=pairs))
    translator = Translator(decoder=decoder, detector=VarietyDetector())
    results = translator.translate([TRADITIONAL, SIMPLIFIED, BOTH], "zh-TW")
    assert [(one.source, one.route) for one in results] == [
        ("zh-Hant", ()), ("zh", ("zh", "zh-Hant")), ("zh", ("zh", "zh-Hant")),
    ]  # fmt: skip
