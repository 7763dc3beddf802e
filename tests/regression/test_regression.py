"""The packs that ship, together, on inputs of all sorts: nothing falls below its floor."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache

import pytest
from regression_checks import CHECKS, EMPTY, HERE, Case, failures, read_cases, run
from regression_table import NINE, rates

from mltranslate import Translation, Translator
from mltranslate.packs.store import find_packs

FLOORS = tomllib.loads((HERE / "floors.toml").read_text(encoding="utf-8"))


@cache
def _found() -> tuple[tuple[Case, Translation, tuple[str, ...]], ...]:
    translator = Translator(device="cpu", threads=1, phrasebook=False)
    return tuple(run(translator, read_cases(translator.languages)))


def _told(by: str, name: str) -> str:
    """The failures behind a rate, for the message of a failing test."""
    keys = {
        "category": lambda case: case.category,
        "direction": lambda case: f"{case.source}-{case.target}",
    }
    return "\n".join(
        f"{case.name} {case.target}: {case.text!r} -> {result.text!r} {wrong}"
        for case, result, wrong in _found()
        if wrong and (name in wrong if by == "check" else keys[by](case) == name)
    )


def _names(by: str) -> list[str]:
    return sorted(rates(_found(), by))


@pytest.mark.parametrize("by", ["category", "direction", "check"])
def test_no_rate_is_below_its_floor(by: str) -> None:
    measured = rates(_found(), by)
    floors = FLOORS[by]
    low = {
        name: (round(passed.percent, 1), floor)
        for name, passed in measured.items()
        if passed.percent < (floor := floors.get(name, FLOORS["default"][by]))
    }
    assert not low, "\n".join([str(low), *(_told(by, name) for name in low)])


def test_floors_name_only_what_exists() -> None:
    cases = read_cases()
    assert set(FLOORS["category"]) == {case.category for case in cases}
    assert set(FLOORS["direction"]) <= {f"{case.source}-{case.target}" for case in cases}
    assert set(FLOORS["check"]) == {*CHECKS, "unchanged"}


def test_every_language_of_the_packs_is_tried_both_ways() -> None:
    tried = {(case.source, case.target) for case, _, _ in _found()}
    offered = set[tuple[str, str]]().union(*(pack.directions for pack in find_packs()))
    pairs = {pair for pair in offered if set(pair) <= set(NINE)}
    # Between two others than English each language is tried into one only.
    assert {pair for pair in pairs if "en" in pair} <= tried
    for side in (0, 1):
        assert {pair[side] for pair in pairs} <= {pair[side] for pair in tried}


def test_the_set_is_what_it_says() -> None:
    rows = {case.name: case for case in read_cases()}
    assert len(rows) == 300
    assert set(NINE) == {case.source for case in rows.values()}
    assert min(Counter(case.source for case in rows.values()).values()) >= 30
    assert len({case.text for case in rows.values()}) == 300
    assert all(case.text.count(item) for case in rows.values() for item in case.keep)
    assert len({case.name for case in read_cases() if case.words}) >= 36


def _translation(text: str) -> Translation:
    return Translation(
        source_text="", text=text, source="en", target="de", detected=None, device="cpu",
        provider="", precision="", pack="", route=(), milliseconds=0, score=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("output", "wrong"),
    [
        ("Anna hat 12 Katzen 😀.", ()),
        ("", ("not empty", "numbers", "length", "kept", "words")),
        ("Anna has 12 cats 😀.", ("no copy", "words")),
        ("Anna hat 21 Katzen 😀.", ("numbers",)),
        ("Anna hat 12 Katzen.", ("kept",)),
        ("Anna hat 12 Katzen 😀 😀.", ("kept",)),
        ("Anna hat 12 Hunde 😀.", ("words",)),
        ("安娜有 12 只猫 😀。", ("language", "words")),
        ("Anna a 12 chats dans sa grande maison 😀.", ("language", "words")),
        ("Anna 12 Katzen Katzen Katzen Katzen 😀.", ("no loop",)),
        ("Anna hat 12 Katzen 😀, " + "und noch eine ganze Menge andere Tiere " * 2, ("length",)),
    ],
)
def test_every_check_can_fail(output: str, wrong: tuple[str, ...]) -> None:
    case = Case("x", "x", "en", "de", "Anna has 12 cats 😀.", ("😀",), ("katze",))
    assert failures(case, _translation(output)) == wrong


def test_what_is_empty_must_not_change() -> None:
    case = Case("x", EMPTY, "en", "de", " ?! ", (), ())
    assert failures(case, _translation(" ?! ")) == ()
    assert failures(case, _translation("?!")) == ("unchanged",)
