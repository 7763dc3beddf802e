import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.chinese import as_read, as_written

PAIRS = [
    ("我想学习英语。", "我想學習英語。"),
    ("他的头发很长，他要发展。", "他的頭髮很長，他要發展。"),
    ("皇后在后面。", "皇后在後面。"),
    ("房间里面很干净。", "房間裡面很乾淨。"),
    ("他看着我，外面下着雨。", "他看著我，外面下著雨。"),
    ("软件 v2.0（测试版）", "軟件 v2.0（測試版）"),
]


@pytest.mark.parametrize(("simplified", "traditional"), PAIRS)
def test_each_standard_is_made_of_the_other(simplified: str, traditional: str) -> None:
    assert as_written(simplified, "zh-Hant") == traditional
    assert as_written(traditional, "zh-Hans") == simplified
    assert as_read(traditional, "zh") == simplified


@pytest.mark.parametrize("text", ["", "你好。", "我想学习英语。", "皇后著作", "名著", "鲁迅著土著"])
def test_simplified_chinese_is_read_as_it_is(text: str) -> None:
    assert as_read(text, "zh") == text


def test_other_languages_are_left_alone() -> None:
    assert as_read("東京で學ぶ", "ja") == "東京で學ぶ"
    assert as_read("我想學習英語。", "zh-Hant") == "我想學習英語。"
    assert as_written("我想学习英语。", "pt-BR") == "我想学习英语。"
    assert as_written("我想学习英语。", "") == "我想学习英语。"


@given(st.text(alphabet=st.characters(exclude_characters="\r"), max_size=40))
def test_nothing_but_han_characters_changes(text: str) -> None:
    """Lone surrogates, which OpenCC refuses, are never shown to it."""
    changed = as_written(f"国{text}\ud800 a1", "zh-Hant")
    assert changed.startswith("國")
    assert changed.endswith("\ud800 a1")
    assert _others(changed) == _others(f"{text}\ud800 a1")


def _others(text: str) -> str:
    return "".join(char for char in text if not "\u3400" <= char <= "\U0003ffff" or _is_kana(char))


def _is_kana(char: str) -> bool:
    return "\uff00" <= char <= "\uffff"
