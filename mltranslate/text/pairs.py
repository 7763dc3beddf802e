"""Marks that belong together (emphasis, tags, links), and what of a translation is between them.

That is told by which words come from which, as for the tags of other translators (Zenkel et al.
2021, "Automatic bilingual markup transfer"): the longest run of words of the translation that has
more words from between the two than from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mltranslate.alignment import Range

Link = tuple[Range, Range]
"""A word of a text and the word of its translation that comes from it, by their characters."""
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*+)[^<>]*?(/?)>")
_EMPHASIS = frozenset("*_~")
_ONE = re.compile(r"\*+|_+|~+|!?\[|\]\([^\n]*\)|</?[A-Za-z][^<>]*>")
"""A mark that may open or close; several of them, with spaces between, may be found as one."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What is between two marks."""

    start: int
    end: int
    whole: bool
    """True when all that comes from between the marks is there, and nothing else."""


def is_emphasis(mark: str) -> bool:
    """True for what Markdown emphasises with."""
    return set(mark) <= _EMPHASIS


def is_link(mark: str) -> bool:
    """True for what begins a link or a picture of Markdown."""
    return mark in ("[", "![")


def single(mark: str) -> list[str]:
    """The marks that `mark` is made of, and the spaces between; itself if it has others as well."""
    found = _ONE.findall(mark)
    rest = _ONE.split(mark)
    if any(part.strip() for part in rest) or len(found) < 2:
        return [mark]
    return [part for pair in zip(rest, [*found, ""], strict=True) for part in pair if part]


def pairs_of(marks: Sequence[str]) -> list[tuple[int, int]]:
    """Which of `marks`, in their order, open and close together; those within others come first."""
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for number, mark in enumerate(marks):
        if opened and _closes(mark, marks[opened[-1]]):
            found.append((opened.pop(), number))
        elif _opens(mark):
            opened.append(number)
    return found


def between(span: Range, links: Sequence[Link]) -> Inside | None:
    """What comes from the `span` of the source; None where nothing is known to."""
    known = sorted((there, span[0] <= here[0] and here[1] <= span[1]) for here, there in links)
    best, found = 0, (0, 0)
    total, start = 0, 0
    for number, (_, belongs) in enumerate(known):
        if total <= 0:
            total, start = 0, number
        total += 1 if belongs else -1
        if total > best:
            best, found = total, (start, number + 1)
    if not best:
        return None
    whole = best == found[1] - found[0] == sum(belongs for _, belongs in known)
    return Inside(known[found[0]][0][0], known[found[1] - 1][0][1], whole)


def _opens(mark: str) -> bool:
    tag = _TAG.fullmatch(mark)
    return is_emphasis(mark) or is_link(mark) or bool(tag and not (tag[1] or tag[3]))


def _closes(mark: str, opening: str) -> bool:
    if is_emphasis(mark):
        return mark == opening[::-1]
    if is_link(opening):
        return mark.startswith("](")
    tag, other = _TAG.fullmatch(mark), _TAG.fullmatch(opening)
    return bool(tag and other and tag[1] and tag[2].lower() == other[2].lower())
