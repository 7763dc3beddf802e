"""Hashed character n-grams of text that may still be being typed.

The trainer imports this very code, so that the features it learns on are those the engine sees.

Text is sampled (`MAX_CHARACTERS`), addresses are dropped, letters are lower-cased and every run of
anything else becomes one space. An n-gram is `1..ORDERS` neighbouring characters of a word, with
one space at a side standing for that border of the word. The last word of a text without a
trailing separator has no right border: it may not be finished yet.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

VERSION = "1"
"""Changes whenever the same text no longer gives the same features."""
ORDERS = 5
"""Longest n-gram in characters, word borders included."""
MAX_CHARACTERS = 6000
"""Longer text is judged by its first, middle and last third of this many characters."""

_MULTIPLIER = np.uint32(0x01000193)
_MIX = np.uint32(0x85EBCA6B)
_SEEDS = tuple(np.uint32(0x9E3779B1 * order & 0xFFFFFFFF) for order in range(ORDERS + 1))
_SPACE = 0x20

# Vowel signs and other marks are no \w, yet they are part of the word in Hebrew, Arabic and the
# scripts of South and South-East Asia.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u109f\u1780-\u17d3"
_NON_LETTERS = re.compile(rf"(?:[^\w{_MARKS}]|[\d_])+")
# Bounded repeats: an unbounded \S+@ would take quadratic time on a long word.
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,16}://\S+|\bwww\.\S+|[^\s@]{1,64}@[^\s@]{1,255}\.[^\s@]+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Letters:
    """Cleaned texts as code points, laid end to end.

    `codes` (L,): every text starts with a space and is followed by one 0.
    `ends` (B,): the position of that 0 for each of the B texts.
    """

    codes: npt.NDArray[np.uint32]
    ends: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """Table rows of the n-grams of B texts.

    `rows` (N,): row numbers, those of one text side by side.
    `ends` (B,): text b owns `rows[ends[b - 1]:ends[b]]`.
    """

    rows: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Number of features of each text, (B,)."""
        return steps(self.ends)


def steps(ends: npt.NDArray[np.int64], start: int = 0) -> npt.NDArray[np.int64]:
    """Return the (B,) distances from each of the rising `ends` to the one before, or `start`."""
    # np.diff with prepend does this in six times the time, which is felt in short texts.
    distances = ends.copy()
    distances[1:] -= ends[:-1]
    distances[:1] -= start
    return distances


def clean(text: str) -> str:
    """Return `text` as lower-case words, one space before each; "" if it has no letter.

    A trailing space means that the last word is finished. Any `str` is accepted, lone
    surrogates and NULs included.
    """
    if len(text) > MAX_CHARACTERS:
        text = _sample(text)
    if "@" in text or "://" in text or "www." in text:
        text = _ADDRESS.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    words = _NON_LETTERS.sub(" ", text.lower())
    if words in ("", " "):
        return ""
    return words if words[0] == " " else " " + words


def _sample(text: str) -> str:
    part = MAX_CHARACTERS // 3
    middle = (len(text) - part) // 2
    return f"{text[:part]}\n{text[middle : middle + part]}\n{text[-part:]}"


def letters(texts: Sequence[str]) -> Letters:
    """Clean `texts` and lay them end to end."""
    joined = "\0".join([*map(clean, texts), ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    return Letters(codes, np.flatnonzero(codes == 0))


def features(cleaned: Letters, table_rows: int) -> Features:
    """Hash every n-gram and word of every text to a row of a table of `table_rows`.

    `table_rows` is a power of two.
    """
    codes = cleaned.codes
    length = len(codes)
    hashed = np.zeros((length, ORDERS + 1), np.uint32)
    valid = np.zeros((length, ORDERS + 1), np.bool_)
    _hash_ngrams(codes, hashed, valid)
    _hash_words(codes, hashed, valid)
    ends = np.cumsum(valid.sum(axis=1))[cleaned.ends]
    return Features((hashed[valid] & np.uint32(table_rows - 1)).astype(np.int64), ends)


def _hash_ngrams(
    codes: npt.NDArray[np.uint32], hashed: npt.NDArray[np.uint32], valid: npt.NDArray[np.bool_]
) -> None:
    """Put the n-grams that start at each position into columns 0 to ORDERS - 1."""
    length = len(codes)
    is_letter = codes > _SPACE
    is_text = codes > 0
    inner = np.ones(length, np.bool_)
    rolling = np.zeros(length, np.uint32)
    for order in range(1, min(ORDERS, length) + 1):
        size = length - order + 1
        last = slice(order - 1, None)
        rolling = rolling[:size] * _MULTIPLIER + codes[last]
        hashed[:size, order - 1] = _mix(rolling + _SEEDS[order])
        if order == 1:
            valid[:, 0] = is_letter
            continue
        if order > 2:
            inner = inner[:size] & is_letter[order - 2 : -1]
        valid[:size, order - 1] = inner[:size] & is_text[:size] & is_text[last]


def _hash_words(
    codes: npt.NDArray[np.uint32], hashed: npt.NDArray[np.uint32], valid: npt.NDArray[np.bool_]
) -> None:
    """Put every word as a whole into the last column, at the position of its last letter."""
    is_letter = codes > _SPACE
    last = np.flatnonzero(is_letter[:-1] & ~is_letter[1:])
    words = codes.tobytes().decode("utf-32-le", "surrogatepass").replace("\0", " ").split()
    hashed[last, ORDERS] = [zlib.crc32(word.encode()) for word in words]
    valid[last, ORDERS] = True


def _mix(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Spread the entropy of a polynomial hash over all bits (MurmurHash3's finaliser, cut)."""
    values = values ^ (values >> np.uint32(15))
    values = values * _MIX
    return values ^ (values >> np.uint32(13))
