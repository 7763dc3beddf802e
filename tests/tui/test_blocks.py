"""Blocks of a long text, and their translations put together."""

from __future__ import annotations

import dataclasses

from fake_engine import FakeEngine
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.types import (
    Alternative,
    CancelToken,
    Caution,
    TokenScore,
    Translation,
    WordLink,
)
from mltranslate_tui.blocks import BLOCK_CHARACTERS, FIRST_CHARACTERS, around, blocks, merged


def translation(text: str, *, source: str = "de", **changes: object) -> Translation:
    made = FakeEngine().translate(
        text, source=source, target="en", cancel=CancelToken(), progress=lambda _: None
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


@given(st.lists(st.text(max_size=30).map(lambda line: line * 40)).map("\n".join))
def test_blocks_concatenate_to_the_text_and_end_with_lines(text: str) -> None:
    found = blocks(text)
    assert "".join(found) == text
    assert [line for block in found for line in block.splitlines()] == text.splitlines()


def test_short_text_is_one_block() -> None:
    assert blocks("one\ntwo") == ["one\ntwo"]
    assert blocks("") == [""]


def test_first_block_is_small_and_none_is_much_too_large() -> None:
    sizes = [len(block) for block in blocks("0123456789\n" * 3000)]
    assert FIRST_CHARACTERS <= sizes[0] < FIRST_CHARACTERS + 11
    assert max(sizes) < BLOCK_CHARACTERS + 11


def test_a_block_ends_in_no_code_and_begins_with_no_rule() -> None:
    line = "0123456789 " * 9 + "\n"
    head, code = "---\n" + "a: b\n" * 300 + "---\n", "```\n" + line * 90 + "```\n"
    text = head + line * 5 + code + "---\n" + line * 100 + code
    found = blocks(text)
    assert "".join(found) == text
    assert len(found) > 4
    assert found[0] == head
    assert all(block.count("```") % 2 == 0 for block in found)
    assert not any(block.startswith("---") for block in found[1:])


def test_merged_result_adds_up() -> None:
    one = translation("ein\n", milliseconds=10.0, score=-1.0, warnings=(Caution.LOOP,))
    two = translation("zwei", milliseconds=5.0, score=-1.0, warnings=(Caution.SPLIT,))
    whole = merged([one, two])
    assert whole.source_text == "ein\nzwei"
    assert whole.text == one.text + two.text
    assert whole.milliseconds == 15.0
    assert whole.score == -1.0
    assert whole.warnings == (Caution.LOOP, Caution.SPLIT)


def test_what_is_true_of_one_block_alone_is_left_out() -> None:
    details: dict[str, object] = {
        "token_scores": (TokenScore(token="one", log_probability=-1.0),),
        "alternatives": (Alternative(text="one", score=-1.0),),
    }
    one, two = translation("ein\n", **details), translation("zwei", **details)
    whole = merged([one, two])
    assert (whole.token_scores, whole.alternatives) == ((), ())
    assert merged([one]).token_scores == one.token_scores


def test_links_keep_their_words_in_the_whole() -> None:
    link = WordLink(source=(1, 4), target=(6, 9))
    one, two = translation(" ein\n"), translation("-zwei\n", alignment=(link,))
    three = translation(" neu", alignment=(link,))
    whole = merged([one, two, three])
    words = [
        (whole.source_text[slice(*link.source)], whole.text[slice(*link.target)])
        for link in whole.alignment
    ]
    assert words == [("zwe", "zwe"), ("neu", "neu")]


@given(st.lists(st.text(max_size=30).map(lambda line: line * 40)).map("\n".join), st.data())
def test_every_character_is_in_the_block_around_it(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    found = around(text, at)
    assert at in found
    assert text[found.start : found.stop] in blocks(text)


def test_the_whole_is_rewritten_where_no_part_was_translated() -> None:
    same = dataclasses.replace(
        translation("你好。", score=None), route=(), warnings=(Caution.UNTRANSLATED,)
    )
    other = dataclasses.replace(same, text="這是", variety="zh-Hant", warnings=(Caution.REWRITTEN,))
    assert merged([same, other]).warnings == (Caution.REWRITTEN,)
    assert merged([same, other]).variety == "zh-Hant"
    assert merged([other, translation("zwei")]).warnings == ()
    assert merged([other, translation("zwei")]).route == ("de", "en")


def test_part_without_words_does_not_make_the_whole_untranslated() -> None:
    numbers = translation("123\n", source="en", score=None)
    assert numbers.warnings == (Caution.UNTRANSLATED,)
    words = translation("zwei")
    assert merged([numbers, words]).warnings == ()
    assert merged([numbers, words]).route == ("de", "en")
    assert merged([numbers, numbers]).warnings == (Caution.UNTRANSLATED,)
    assert merged([numbers, numbers]).score is None
