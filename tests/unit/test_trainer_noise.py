import dataclasses
import random
import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate_train.config import NoiseConfig
from mltranslate_train.data.noise import Copy, noisy_copies

EVERY = NoiseConfig(**{item.name: 1.0 for item in dataclasses.fields(NoiseConfig)})
SEEDS = st.integers(0, 10**6)
BOTH = ("en", "de")


def of_ways(first: str, second: str, seed: int = 0, **shares: float) -> list[Copy]:
    return noisy_copies(first, second, BOTH, NoiseConfig(**shares), random.Random(seed))


def copies(first: str, second: str, seed: int = 0, **shares: float) -> list[tuple[str, str]]:
    return [(one, two) for one, two, _ in of_ways(first, second, seed, **shares)]


def mistyped(text: str, seed: int) -> str:
    found = of_ways(text, "x", seed, typos=1)
    return next((first for first, _, way in found if way == "forward"), text)


@given(st.text(max_size=40), st.text(max_size=40), SEEDS)
def test_copies_are_repeatable_new_and_never_empty(first: str, second: str, seed: int) -> None:
    found = noisy_copies(first, second, BOTH, EVERY, random.Random(seed))
    assert found == noisy_copies(first, second, BOTH, EVERY, random.Random(seed))
    assert all(one and two and (one, two) != (first, second) for one, two, _ in found)
    assert copies(first, second, seed) == []


@pytest.mark.parametrize("kind", ["upper", "title", "lower", "chat"])
def test_case_is_learnt_only_from_a_side_that_shows_it(kind: str) -> None:
    shares = {kind: 1.0}
    assert {way for *_, way in of_ways("How are you?", "Wie geht es?", 0, **shares)} == {"both"}
    assert {way for *_, way in of_ways("How are you?", "你好吗？", 0, **shares)} == {"forward"}
    assert {way for *_, way in of_ways("元気？", "Как дела?", 0, **shares)} == {"backward"}


def test_chat_is_lower_case_without_stops() -> None:
    assert of_ways("Hello!", "Hallo!", chat=1) == [("hello", "hallo", "both")]
    assert of_ways("Hello!", "你好！", chat=1) == [("hello", "你好", "forward")]
    assert of_ways("Hello", "Hallo.", chat=1) == [("hello", "hallo.", "both")]
    assert of_ways("好。", "好。", chat=1) == [("好", "好", "both")]


def test_accents_are_lost_in_latin_source_text_alone() -> None:
    found = of_ways("Müde, à Köln: ñandú", "Ёлка й が", accents=1)
    assert found == [("Mude, a Koln: nandu", "Ёлка й が", "forward")]
    assert of_ways("plain", "é", accents=1) == [("plain", "e", "backward")]


@given(st.text(max_size=40), SEEDS)
def test_accents_leave_the_rest_as_it_is(text: str, seed: int) -> None:
    found = copies(text, "x", seed, accents=1)
    without = found[0][0] if found else text
    assert len(without) == len(text)
    assert all(
        old == new or (unicodedata.normalize("NFD", old)[0] == new and new.isascii())
        for old, new in zip(text, without, strict=True)
    )


SENTENCES = [
    ("Hello, world!", "Hallo, Welt!"),
    ("I know: you left", "我知道：你走了"),
    ("Привет", "こんにちは。"),
    ("One. Two, three.", "Eins. Zwei, drei."),
]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(("first", "second"), SENTENCES)
def test_emoji_are_the_same_in_both_sides_and_nothing_else_changes(
    first: str, second: str, seed: int
) -> None:
    (found,) = copies(first, second, seed, emoji=1)
    parts = [inserted(old, new) for old, new in zip((first, second), found, strict=True)]
    assert parts[0].strip(" ") == parts[1].strip(" ") != ""


def inserted(before: str, after: str) -> str:
    """What was put into a text, with the spaces around it."""
    for place in range(len(before) + 1):
        rest = before[place:]
        if after.startswith(before[:place]) and after.endswith(rest):
            return after[place : len(after) - len(rest)]
    raise AssertionError(f"{before!r} is not in {after!r}")


def test_emoji_stand_at_an_end_or_behind_the_only_mark_of_both() -> None:
    found = [copies(*SENTENCES[1], seed, emoji=1)[0] for seed in range(100)]
    firsts, seconds = zip(*found, strict=True)
    assert any(re.fullmatch(r"I know: \S+ you left", text) for text in firsts)
    assert any(re.fullmatch(r"I know: you left \S+", text) for text in firsts)
    assert any(re.fullmatch(r"我知道：[^ 你]+你走了", text) for text in seconds)
    assert not any(" " in text for text in seconds)  # no space beside Han characters
    unclear = [("a, b. c", "a, b. c"), ("a, b", "a; b"), ("a, b c d e f g", "a b c d e f, g")]
    for first, second in unclear:
        for seed in range(30):
            ((one, _),) = copies(first, second, seed, emoji=1)
            assert one.startswith(first) or one.endswith(first)


@pytest.mark.parametrize("seed", range(200))
def test_what_passes_through_is_the_same_in_both_sides(seed: int) -> None:
    first, second = "Anton paid 250 here.", "安东 Anton 付了250块。"
    (found,) = copies(first, second, seed, pass_through=1)
    patterns = [
        r"(?P<x>\S+) paid 250 here\.|Anton paid (?P<y>\S+) here\."
        r"|(?P<z>\S+) Anton paid 250 here\.|Anton paid 250 here\. (?P<w>\S+)",
        r"安东 (?P<x>\S+) 付了250块。|安东 Anton 付了(?P<y>\S+)块。"
        r"|(?P<z>\S+) 安东 Anton 付了250块。|安东 Anton 付了250块。 (?P<w>\S+)",
    ]
    slots = [re.fullmatch(pattern, text) for pattern, text in zip(patterns, found, strict=True)]
    assert slots[0]
    assert slots[1]
    assert slots[0].groupdict() == slots[1].groupdict()


def test_every_kind_of_text_passes_through() -> None:
    found = " ".join(copies("a", "b", seed, pass_through=1)[0][0] for seed in range(300))
    for kind in (
        r"https://", r"\w@\w", r" @\w", r" #\w", r"\.pdf", r" v?\d+\.\d+\.\d+ ", r" [A-Z]+-\d+ ",
        r" \d{8,} ", r" @[a-z]\d ",
    ):  # fmt: skip
        assert re.search(kind, found), kind


def test_words_that_are_no_names_or_numbers_stay() -> None:
    for seed in range(50):
        ((one, two),) = copies("the radio", "die radio", seed, pass_through=1)
        assert "the radio" in one
        assert "die radio" in two


def test_title_case_keeps_apostrophes_and_acronyms() -> None:
    assert copies("don't ask NASA (please)", "frag nicht", title=1) == [
        ("Don't Ask NASA (Please)", "Frag Nicht")
    ]


WORDS = st.lists(
    st.sampled_from(
        ["Paris", "2024", "die", "haus", "Straße", "3.5", "我在", "Анна", "in", "हिन्दी"]
    ),
    max_size=8,
)


@given(WORDS, WORDS, SEEDS)
def test_tags_stand_around_one_word_that_both_sides_share(
    first: list[str], second: list[str], seed: int
) -> None:
    sides = " ".join(first), " ".join(second)
    for tagged in copies(*sides, seed, tags=1):
        found = [re.findall(r"<(\w+)>(.+?)</\1>", side) for side in tagged]
        assert found[0] == found[1]
        assert len(found[0]) == 1
        assert found[0][0][1] in ("Paris", "2024", "haus", "Straße", "3.5", "Анна")
        assert tuple(re.sub(r"</?\w+>", "", side) for side in tagged) == sides


def test_tags_find_numbers_and_names_within_other_scripts() -> None:
    ((first, second),) = copies("Bonn in 2024?", "2024年?", tags=1)
    assert re.fullmatch(r"Bonn in <(\w+)>2024</\1>\?", first)
    assert re.fullmatch(r"<(\w+)>2024</\1>年\?", second)
    assert copies("das war gut", "that war ended", tags=1) == []


@given(st.text(alphabet="abcdefgÄößшя ,.'1 ", max_size=60), SEEDS)
def test_typos_change_few_letters_and_nothing_else(text: str, seed: int) -> None:
    before, after = text.split(" "), mistyped(text, seed).split(" ")
    assert len(before) == len(after)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) <= 1 + len(before) // 8
    for old, new in changed:
        assert not set(old) & set("0123456789")
        assert abs(len(old) - len(new)) <= 1


def test_typos_are_of_all_kinds_and_leave_addresses_and_numbers() -> None:
    found = {mistyped("word", seed) for seed in range(300)}
    assert {"owrd", "ord", "wword", "eord", "wprd"} <= found
    assert "word" not in {mistyped("stronger", seed) for seed in range(50)}
    for text in ("https://x.org/abcd a1b2c3", "我在这里等你", "a, b. c"):
        assert mistyped(text, 1) == text


def test_typos_teach_only_the_direction_from_them() -> None:
    found = of_ways("Guten Morgen", "Good morning", 1, typos=1)
    assert [way for *_, way in found] == ["forward", "backward"]
    assert found[0][1] == "Good morning"
    assert found[1][0] == "Guten Morgen"
    assert found[0][0] != "Guten Morgen"
    assert found[1][1] != "Good morning"


@pytest.mark.parametrize("seed", range(50))
def test_symbol_lines_translate_to_themselves(seed: int) -> None:
    ((first, second),) = copies("a", "b", seed, lines=1)
    assert first == second == " ".join(first.split())
    assert 1 <= len(first.split(" ")) <= 8


def test_shares_are_kept() -> None:
    rng = random.Random(1)
    config = NoiseConfig(upper=0.3, typos=0.1)
    kept = [noisy_copies("hello there.", "hallo du.", BOTH, config, rng) for _ in range(2000)]
    ways = Counter(way for found in kept for *_, way in found)
    assert 500 < ways["both"] < 700
    assert 150 < ways["forward"] < 250
    assert 150 < ways["backward"] < 250
