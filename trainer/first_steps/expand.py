"""Sentence pairs from the patterns of phrases.toml, the same ones every time."""

from __future__ import annotations

import random
import string
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from first_steps.grammar import English, German, numbers, times

PHRASES = Path(__file__).with_name("phrases.toml")
PER_PATTERN = 40
"""Most sentences of one pattern."""
_TRIES = 400
"""Draws for a pattern; one of few combinations gives fewer sentences than `PER_PATTERN`."""

Entry = tuple[Any, Any]
"""What a slot is filled with, in English and German: text or a noun."""


def sentences() -> list[tuple[str, str]]:
    """Pairs of an English and a German sentence; none comes twice."""
    table = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    slots = _slots(table["nouns"], table["words"])
    found = [pair for pattern in table["patterns"].items() for pair in _expanded(pattern, slots)]
    return list(dict.fromkeys(found))


def _slots(
    nouns: dict[str, dict[str, str]], words: dict[str, dict[str, str]]
) -> dict[str, list[Entry]]:
    """What each kind of slot may be filled with."""
    found: dict[str, list[Entry]] = {
        kind: list(entries.items())
        for kind, entries in {**words, "number": numbers(), "clock": times()}.items()
    }
    for kind, entries in nouns.items():
        found[kind] = [_noun(english, text) for english, text in entries.items()]
    found["coloured"] = [
        _noun(f"{colour} {english}", text, farbe)
        for colour, farbe in words["colour"].items()
        for english, text in nouns["thing"].items()
    ]
    return found


def _noun(english: str, text: str, adjective: str = "") -> Entry:
    german, gender, english_plural, plural = text.split()
    return English(english, english_plural), German(german, gender, plural, adjective)


def _expanded(pattern: tuple[str, str], slots: dict[str, list[Entry]]) -> Iterator[tuple[str, str]]:
    """Different sentences of one pattern, which no other one decides."""
    rng = random.Random(pattern[0])  # noqa: S311 - no secret
    names = {name for _, name, _, _ in string.Formatter().parse(pattern[0]) if name}
    made: set[tuple[str, str]] = set()
    for _ in range(_TRIES if names else 1):
        if len(made) == PER_PATTERN:
            return
        filling = _drawn(sorted(names), slots, rng)
        pair = _sentence(pattern[0], filling, 0), _sentence(pattern[1], filling, 1)
        if pair not in made:
            made.add(pair)
            yield pair


def _drawn(
    names: Sequence[str], slots: dict[str, list[Entry]], rng: random.Random
) -> dict[str, Entry]:
    """An entry for each slot, different ones for {name} and {name2}."""
    filling: dict[str, Entry] = {}
    for name in names:
        kind = name.rstrip(string.digits)
        free = [entry for entry in slots[kind] if entry not in filling.values()]
        # Of all that Random draws, random() alone is the same in every version of Python.
        filling[name] = free[int(rng.random() * len(free))]
    return filling


def _sentence(pattern: str, filling: dict[str, Entry], side: int) -> str:
    text = pattern.format(**{name: entry[side] for name, entry in filling.items()})
    return text[0].upper() + text[1:]
