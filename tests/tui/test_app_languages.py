"""Names of languages in the app: found by whatever people call them, and what a text really is."""

from __future__ import annotations

import pytest
from driven_app import running
from fake_engine import FakeEngine
from textual.widgets import Input, OptionList

from mltranslate.languages import describe
from mltranslate.types import Caution, Translation
from mltranslate_tui import wording
from mltranslate_tui.choices import matching
from mltranslate_tui.screens.picker import LanguagePicker

OFFERED = ["en", "de", "sv", "pt-BR", "pt-PT", "zh", "zh-Hant", "nb", "ns"]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("swe", "sv"),
        ("svenska", "sv"),
        ("SV", "sv"),
        ("deu", "de"),
        ("brazil", "pt-BR"),
        ("pt_pt", "pt-PT"),
        ("traditional", "zh-Hant"),
        ("繁體", "zh-Hant"),
        ("zh_TW", "zh-Hant"),
        ("bokmal", "nb"),
        ("sepedi", "ns"),
    ],
)
def test_a_language_is_found_by_name_endonym_and_code(query: str, first: str) -> None:
    found = matching(query, [describe(code) for code in OFFERED])
    assert [language.code for language in found][:1] == [first]


def _translation(variety: str | None) -> Translation:
    return Translation(
        source_text="Hello.", text="你好。", source="en", target="zh", detected=None,
        device="cpu", provider="CPUExecutionProvider", precision="int8", pack="small 1.0.0",
        route=("en", "zh"), milliseconds=1.0, score=-0.5, variety=variety,
    )  # fmt: skip


def test_the_status_says_which_variety_a_text_is_in() -> None:
    assert wording.route(_translation("zh-Hans")) == "English → Simplified Chinese"
    assert wording.route(_translation(None)) == "English → Chinese"


async def test_the_variety_of_the_option_is_asked_for_and_missed_in_words() -> None:
    engine = FakeEngine()
    engine.warnings = (Caution.VARIETY,)
    async with running(engine, target="zh_TW") as app:
        assert app.label("#target-language") == "Traditional Chinese ▾"
        await app.type("guten")
        await app.translated("[zh-Hant] guten")
        said = "Not surely Traditional Chinese: no pack promises it"
        assert app.label("#notice") == said


async def test_a_variety_can_be_picked_and_left_again() -> None:
    async with running() as app:
        await app.type("guten")
        await app.translated("[en] guten")
        for typed, label, asked in (
            ("zh-Hant", "Traditional Chinese ▾", "zh-Hant"),
            ("zh", "Chinese ▾", "zh"),
        ):
            await app.pilot.press("f3")
            await app.until(lambda: isinstance(app.app.screen, LanguagePicker))
            search = app.app.screen.query_one(Input)
            search.value = typed
            await app.pilot.pause()
            await app.pilot.press("enter")
            await app.translated(f"[{asked}] guten")
            assert app.main_label("#target-language") == label


async def test_a_chosen_variety_has_a_row_and_sources_have_no_varieties() -> None:
    async with running(target="zh-Hant") as app:
        await app.pilot.press("f3")
        await app.until(lambda: isinstance(app.app.screen, LanguagePicker))
        rows = app.app.screen.query_one(OptionList)
        assert rows.highlighted is not None
        assert rows.get_option_at_index(rows.highlighted).id == "zh-Hant"
        await app.pilot.press("escape")
        await app.until(lambda: app.app.screen is app.main)
        await app.pilot.press("f2")
        await app.until(lambda: isinstance(app.app.screen, LanguagePicker))
        app.app.screen.query_one(Input).value = "zh-Hant"
        rows = app.app.screen.query_one(OptionList)
        await app.until(lambda: rows.option_count == 1)
        assert rows.get_option_at_index(0).id == "zh"
