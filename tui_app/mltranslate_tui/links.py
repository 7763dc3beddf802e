"""Which words are shown together: a word at some place, and those that come from it or it from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mltranslate.types import Translation, WordLink

Range = tuple[int, int]
"""First character of a word in its text, and the one behind the last."""


class Found(NamedTuple):
    """A word, and those of the other text that belong to it, in the order of that text."""

    word: Range
    others: tuple[Range, ...]


def found(result: Translation, at: int, *, of_source: bool) -> Found | None:
    """Return the linked word at the character `at`, or the one that ends there.

    `at` is a place of the source, or of the translation, as `of_source` says.
    """
    text = result.source_text if of_source else result.text
    # Where another word begins, as in Chinese without a space, the cursor is on that one.
    behind = not text[at : at + 1].isalnum()
    sides = [_sides(link, of_source=of_source) for link in result.alignment]
    touched = [word for word, _ in sides if word[0] <= at < word[1] + behind]
    if not touched:
        return None
    word = max(touched)
    return Found(word, tuple(sorted(other for one, other in sides if one == word)))


def told(result: Translation, links: Found, *, of_source: bool) -> str:
    """Name a word and those that belong to it: "aufgegeben ↔ given up"."""
    texts = result.source_text, result.text
    here, there = texts if of_source else reversed(texts)
    return f"{here[slice(*links.word)]} ↔ {_joined(there, links.others)}"


def is_word(text: str, at: int) -> bool:
    """Whether there is a letter or a digit on either side of the place `at`."""
    return any(char.isalnum() for char in text[max(at - 1, 0) : at + 1])


def _sides(link: WordLink, *, of_source: bool) -> tuple[Range, Range]:
    return (link.source, link.target) if of_source else (link.target, link.source)


def _joined(text: str, words: Sequence[Range]) -> str:
    """Words as they stand in `text`, with an ellipsis for what is between those that are apart."""
    said, end = "", 0
    for word in words:
        between = text[end : word[0]] if said else ""
        said += (" … " if between.strip() else between) + text[slice(*word)]
        end = word[1]
    return said
