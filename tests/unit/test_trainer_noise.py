import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate_train.config import NoiseConfig
from mltranslate_train.data.noise import noisy_copies, typo_copies

EVERY = NoiseConfig(upper=1, title=1, lower=1, no_final_stop=1, tags=1, lines=1, typos=1)
SEEDS = st.integers(0, 10**6)


def copies(first: str, second: str, seed: int = 0, **shares: float) -> list[tuple[str, str]]:
    return noisy_copies(first, second, NoiseConfig(**shares), random.Random(seed))


def mistyped(text: str, seed: int) -> str:
    found = typo_copies(text, "x", NoiseConfig(typos=1), random.Random(seed))
    return next((first for first, _, way in found if way == "forward"), text)


@given(st.text(max_size=40), st.text(max_size=40), SEEDS)
def test_copies_are_repeatable_new_and_never_empty(first: str, second: str, seed: int) -> None:
    found = noisy_copies(first, second, EVERY, random.Random(seed))
    assert found == noisy_copies(first, second, EVERY, random.Random(seed))
    assert all(one and two and (one, two) != (first, second) for one, two in found)
    typos = typo_copies(first, second, EVERY, random.Random(seed))
    assert all((one, two) != (first, second) for one, two, _ in typos)
    assert copies(first, second, seed) == []


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
    found = typo_copies("Guten Morgen", "Good morning", EVERY, random.Random(1))
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
    kept = [noisy_copies("hello there.", "hallo du.", config, rng) for _ in range(2000)]
    assert 500 < sum(map(len, kept)) < 700
    typos = [typo_copies("hello there.", "hallo du.", config, rng) for _ in range(2000)]
    assert 300 < sum(map(len, typos)) < 500
