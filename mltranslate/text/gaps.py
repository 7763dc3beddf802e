"""Gaps between Han characters and words or numbers of other scripts, in Chinese.

Chinese sets a quarter of an em there, in plain text a space (W3C, "Requirements for Chinese Text
Layout", 3.2.2). What a model was trained on does so or not, so that it sets one side of a word
apart and not the other. Japanese text is left as it is: there, most sets nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mltranslate.text.items import find_items
from mltranslate.text.rewriting import IRI

_HAN = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_WESTERN = (
    "[A-Za-z0-9²³¹\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u052f"
    "\u1e00-\u1fff\u2070-\u209c\uac00-\ud7a3]"
)
"""Letters of Latin, Greek, Cyrillic and Hangul, and digits, raised and lowered ones too."""
_CURRENCY = "[$¢£¥\u20a0-\u20cf]"
_GAP = re.compile(
    rf"(?<={_HAN})(?={_CURRENCY}?{_WESTERN})"
    rf"|(?:(?<={_WESTERN})|(?<=\d[%‰°℃])|(?<=\d{_CURRENCY})|(?<=[A-Za-z][+#])|(?<=\+\+))(?={_HAN})"
)
_WHOLE = re.compile("卡拉OK(?![A-Za-z])|(?<![A-Za-z0-9])(?:AA制|A股|B超|K歌|Q版|T恤|U盘|U盤|X光)")
"""Words of both scripts: T-shirt, USB stick, karaoke."""
_AROUND = ".,;:!?\"'()“”‘’«»„。，！？、；：（）"


def sets_gaps(language: str) -> bool:
    """Whether `with_gaps` does anything in `language`."""
    return language.partition("-")[0] == "zh"


def with_gaps(text: str, language: str, begun: int = 0, kept: Sequence[str] = ()) -> str:
    """Return `text` in `language` with a space wherever Chinese sets a gap; others as it is.

    Nothing changes before the offset `begun`, within links, code, markup and words of both scripts,
    nor in what is to be `kept` as it is written.
    """
    if not sets_gaps(language) or not _GAP.search(text, begun):
        return text
    closed = {at for start, end in wholes(text, kept) for at in range(start + 1, end)}
    gaps = (match.start() for match in _GAP.finditer(text, begun))
    made, done = [], 0
    for gap in gaps:
        if gap not in closed:
            made.append(text[done:gap])
            done = gap
    return " ".join([*made, text[done:]])


def mixed_words(text: str) -> list[str]:
    """Return the words of `text` in which Han meets another script: tags, links, file names.

    Where they come back in a translation, they are to be as they were written.
    """
    words = (word.strip(_AROUND) for word in text.split())
    return [word for word in words if _GAP.search(word)]


def wholes(text: str, kept: Sequence[str] = ()) -> Iterator[tuple[int, int]]:
    """Where something stands that has no gaps within: links, code, markup, and what is `kept`."""
    ends = set()
    for item in find_items(text):
        if _GAP.match(text, item.end()):  # in Chinese, words follow a link without a space
            ends.add(item.end())
        yield item.span()
    for link in IRI.finditer(text):
        if ends.isdisjoint(range(*link.span())):
            yield link.span()
    for word in _WHOLE.finditer(text):
        yield word.span()
    for term in filter(None, kept):
        yield from (found.span() for found in re.finditer(re.escape(term), text))
