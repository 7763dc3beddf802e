"""Names of languages in the app: found by whatever people call them, and what a text really is."""

from __future__ import annotations

import pytest

from mltranslate.languages import describe
from mltranslate.types import Translation
from mltranslate_tui import wording
from mltranslate_tui.choices import matching

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
