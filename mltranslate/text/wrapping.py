"""Sentences that go on in the next line, in text that was broken into lines for its width.

The model reads such a sentence in one line. Its translation is broken where the source was, as far
as words allow: after the same share of its characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mltranslate.languages import is_spaced
from mltranslate.text.items import unbroken

LEAST = 40
"""Characters of a line that was broken for its width; shorter ones may be items of a list."""
LEAST_IN_CUE = 8
"""The same for the lines of a subtitle, which has room for two short ones."""

_BREAK = re.compile(r" ?\r?\n {0,3}")
_ENDS = re.compile(r"[^\W_][,;]? ?\r?\n\Z")
_APART = re.compile(r"\s*(?:#|>|\||\w+[:=])")
"""Headings, quotes, rows of tables, and keys with values."""
_GOES_ON = re.compile(r" {0,3}[^\W\d_]")
_ITEM = re.compile(r"\s*\w{1,3}[.)]\s|\s*o\s")
_TIMING = re.compile(r"\s*[\d:.,]+ --> ")
_WORD_BEGINS = re.compile(r"(?<=[ぁ-ゖ、。！？])(?=[^ぁ-ゖー])")
"""Where Japanese words begin, mostly: their ends are in hiragana."""
_CLOSING = "，。、；：！？）」』】》,.;:!?)]}”’"
_OPENING = "（「『【《([{“‘"


def wrapped_lines(text: str) -> Iterator[str]:
    """Yield the lines of `text`, each with those in which its last sentence goes on.

    They concatenate to `text`. A line goes on if it is long, ends with a word or a comma, and the
    next one begins with a small letter.
    """
    held: list[str] = []
    least = LEAST
    for line in text.splitlines(keepends=True):
        if held and not _continues(held[-1], line, least):
            yield "".join(held)
            held = []
        held.append(line)
        if _TIMING.match(line):
            least = LEAST_IN_CUE
        elif line.isspace():
            least = LEAST
    if held:
        yield "".join(held)


def unwrapped(text: str) -> str:
    """Return a sentence in one line."""
    return _BREAK.sub(" ", text)


def rewrapped(text: str, source: str, language: str) -> str:
    """Return `text`, the translation of `source` into `language`, with the line breaks of it.

    No word, link or code is broken; what has too few places for them has fewer lines.
    """
    breaks = list(_BREAK.finditer(source))
    if not breaks or "\n" in text:
        return text
    places = list(_places(text, language))
    parts: list[str] = []
    done = 0
    for found in breaks:
        wanted = found.start() / len(source) * len(text)
        later = [place for place in places if place[0] > done]
        if not later:
            break
        start, end = min(later, key=lambda place: abs(place[0] - wanted))
        parts += [text[done:start], found[0]]
        done = end
    return "".join([*parts, text[done:]])


def _continues(before: str, line: str, least: int) -> bool:
    """Whether a sentence of one line goes on in the next."""
    if len(before.strip()) < least or not _ENDS.search(before) or "|" in before + line:
        return False
    if _APART.match(before) or _APART.match(line) or _ITEM.match(line):
        return False
    return _GOES_ON.match(line) is not None and line.lstrip(" ")[0].islower()


def _places(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Where a line may end and the next begin: at blanks, or between characters without them."""
    whole = unbroken(text)
    if is_spaced(language):
        found = (match.span() for match in re.finditer(" +", text))
    else:
        begins = [match.start() for match in _WORD_BEGINS.finditer(text)] or range(1, len(text))
        found = ((at, at) for at in begins if _may_part(text[at - 1 : at], text[at : at + 1]))
    for start, end in found:
        if start > 0 and end < len(text) and start not in whole:
            yield start, end


def _may_part(left: str, right: str) -> bool:
    """Whether a line may end between two characters of a language without spaces."""
    if right in _CLOSING or left in _OPENING or right.isspace() or left.isspace():
        return False
    return not (_is_latin(left) and _is_latin(right))


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isprintable()
