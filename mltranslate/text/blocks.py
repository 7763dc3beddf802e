"""What sets parts of a line apart: HTML's paragraphs, items and cells, and rows of links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from mltranslate.text.items import LINK, find_items

_BREAKS = "br|hr"
_NAMES = (
    "address|article|aside|blockquote|body|caption|center|dd|details|div|dl|dt|fieldset|figcaption"
    "|figure|footer|form|h[1-6]|head|header|html|legend|li|main|nav|ol|optgroup|option|p|pre"
    f"|section|select|summary|table|tbody|td|tfoot|th|thead|title|tr|ul|{_BREAKS}"
)
_BLOCK = re.compile(rf"</?(?:{_NAMES})(?:[\s/][^<>]*)?>", re.IGNORECASE)
_ROW = re.compile(rf"\s*+(?:{LINK}(?:\s++|\Z)){{2,99}}+\Z")
"""Nothing but links and pictures, as badges and menus have them."""
_LINK = re.compile(LINK)
_BREAK = re.compile(rf"<(?:{_BREAKS})\b", re.IGNORECASE)


def blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the stretches between tags of block elements, or the links of a row, are.

    A single opening tag is one of which a sentence speaks ("the <p> tag"), unless it breaks the
    line or stands at an end.
    """
    tags = list(_tags(text, start, end)) if "<" in text[start:end] else []
    if len(tags) == 1 and _is_spoken_of(text, *tags[0], start, end):
        tags = []
    for (_, left), (right, _) in pairwise([(start, start), *tags, (end, end)]):
        if left < right and _ROW.match(text, left, right):
            yield from (link.span() for link in _LINK.finditer(text, left, right))
        elif left < right:
            yield left, right


def _tags(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in find_items(text, start, end):
        if match["mark"] and _BLOCK.fullmatch(match.group()):
            yield match.span()


def _is_spoken_of(text: str, left: int, right: int, start: int, end: int) -> bool:
    inside = text[start:left].strip() and text[right:end].strip()
    return bool(inside) and text[left + 1] != "/" and not _BREAK.match(text, left)
