"""A sentence that is too long for the model, cut into pieces that are not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from mltranslate.text.edges import BLANK, has_language
from mltranslate.text.spans import Span, spans_of

CountTokens = Callable[[str], int]
"""Number of the model's tokens in a text."""

_MARKS = (
    re.compile(r"[;:؛][ \t]|[；：]"),
    re.compile(r"[,،][ \t]|[，、—]| [–-] "),
    re.compile(r"\s"),
)
_CHARACTERS_A_TOKEN = 8
"""More than any vocabulary packs into one token on average: a longer text needs no counting."""
_REACH = 2000
"""How far from its middle a text may be cut, in characters."""
_LONGEST_CLUSTER = 32
"""A letter with more accents than this is noise and may be parted."""


def split_long(sentence: str, limit: int, count: CountTokens) -> list[Span]:
    """Cut `sentence` into spans of at most `limit` tokens each.

    It is halved, near the middle, at the strongest mark there is (semicolon or colon, comma or
    dash, space, any character) until every part fits, so that the parts are of like length and
    every part is counted only a few times. The spans concatenate to `sentence`; a part without
    any language in it is a span to keep.
    """
    return spans_of(sentence, _ranges(sentence, max(1, limit), count))


def _ranges(sentence: str, limit: int, count: CountTokens) -> Iterator[tuple[int, int]]:
    waiting = [(0, len(sentence))]
    while waiting:
        start, end = _trim(sentence, *waiting.pop())
        if start == end:
            continue
        if _fits(sentence[start:end], limit, count):
            if has_language(sentence[start:end]):
                yield start, end
            continue
        middle = _cut_near_middle(sentence, start, end)
        waiting += [(middle, end), (start, middle)]


def _fits(text: str, limit: int, count: CountTokens) -> bool:
    if len(text) == 1:
        return True
    return len(text) <= limit * _CHARACTERS_A_TOKEN and count(text) <= limit


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in BLANK:
        start += 1
    while start < end and text[end - 1] in BLANK:
        end -= 1
    return start, end


def _cut_near_middle(text: str, start: int, end: int) -> int:
    """The best place to cut text[start:end], never at one of its ends."""
    middle = (start + end) // 2
    reach = min((end - start) // 4, _REACH)
    for mark in _MARKS:
        places = [m.end() for m in mark.finditer(text, middle - reach, middle + reach)]
        places = [place for place in places if start < place < end]
        if places:
            return min(places, key=lambda place: abs(place - middle))
    return _between_characters(text, start, middle, end)


def _between_characters(text: str, start: int, middle: int, end: int) -> int:
    """The first offset from the middle that parts no letter from its accents."""
    first = max(middle, start + 1)
    for place in range(first, min(first + _LONGEST_CLUSTER, end)):
        if not unicodedata.combining(text[place]) and text[place] not in BLANK:
            return place
    return first
