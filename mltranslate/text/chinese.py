"""Chinese in the characters of either standard, each made of the other by OpenCC.

OpenCC goes by phrases where characters do not decide (头发 is 頭髮, 发展 is 發展), and offline.
Words stay: 软件 becomes 軟件, not 軟體.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from mltranslate.detect.varieties import fits, han_sides, variety

if TYPE_CHECKING:
    from opencc import OpenCC

SIMPLIFIED, TRADITIONAL = "zh-Hans", "zh-Hant"
_OF_BOTH = frozenset("乾夥後徵捱摺於菸著")
"""Traditional characters that the standard of Simplified Chinese has as well, for names."""
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def as_read(text: str, language: str) -> str:
    """Return `text` as a model of `language` knows it: Traditional Chinese in Simplified."""
    return _simplified(text) if language in ("zh", SIMPLIFIED) else text


def as_written(text: str, tag: str) -> str:
    """Return `text` in the characters of `tag`, "zh-Hans" or "zh-Hant"; others change nothing.

    Traditional characters are those of the standard of Taiwan: 裡, not 裏.
    """
    if tag == TRADITIONAL:
        return _traditional(text)
    return _simplified(text) if tag == SIMPLIFIED else text


def is_as_asked(text: str, tag: str) -> bool:
    """Whether `text` is in the variety `tag`, or no rule makes it more so."""
    return fits(text, tag) or (tag in (SIMPLIFIED, TRADITIONAL) and as_written(text, tag) == text)


def _simplified(text: str) -> str:
    if -1 not in han_sides(text) and _OF_BOTH.isdisjoint(text):
        return text
    # Taiwan writes 看著 for 看着; in Simplified Chinese 著 is what it says.
    return _converted(text, "t2s" if variety(text, "zh") == SIMPLIFIED else "tw2s")


def _traditional(text: str) -> str:
    if variety(text, "zh") == TRADITIONAL and 1 not in han_sides(text):
        return text
    return _converted(text, "s2tw")


def _converted(text: str, conversion: str) -> str:
    """`text` with its runs of Han characters converted; OpenCC refuses lone surrogates."""
    return _HAN.sub(lambda run: str(_converter(conversion).convert(run[0])), text)


@functools.cache
def _converter(conversion: str) -> OpenCC:
    from opencc import OpenCC

    return OpenCC(conversion)
