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
_WESTERN = "A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u04ff"
_GAP = re.compile(
    rf"(?<={_HAN})(?=[{_WESTERN}]|[-+$€£¥]\d)"
    rf"|(?:(?<=[{_WESTERN}])|(?<=\d[%‰°℃])|(?<=[A-Za-z][+#])|(?<=\+\+))(?={_HAN})"
)
_WHOLE = re.compile("卡拉OK|AA制|A股|B超|K歌|Q版|T恤|U盘|U盤|X光")
"""Words of both scripts: T-shirt, USB stick, karaoke."""


def with_gaps(text: str, language: str, begun: int = 0, kept: Sequence[str] = ()) -> str:
    """Return `text` in `language` with a space wherever Chinese sets a gap; others as it is.

    Nothing changes before the offset `begun`, within links, code, markup and words of both scripts,
    nor in what is to be `kept` as it is written.
    """
    if language.partition("-")[0] != "zh" or not _GAP.search(text, begun):
        return text
    closed = {at for start, end in _wholes(text, kept) for at in range(start + 1, end)}
    gaps = (match.start() for match in _GAP.finditer(text, begun))
    made, done = "", 0
    for gap in gaps:
        if gap not in closed:
            made += text[done:gap] + " "
            done = gap
    return made + text[done:]


def _wholes(text: str, kept: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where something stands that has no gaps within."""
    for item in find_items(text):
        yield item.span()
        if longer := IRI.match(text, item.start()):
            yield item.end(), longer.end()
    for word in _WHOLE.finditer(text):
        yield word.span()
    for term in filter(None, kept):
        yield from (found.span() for found in re.finditer(re.escape(term), text))
