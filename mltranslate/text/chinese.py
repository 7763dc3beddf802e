"""Chinese in the characters of either standard, each made of the other by OpenCC.

Models that ship know Simplified Chinese. OpenCC goes by phrases where characters do not decide
(头发 is 頭髮, 发展 is 發展), and offline. Words stay: 软件 becomes 軟件, not 軟體.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from mltranslate.detect.varieties import variety

if TYPE_CHECKING:
    from opencc import OpenCC

SIMPLIFIED, TRADITIONAL = "zh-Hans", "zh-Hant"
_CONVERSIONS = {SIMPLIFIED: "t2s", TRADITIONAL: "s2tw"}
"""Traditional characters are those of the standard of Taiwan: 裡, not 裏."""
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def as_read(text: str, language: str) -> str:
    """Return `text` as a model of `language` reads it: Traditional Chinese in Simplified."""
    return as_written(text, SIMPLIFIED) if language == "zh" else text


def as_written(text: str, tag: str) -> str:
    """Return `text` in the characters of `tag`, "zh-Hans" or "zh-Hant"; others change nothing."""
    if tag not in _CONVERSIONS or variety(text, tag) == tag:
        return text
    convert = _converter(_CONVERSIONS[tag]).convert
    return _HAN.sub(lambda run: str(convert(run[0])), text)


@functools.cache
def _converter(conversion: str) -> OpenCC:
    from opencc import OpenCC

    return OpenCC(conversion)
