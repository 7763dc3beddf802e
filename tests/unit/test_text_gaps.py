import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.gaps import mixed_words, with_gaps


@pytest.mark.parametrize(
    ("text", "set_apart"),
    [
        ("我用Python写了3个程序。", "我用 Python 写了 3 个程序。"),
        ("使用 Linux的人", "使用 Linux 的人"),
        ("2026年11月22日", "2026 年 11 月 22 日"),
        ("增长5%的价格", "增长 5% 的价格"),
        ("花了$5买", "花了 $5 买"),
        ("3月-5月", "3 月-5 月"),
        ("东风-41导弹", "东风-41 导弹"),
        ("NVIDIA股价和GPU盘", "NVIDIA 股价和 GPU 盘"),
        ("20 km²大，CO₂级，50€的", "20 km² 大，CO₂ 级，50€ 的"),
        ("Phở很好，한국어好", "Phở 很好，한국어 好"),
        ("C++语言和C#语言", "C++ 语言和 C# 语言"),
        ("在Łódź住", "在 Łódź 住"),
        ("读Война и мир吧", "读 Война и мир 吧"),
        ("訪問https://a.example/b後", "訪問 https://a.example/b 後"),
    ],
)
def test_words_and_numbers_are_set_apart(text: str, set_apart: str) -> None:
    assert with_gaps(text, "zh") == set_apart
    assert with_gaps(text, "zh-Hant") == set_apart
    assert with_gaps(text, "ja") == text


@pytest.mark.parametrize(
    "text",
    [
        "", "你好。", "hello 3", "（3）", "“IBM”说", "3、4", "全角３个", "卡拉OK", "T恤去",
        "打开`代码a`", "https://zh.example.org/wiki/中国a", "打开<a href=中b>",
        "https://例子.com/测试abc/文件",
    ],
)  # fmt: skip
def test_marks_links_code_and_words_of_both_scripts_have_no_gaps(text: str) -> None:
    assert with_gaps(text, "zh") == text


def test_what_was_given_stays_as_it_is_written() -> None:
    assert with_gaps("我有3个和4个", "zh", begun=4) == "我有3个和 4 个"
    assert with_gaps("我有3个", "zh", begun=3) == "我有3 个"
    assert with_gaps("用Python语言写3次", "zh", kept=["Python语言"]) == "用 Python语言写 3 次"


def test_words_of_both_scripts_are_found_in_a_text() -> None:
    assert mixed_words("See #标签abc标, 报告2024年.pdf. Or (中a)! 中文 abc") == [
        "#标签abc标", "报告2024年.pdf", "中a",
    ]  # fmt: skip


@given(st.lists(st.sampled_from([*"中文字a3%$+ 。`<>/:#@股A", "https://"]), max_size=20))
def test_nothing_but_gaps_is_added_and_none_twice(parts: list[str]) -> None:
    text = "".join(parts)
    made = with_gaps(text, "zh")
    assert made.replace(" ", "") == text.replace(" ", "")
    assert with_gaps(made, "zh") == made
