"""Text as a model knows it."""

from __future__ import annotations

import html
import re
import unicodedata

_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHAPES = str.maketrans(
    {char: unicodedata.normalize("NFKC", char) for char in map(chr, range(0xFB00, 0xFB07))}
    | dict.fromkeys("\u00ad\u200b\u2060\ufeff", "")
)
"""Latin ligatures, and what neither shows nor says anything: most models know none of them."""
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}|#\d{2,7}|#[xX][0-9A-Fa-f]{2,6});")
_SPELT = frozenset("'\"‘’‚“”„«»‹›–—…")
"""What is no letter, and written as an entity of HTML within and around words all the same."""


def without_surrogates(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates, which no encoder takes."""
    return _SURROGATE.sub("\ufffd", text)


def clean(text: str) -> str:
    """Return `text` as the model knows it: NFC, on one line, no surrogates, no controls."""
    return printable(text).strip()


def readable(text: str) -> str:
    """Like `clean`, without ligatures ("ﬁ"), soft hyphens, spaces of no width and entities.

    Only entities of letters, quotes and dashes are read ("caf&eacute;"): others are markup.
    """
    plain = _ENTITY.sub(_read_entity, text) if "&" in text else text
    return clean(plain.translate(_SHAPES))


def printable(text: str) -> str:
    """Like `clean`, with white space at both ends, a space each."""
    plain = _UNPRINTABLE.sub(" ", without_surrogates(text))
    return unicodedata.normalize("NFC", plain)


def _read_entity(found: re.Match[str]) -> str:
    char = html.unescape(found[0])
    is_letter = len(char) == 1 and char.isalpha() and not char.isascii()
    return char if is_letter or char in _SPELT else found[0]
