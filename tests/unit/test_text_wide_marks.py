import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.wide_marks import with_wide_marks


@pytest.mark.parametrize("language", ["zh", "zh-Hant", "ja"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("（无 2024-117 ）在（ 3 ）", "（无 2024-117）在（3）"),
        ("转到(B-12) 。 好 ，", "转到(B-12)。好，"),
        ("递送： 3 至 5 日", "递送：3 至 5 日"),
        ("(Az 12 ） 書を（見る)", "（Az 12） 書を（見る）"),
        ("「 はい 」と", "「はい」と"),
        ("使う`a` 。", "使う`a`。"),
    ],
)
def test_no_space_is_beside_wide_marks_and_brackets_have_one_width(
    text: str, expected: str, language: str
) -> None:
    assert with_wide_marks(text, language) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "你好。", "(B-12) 好", "好！ 🎂", "何？ はい", "好。 🎂", "打开`（ a ）`",
        "見 https://a.example/(a）b", "（一）(two)",
    ],
)  # fmt: skip
def test_other_spaces_emoji_links_and_code_stay(text: str) -> None:
    assert with_wide_marks(text, "ja") == text


def test_other_languages_stay_and_so_does_what_was_given() -> None:
    assert with_wide_marks("so （ what ）", "de") == "so （ what ）"
    assert with_wide_marks("（ 一 ）（ 二 ）", "zh", begun=5) == "（ 一 ）（二）"


_TEXTS = st.lists(st.sampled_from([*"文a3 。：！（）()「`<>/", "https://"]), max_size=16)


@given(_TEXTS.map("".join))
def test_nothing_but_spaces_and_brackets_changes_and_twice_is_once(text: str) -> None:
    made = with_wide_marks(text, "zh")
    alike = str.maketrans("（）", "()", " ")
    assert made.translate(alike) == text.translate(alike)
    assert with_wide_marks(made, "zh") == made
