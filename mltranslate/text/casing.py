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
_DOTTED = frozenset({"tr", "az", "crh", "gag"})
"""Languages that write i with a dot in capitals too, and another letter without one: İ i, I ı."""
_TO_SMALL, _TO_CAPITALS = str.maketrans("İI", "iı"), str.maketrans("iı", "İI")


def is_shouted(text: str) -> bool:
    """Return True when `text` is words in capitals, more than an abbreviation or two.

    Small letters without a capital of their own (ß, ª) may be among them.
    """
    text = "".join(char for char in text if not char.islower() or len(_capital(char)) == 1)
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
    small = small_letters(text, language)
    return _PRONOUN.sub("I", small) if language == "en" else small


def small_letters(text: str, language: str) -> str:
    """Return `text` in small letters, all of it."""
    if _is_dotted(language):
        return text.translate(_TO_SMALL).lower()
    # Python writes the dot of İ behind the i, as a combining mark.
    return text.replace("İ", "I").lower()


def capitalised(text: str, language: str = "") -> str:
    """Return `text` with a capital where its first letter is, if nothing but marks is before."""
    first = next((at for at, char in enumerate(text) if char.isalnum() or char == "@"), len(text))
    letter = text[first : first + 1]
    letter = letter.translate(_TO_CAPITALS) if _is_dotted(language) else letter
    # Not every letter that has an upper case begins a word in it: Georgian ones do not.
    return text[:first] + letter.title() + text[first + 1 :]


def raised(text: str, kept: Sequence[str], language: str = "") -> str:
    """Return `text` in capitals, except for the words in `kept`."""
    if not kept:
        return _upper(text, language)
    longest_first = sorted(kept, key=len, reverse=True)
    parts = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)
    return "".join(part if at % 2 else _upper(part, language) for at, part in enumerate(parts))


def _capital(char: str) -> str:
    """The capital of a small letter; more or less than one character where it has none."""
    capital = char.upper()
    return "" if capital == char else capital


def _upper(text: str, language: str) -> str:
    return (text.translate(_TO_CAPITALS) if _is_dotted(language) else text).upper()


def _is_dotted(language: str) -> bool:
    return language.partition("-")[0] in _DOTTED
