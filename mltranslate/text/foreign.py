"""Words that a model cannot spell: Korean in English, "Łódź", "H₂O", "20 km²".

A character without a subword goes through a model byte by byte, and seldom comes out whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

Knows = Callable[[str], bool]
"""Whether a model knows a character well enough to write it."""

_RAISED = "\u00b2\u00b3\u00b9\u2070\u2074-\u207f"
_LOWERED = "\u2080-\u208e"
_INDEX = re.compile(f"[{_RAISED}{_LOWERED}]")
_NOTE = re.compile(rf"(?P<word>[^\W\d_{_RAISED}{_LOWERED}]{{4,}}+)?(?P<number>[{_RAISED}]++)")
"""A raised number that is no part of a unit or formula: it belongs to a footnote."""
_UNSPACED = re.compile(
    "[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U000323af]"
)
"""Han, which has other spellings, and its marks: between them a word has no spaces around it."""
_KANA = re.compile("[\u3040-\u30ff]")


def knows_all(_: str) -> bool:
    """Return True: nothing is known of the model."""
    return True


def is_index(char: str) -> bool:
    """Return True for raised and lowered digits: even those with a subword are too rare to know."""
    return bool(_INDEX.match(char))


def foreign_words(text: str, knows: Knows) -> Iterator[tuple[int, int, bool]]:
    """Yield where words stand that have a letter, digit or symbol that `knows` denies, in order.

    What only spaces part is one. The third value is False for the number of a footnote. Time is
    linear in the length of the text.
    """
    if text.isascii() or not _has_strange("".join(set(text)), knows):
        return
    start = end = 0
    for first, last in _words(text, knows):
        note = _note(text, first, last, knows)
        if note is None and not _has_strange(text[first:last], knows):
            continue
        if note is None and start < end and not text[end:first].strip(" "):
            end = last
            continue
        if start < end:
            yield start, end, True
        start, end = (first, last) if note is None else (last, last)
        if note is not None:
            yield note, last, False
    if start < end:
        yield start, end, True


def _note(text: str, start: int, end: int, knows: Knows) -> int | None:
    """Where the number of a footnote begins in a word that is known otherwise; None without one."""
    match = _NOTE.fullmatch(text, start, end)
    if match is None or _has_strange(match["word"] or "", knows):
        return None
    return match.start("number")


def _has_strange(text: str, knows: Knows) -> bool:
    return any(_is_strange(char, knows) for char in text)


def _is_strange(char: str, knows: Knows) -> bool:
    """Whether a character says something and is unknown; a capital is known by its small letter."""
    if char.isascii() or unicodedata.category(char)[0] not in "LNS" or _UNSPACED.match(char):
        return False
    return not (knows(char) or knows(char.lower()))


def _words(text: str, knows: Knows) -> Iterator[tuple[int, int]]:
    """Runs of letters, digits and symbols, and of the marks within a number."""
    start = 0
    for at in range(len(text)):
        if not _is_inside(text, at, knows):
            if start < at:
                yield start, at
            start = at + 1
    if start < len(text):
        yield start, len(text)


def _is_inside(text: str, at: int, knows: Knows) -> bool:
    char = text[at]
    if char in ".,":
        return text[at - 1 : at].isdecimal() and text[at + 1 : at + 2].isdecimal()
    if char.isspace() or _UNSPACED.match(char) or (_KANA.match(char) and knows(char)):
        return False
    return unicodedata.category(char)[0] != "P"
