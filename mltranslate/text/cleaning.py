"""Text as a model knows it."""

from __future__ import annotations

import re
import unicodedata

_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates, which no encoder takes."""
    return _SURROGATE.sub("\ufffd", text)


def clean(text: str) -> str:
    """Return `text` as the model knows it: NFC, on one line, no surrogates, no controls."""
    return printable(text).strip()


def printable(text: str) -> str:
    """Like `clean`, with white space at both ends, a space each."""
    plain = _UNPRINTABLE.sub(" ", without_surrogates(text))
    return unicodedata.normalize("NFC", plain)
