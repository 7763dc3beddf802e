"""What is taken out of a text to be put back into its translation, and which of it is in pairs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mltranslate.text.edges import BLANK
from mltranslate.text.items import NOTE

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*+)[^<>]*?(/?)>")
_EMPHASIS = frozenset("*_~")
_TARGET = (
    r"\]\([^\s()]*(?:\([^\s()]*\)[^\s()]*)*(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?\)"
    r"|\]\[[^\[\]\n]*\]"
)
_PAIRED = rf"\*+|_+|~+|!?\[|{_TARGET}|</?[A-Za-z][^<>]*>"
_PARTS = re.compile(rf"(?:{NOTE})+|{_PAIRED}|\s+|[^\s*_~\[\]<!]+|[^\s]")
_NOTE = re.compile(NOTE)
_OF_A_PAIR = re.compile(_PAIRED)
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
})  # fmt: skip
"""Elements of HTML that have nothing in them, and no closing tag."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something taken out of a text."""

    text: str
    offset: int
    """Where it stood in the text without it."""
    glued_left: bool
    """True when it touched the word or punctuation before."""
    glued_right: bool
    within_word: bool = False
    """True when there were letters at both sides of it."""
    gap: str | None = None
    """The spaces between it and the mark before it, where both were found as one."""


def is_emphasis(mark: str) -> bool:
    """True for what Markdown emphasises with."""
    return set(mark) <= _EMPHASIS


def is_note(mark: str) -> bool:
    """True for the numbers or names of notes, which belong to what is before them."""
    return _NOTE.match(mark) is not None


def is_link(mark: str) -> bool:
    """True for what begins a link or a picture of Markdown."""
    return mark in ("[", "![")


def singles(mark: Mark, source: str) -> list[Mark]:
    """The marks that were found as one, each by itself; `source` is the text without marks."""
    parts = _PARTS.findall(mark.text)
    blanks = [number for number, part in enumerate(parts) if part.isspace()]
    if len(parts) == 1 or not any(map(_OF_A_PAIR.fullmatch, parts)):
        return [mark]
    first, last = (blanks[0], blanks[-1]) if blanks else (len(parts), -1)
    behind = mark.offset + (source[mark.offset : mark.offset + 1] in BLANK)
    return [
        Mark(
            part,
            mark.offset if number < first else behind,
            mark.glued_left and number < first,
            mark.glued_right and number > last,
            mark.within_word and not blanks,
            gap=_gap(parts, number),
        )
        for number, part in enumerate(parts)
        if not part.isspace()
    ]


def _gap(parts: Sequence[str], number: int) -> str | None:
    if not number:
        return None
    return parts[number - 1] if parts[number - 1].isspace() else ""


def pairs_of(marks: Sequence[Mark]) -> list[tuple[int, int]]:
    """Which of `marks`, in their order, open and close together; those within others come first.

    What nothing closes is no pair: HTML leaves out some closing tags.
    """
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for number, mark in enumerate(marks):
        partner = next((one for one in reversed(opened) if _closes(mark, marks[one].text)), None)
        if partner is not None:
            found.append((partner, number))
            opened = opened[: opened.index(partner)]
        elif _opens(mark.text):
            opened.append(number)
    return found


def _opens(mark: str) -> bool:
    tag = _TAG.fullmatch(mark)
    begins = bool(tag and not (tag[1] or tag[3]) and tag[2].lower() not in _VOID)
    return begins or is_emphasis(mark) or is_link(mark)


def _closes(mark: Mark, opening: str) -> bool:
    if is_emphasis(mark.text):
        return mark.glued_left and mark.text == opening[::-1]
    if is_link(opening):
        return mark.text.startswith(("](", "]["))
    tag, other = _TAG.fullmatch(mark.text), _TAG.fullmatch(opening)
    return bool(tag and other and tag[1] and tag[2].lower() == other[2].lower())
