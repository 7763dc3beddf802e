"""Text as a model knows it."""

from __future__ import annotations

import re
import unicodedata

_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHAPES = str.maketrans(
    {char: unicodedata.normalize("NFKC", char) for char in map(chr, range(0xFB00, 0xFB07))}
    | dict.fromkeys("\u00ad\u200b\u2060\ufeff", "")
)
"""Latin ligatures, and what neither shows nor says anything: most models know none of them."""


def without_surrogates(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates, which no encoder takes."""
    return _SURROGATE.sub("\ufffd", text)


def clean(text: str) -> str:
    """Return `text` as the model knows it: NFC, on one line, no surrogates, no controls."""
    return printable(text).strip()


def readable(text: str) -> str:
    """Like `clean`, without ligatures ("ﬁ"), soft hyphens and spaces of no width."""
    return clean(text.translate(_SHAPES))


def printable(text: str) -> str:
    """Like `clean`, with white space at both ends, a space each."""
    plain = _UNPRINTABLE.sub(" ", without_surrogates(text))
    return unicodedata.normalize("NFC", plain)
