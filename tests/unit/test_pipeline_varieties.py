"""A variety that was asked for is written where a rule can, else told, and never passed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.alignment import Alignment
from mltranslate.detect.varieties import variety
from mltranslate.errors import Cancelled
from mltranslate.glossary import Glossary, Term
from mltranslate.phrases import PhraseTranslator
from mltranslate.pipeline import Translator
from mltranslate.renderings import Rendering
from mltranslate.scripts import ScriptTranslator
from mltranslate.sentences.work import Sentence
from mltranslate.text.rewriting import rewritten
from mltranslate.types import CancelToken, Caution, Detection

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


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (SIMPLIFIED, TRADITIONAL),
        (f"- {SIMPLIFIED}\n\n", f"- {TRADITIONAL}\n\n"),
        (f"看`国()`，{SIMPLIFIED}", f"看`国()`，{TRADITIONAL}"),
        (f"```\n国()\n```\n{SIMPLIFIED}", f"```\n国()\n```\n{TRADITIONAL}"),
        (f"{SIMPLIFIED}看[国家](/国家.html)", f"{TRADITIONAL}看[國家](/国家.html)"),
        (f'<img src="图片/国.png">{SIMPLIFIED}', f'<img src="图片/国.png">{TRADITIONAL}'),
        (f'<a href="/国.html">国</a>，{SIMPLIFIED}', f'<a href="/国.html">國</a>，{TRADITIONAL}'),
        (
            f"https://zh.example.org/中国，{SIMPLIFIED}",
            f"https://zh.example.org/中国，{TRADITIONAL}",
        ),
        (f"{SIMPLIFIED} http://example.org/国/头", f"{TRADITIONAL} http://example.org/国/头"),
    ],
)
def test_chinese_is_rewritten_where_it_is_not_translated(text: str, written: str) -> None:
    result = _translator("", "zh").translate(text, "zh-Hant", "zh")[0]
    assert (result.text, result.warnings) == (written, (Caution.REWRITTEN,))
    assert (result.pack, result.route, result.score) == ("", (), None)


@pytest.mark.parametrize(
    ("text", "target", "warnings"),
    [
        (SIMPLIFIED, "zh", (Caution.UNTRANSLATED,)),
        (TRADITIONAL, "zh-Hant", (Caution.UNTRANSLATED,)),
        ("```\n国()\n```", "zh-Hant", (Caution.UNTRANSLATED, Caution.VARIETY)),
    ],
)
def test_what_needs_no_other_characters_comes_back(
    text: str, target: str, warnings: tuple[Caution, ...]
) -> None:
    result = _translator("", "zh").translate(text, target, "zh")[0]
    assert (result.text, result.warnings) == (text, warnings)


def test_a_beginning_does_not_rewrite_what_is_not_translated() -> None:
    result = _translator("", "zh").translate(SIMPLIFIED, "zh", "zh", prefix="這")[0]
    assert (result.text, result.warnings) == (SIMPLIFIED, (Caution.UNTRANSLATED,))


def test_texts_of_one_call_share_its_time() -> None:
    results = _translator("", "zh").translate([SIMPLIFIED, SIMPLIFIED * 9], "zh-Hant", "zh")
    assert results[0].milliseconds == results[1].milliseconds > 0


def test_rewriting_can_be_cancelled() -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        _translator("", "zh").translate(SIMPLIFIED, "zh-Hant", "zh", cancel=cancel)


@given(st.text("国國头頭a /[](`)。<>", max_size=30))
def test_rewriting_changes_characters_only(text: str) -> None:
    made = rewritten(text, "zh", "zh-Hant")
    assert len(made) == len(text)
    assert all(new in {old, "國", "頭"} for old, new in zip(text, made, strict=True))
    assert rewritten(made, "zh", "zh-Hant") == made


def test_traditional_chinese_is_read_as_simplified() -> None:
    decoder = FakeDecoder()
    translator = _chinese(decoder, "en", "zh")
    for text in (TRADITIONAL, SIMPLIFIED):
        assert translator.translate(text, "en", "zh")[0].source_text == text
    assert decoder.batches == [[SIMPLIFIED]], "and remembered as that"


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


@pytest.mark.parametrize(
    ("target", "prefix", "text"),
    [
        ("zh-Hant", "這是", TRADITIONAL),
        ("zh", "這是", TRADITIONAL),
        ("zh", "这是", SIMPLIFIED),
        ("zh-Hant", "这是", "这是我們的國家。"),
    ],
)
def test_a_beginning_is_kept_and_says_how_to_go_on(target: str, prefix: str, text: str) -> None:
    translator = _chinese(FakeDecoder(render=lambda *_: SIMPLIFIED), "en", "zh")
    assert translator.translate("Hello.", target, "en", prefix=prefix)[0].text == text


def test_characters_behind_a_beginning_are_decided_with_it() -> None:
    translator = _chinese(FakeDecoder(render=lambda *_: "他的头发很长。"), "en", "zh")
    result = translator.translate("Hello.", "zh-Hant", "en", prefix="他的頭")[0]
    assert result.text == "他的頭髮很長。"


def test_drafts_are_written_as_asked() -> None:
    decoder = FakeDecoder(render=lambda *_: "我们的国家很大很大很大")
    told: list[str] = []
    _chinese(decoder, "en", "zh").translate("One. Two.", "zh-Hant", "en", draft=told.append)
    assert not any(text for text in told if "国" in text or "们" in text)


def test_through_english_it_is_the_last_language_that_is_written() -> None:
    decoder = FakeDecoder(render=lambda text, target, _: SIMPLIFIED if target == "zh" else text)
    pairs = frozenset({("de", "en"), ("en", "zh")})
    decoder.pack = FakePack(languages=("en", "de", "zh"), directions=pairs)
    translator = Translator(decoder=decoder, detector=FakeDetector())
    result = translator.translate("Hallo.", "zh-Hant", "de")[0]
    assert (result.text, result.route) == (TRADITIONAL, ("de", "en", "zh"))


@pytest.mark.parametrize("term", ["国家", "國家"])
def test_terms_are_found_and_written_in_either_standard(term: str) -> None:
    decoder = FakeDecoder(render=lambda text, target, _: SIMPLIFIED if target == "zh" else "STATE.")
    translator = _chinese(decoder, "en", "zh")
    into = Glossary([Term("country", term)])
    result = translator.translate("Our country.", "zh-Hant", "en", glossary=into)[0]
    assert (result.text, result.missing_terms) == (TRADITIONAL, ())
    outof = Glossary([Term(term, "state")])
    told = translator.translate(TRADITIONAL, "en", "zh", glossary=outof)[0]
    assert (told.text, told.missing_terms) == ("STATE.", ())


def test_links_are_between_the_characters_that_people_see() -> None:
    words = Alignment(("看", "书"), ("看", "着", "国"), (((1, 2), (2, 3)),))
    rendering = Rendering("看着国", -1.0, 3, alignment=words)
    asked = Sentence("看書", "zh", "zh", variety="zh-Hant")
    [found] = ScriptTranslator(cast(PhraseTranslator, _Fixed(rendering))).translate([asked])
    assert (found.text, found.alignment.target) == ("看著國", ("看", "著", "國"))


class _Fixed:
    """Translates everything alike."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def translate(self, sentences: Sequence[Sentence], *_: object, **__: object) -> list[Rendering]:
        return [self._rendering for _ in sentences]


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
    result = _translator("", "zh").translate(SIMPLIFIED, "zh", "zh")[0]
    assert (result.text, result.variety) == (SIMPLIFIED, "zh-Hans")
    result = _translator("", "zh").translate(SIMPLIFIED, "zh-Hant", "zh")[0]
    assert (result.text, result.variety) == (TRADITIONAL, "zh-Hant")
    result = _translator("", "pt").translate("O comboio e o autocarro.", "pt-BR", "pt")[0]
    assert result.variety == "pt-PT"
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
