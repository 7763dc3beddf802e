"""Terms in a text: whole words, the longest first, none within another.

A word is a run of letters and digits. Chinese characters and kana bind to nothing, so that between
them a term may stand anywhere; other letters of languages without spaces do not bind either.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from mltranslate.languages import is_spaced
from mltranslate.text.edges import is_ideograph
from mltranslate.text.items import find_items

_SHOWN = ("sign", "mark")
"""Items that stand around words, and may stand within a term."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a term stands in a text."""

    start: int
    end: int
    term: str


class TermIndex:
    """Finds any of many terms in a text.

    A term without capitals is found in any case. One with capitals is found as it is written and,
    in a text in capitals, in any case.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        """Take terms as `flat` or `one_line` gives them."""
        self._terms: dict[str, list[str]] = {}
        for term in dict.fromkeys(terms):
            for form in dict.fromkeys((_folded(term), _folded(term.upper()))):
                self._terms.setdefault(form, []).append(term)
        self._lengths: dict[str, set[int]] = {}
        for form in filter(None, self._terms):
            self._lengths.setdefault(form[0], set()).add(len(form))

    def find(self, text: str, language: str, *, shouted: bool = False) -> list[Found]:
        """Return what stands in `text`, by place; in overlaps the longer one, or else the first.

        `shouted` says that the text is in capitals, or was.
        """
        folded = _folded(text)
        spaced = is_spaced(language)
        every = [
            Found(start, start + length, term)
            for start, char in enumerate(folded)
            for length in self._lengths.get(char, ())
            if start + length <= len(text)
            for term in self._meant(folded, text, start, start + length, shouted)[:1]
            if is_edge(text, start, spaced=spaced) and is_edge(text, start + length, spaced=spaced)
        ]
        return _apart(every)

    def said(self, text: str, language: str, *, shouted: bool = False) -> set[str]:
        """Return every term that stands in `text`, also those that differ in case in one place."""
        folded = _folded(text)
        return {
            term
            for one in self.find(text, language, shouted=shouted)
            for term in self._meant(folded, text, one.start, one.end, shouted)
        }

    def _meant(self, folded: str, text: str, start: int, end: int, shouted: bool) -> list[str]:
        """The terms that a part of a text may stand for: the one as written before others."""
        terms = self._terms.get(folded[start:end], ())
        if not terms:
            return []
        written = text[start:end]
        fit = (one for one in terms if one == written or shouted or is_caseless(one))
        return sorted(fit, key=lambda one: one != written)


def one_line(text: str) -> str:
    """Return `text` in NFC, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def flat(text: str, *, with_names: bool = True) -> str:
    """Return `text` in NFC, on one line, without emoji, symbols and markup.

    Not `with_names`, links, code and placeholders are blank, too.
    """
    plain = unicodedata.normalize("NFC", text)
    parts, done = [], 0
    for item in find_items(plain):
        if item.lastgroup in _SHOWN or not with_names:
            parts += [plain[done : item.start()], " " if item.lastgroup != "mark" else ""]
            done = item.end()
    return one_line("".join([*parts, plain[done:]]))


def is_caseless(term: str) -> bool:
    """Return True for a term without capitals, which stands for any case."""
    return term == term.lower()


def is_edge(text: str, place: int, *, spaced: bool) -> bool:
    """Return True where a word may end or begin in `text`."""
    if not 0 < place < len(text):
        return True
    left, right = text[place - 1], text[place]
    if unicodedata.combining(right):
        return False
    return not (_binds(left, spaced=spaced) and _binds(right, spaced=spaced))


def is_word(char: str) -> bool:
    """Return True for letters, digits, and signs that belong to the letter before."""
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def _binds(char: str, *, spaced: bool) -> bool:
    return is_word(char) and not is_ideograph(char) and (spaced or char.isascii())


def _folded(text: str) -> str:
    """The text in small letters, each character in its place."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(one if len(one) == 1 else char for char in text for one in (char.lower(),))


def _apart(every: Iterable[Found]) -> list[Found]:
    """The longest ones that do not overlap, by place."""
    taken: set[int] = set()
    kept: list[Found] = []
    for one in sorted(every, key=lambda one: (one.start - one.end, one.start)):
        if taken.isdisjoint(range(one.start, one.end)):
            taken.update(range(one.start, one.end))
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
