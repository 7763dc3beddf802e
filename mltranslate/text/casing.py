"""Text in capitals, which a model hardly knows: in small letters to it, in capitals from it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_]+")
_SURE_LETTERS = {1: 7, 2: 5, 3: 5}
"""Letters that the longest of so many words has where they are no abbreviations, like NATO."""
_SURE_IN_TEXT = 4
"""The same for more words."""
_EXCLAIMED = 3
"""Letters fewer that it takes before an exclamation or question mark."""
_PRONOUN = re.compile(r"\bi\b")


def is_shouted(text: str) -> bool:
    """Return True when `text` is words in capitals, more than an abbreviation or two."""
    if not text.isupper():
        return False
    words = _WORD.findall(text)
    needed = _SURE_LETTERS.get(len(words), _SURE_IN_TEXT)
    if text.rstrip().endswith(("!", "?")):
        needed -= _EXCLAIMED
    if max(map(len, words), default=0) < needed:
        return False
    # Chinese words have no case, and a Latin name among them says nothing about theirs.
    return all(char.isupper() or not char.isalpha() for char in text)


def lowered(text: str, language: str) -> str:
    """Return shouted `text`, or a part of it, in small letters; the English "I" stays as it is."""
    small = text.lower()
    return _PRONOUN.sub("I", small) if language == "en" else small


def capitalised(text: str) -> str:
    """Return `text` with a capital where its first letter is, if nothing but marks is before."""
    first = next((at for at, char in enumerate(text) if char.isalnum() or char == "@"), len(text))
    return text[:first] + text[first : first + 1].upper() + text[first + 1 :]


def raised(text: str, kept: Sequence[str]) -> str:
    """Return `text` in capitals, except for the words in `kept`."""
    if not kept:
        return text.upper()
    longest_first = sorted(kept, key=len, reverse=True)
    parts = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)
    return "".join(part if at % 2 else part.upper() for at, part in enumerate(parts))
