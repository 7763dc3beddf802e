"""Text as people really type it: disturbed copies of a test set, and how to score them fairly.

Every disturbance is drawn by a generator of its own for each line, seeded by the kind, the line's
number and its text: the same line is always disturbed alike, whatever else is in the set.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mltranslate.languages import is_spaced

SEED = 1
STOPS = ".!?…。！？"
_EMOJI = "😀😂😍🤔👍🙏🎉🔥❤✨"
_SYMBOLS = "#@%&*=+~^|<>{}[]\\_$§°�ÃÂ¤"
_SHORTEST_NOISE, _LONGEST_NOISE = 3, 8
_LETTERS_A_TYPO = 30
_SHORTEST_WORD = 4


@dataclass(frozen=True, slots=True)
class Disturbed:
    """The lines that a disturbance changed; all others are left out."""

    rows: tuple[int, ...]
    """Their numbers in the set."""
    sources: tuple[str, ...]
    inserted: tuple[str, ...]
    """What was put into each line and should come through unchanged; "" if nothing."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One disturbance."""

    change: Callable[[str, str, random.Random], tuple[str, str]]
    """From a text, its language and a generator to the disturbed text and what was inserted."""
    ignore_case: bool = False
    """Score in lower case, as the disturbance says nothing about the case that is wanted."""
    ignore_stop: bool = False
    """Score without final stops."""


def disturb(name: str, sources: Sequence[str], language: str) -> Disturbed:
    """Disturb the lines of a set by the kind of that name in `KINDS`."""
    rows, texts, inserted = [], [], []
    for row, text in enumerate(sources):
        changed, extra = KINDS[name].change(text, language, _generator(name, row, text))
        if changed != text:
            rows.append(row)
            texts.append(changed)
            inserted.append(extra)
    return Disturbed(tuple(rows), tuple(texts), tuple(inserted))


def single_words(sources: Sequence[str], language: str) -> list[str]:
    """One word of four letters or more out of each line, each word once.

    A language without spaces gives none, as cutting it into words is a task of its own.
    """
    if not is_spaced(language):
        return []
    found: dict[str, None] = {}
    for row, text in enumerate(sources):
        words = [word for word in (part.strip(STOPS + ",;:\"'()") for part in text.split())
                 if len(word) >= _SHORTEST_WORD and word.isalpha()]  # fmt: skip
        if words:
            found[_generator("word", row, text).choice(words)] = None
    return list(found)


def without(text: str, inserted: str) -> str:
    """The text without the first occurrence of what was inserted, and one space where it stood."""
    if not inserted or inserted not in text:
        return text
    left, _, right = text.partition(inserted)
    return f"{left.rstrip()} {right.lstrip()}".strip()


def without_stop(text: str) -> str:
    """The text without its final stops."""
    return text.rstrip().rstrip(STOPS).rstrip()


def _generator(kind: str, row: int, text: str) -> random.Random:
    return random.Random(f"{SEED}:{kind}:{row}:{text}")  # noqa: S311 - not for secrets


def _upper(text: str, _language: str, _rng: random.Random) -> tuple[str, str]:
    return text.upper(), ""


def _lower(text: str, _language: str, _rng: random.Random) -> tuple[str, str]:
    return text.lower(), ""


def _typos(text: str, _language: str, rng: random.Random) -> tuple[str, str]:
    """Swap, drop or double letters inside words: one for each thirty letters, one at least."""
    inner = [
        place for place in range(1, len(text) - 1)
        if text[place - 1].isalpha() and text[place].isalpha() and text[place + 1].isalpha()
    ]  # fmt: skip
    count = max(1, sum(map(str.isalpha, text)) // _LETTERS_A_TYPO)
    for place in sorted(rng.sample(inner, min(count, len(inner))), reverse=True):
        one, two = text[place], text[place + 1]
        fresh = rng.choice((two + one, two, one + one + two))
        text = text[:place] + fresh + text[place + 2 :]
    return text, ""


def _emoji(text: str, language: str, rng: random.Random) -> tuple[str, str]:
    return _insert(text, rng.choice(_EMOJI), language, rng)


def _noise(text: str, language: str, rng: random.Random) -> tuple[str, str]:
    size = rng.randint(_SHORTEST_NOISE, _LONGEST_NOISE)
    return _insert(text, "".join(rng.choices(_SYMBOLS, k=size)), language, rng)


def _insert(text: str, extra: str, language: str, rng: random.Random) -> tuple[str, str]:
    """Put `extra` between two words, or anywhere where the language sets no spaces."""
    if is_spaced(language):
        words = text.split(" ")
        words.insert(rng.randint(0, len(words)), extra)
        return " ".join(words), extra
    place = rng.randint(0, len(text))
    return text[:place] + extra + text[place:], extra


def _no_stop(text: str, _language: str, _rng: random.Random) -> tuple[str, str]:
    bare = without_stop(text)
    return (bare, "") if bare else (text, "")


KINDS: dict[str, Kind] = {
    "caps": Kind(_upper, ignore_case=True),
    "lower": Kind(_lower, ignore_case=True),
    "typos": Kind(_typos),
    "emoji": Kind(_emoji),
    "noise": Kind(_noise),
    "no stop": Kind(_no_stop, ignore_stop=True),
}
"""Every disturbance by its name in tables."""
