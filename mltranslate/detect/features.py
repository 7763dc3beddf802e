"""Hashed character n-grams of text that may still be being typed.

The trainer imports this very code, so that the features it learns on are those the engine sees.

Text is sampled (`MAX_CHARACTERS`), addresses are dropped, letters are lower-cased and every run of
anything else becomes one space. An n-gram is `1..ORDERS` neighbouring characters of a word, with
one space at a side standing for that border of the word. The last word of a text without a
trailing separator has no right border: it may not be finished yet. Han, kana and Hangul have no
n-grams of more than two characters and no words as a whole: there, those hardly come twice.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

VERSION = "3"
"""Changes whenever the same text no longer gives the same features."""
ORDERS = 5
"""Longest n-gram in characters, word borders included."""
MAX_CHARACTERS = 6000
"""Longer text is judged by its first, middle and last third of this many characters."""

_BY_TABLE = 4096
"""Characters from which on a table of code points is faster than regular expressions."""
_KEPT = np.zeros(sys.maxunicode + 1, np.bool_)
_KNOWN = np.zeros(len(_KEPT) >> 8, np.bool_)

# Arrays of no dimension: a scalar has to be made an array at every use.
_MULTIPLIER = np.array(0x01000193, np.uint32)
_INVERSE = np.array(pow(0x01000193, -1, 1 << 32), np.uint32)
_MIX = np.array(0x85EBCA6B, np.uint32)
_FOLD = np.array(15, np.uint32)
_WORD_SEED = np.array(0x9E3779B1, np.uint32)
# Han, kana, Hangul and a few small neighbours.
_WIDE, _WIDE_CHARACTERS = np.array(0x2E80, np.uint32), np.array(0xD800 - 0x2E80, np.uint32)
_WIDE_ORDERS = 2
_SPACE_0D = np.array(0x20, np.uint32)
_SPACE = 0x20

# Vowel signs and other marks are no \w, yet they are part of the word in Hebrew, Arabic, Thaana
# and the scripts of South and South-East Asia.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u06d6-\u06ed\u07a6-\u07b0\u0900-\u109f"
    "\u1780-\u17d3"
)
_NON_LETTERS = re.compile(rf"(?:[^\w{_MARKS}\0]|[\d_])+")
# Bounded repeats: an unbounded \S+@ would take quadratic time on a long word.
ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,16}://[^\s\0]+|\bwww\.[^\s\0]+"
    r"|[^\s@\0]{1,64}@[^\s@\0]{1,255}\.[^\s@\0]+",
    re.IGNORECASE,
)
"""Web and mail addresses, which belong to no language."""


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
    """Table rows of the n-grams and words of B texts.

    `rows` (N,): row numbers, those of one text side by side.
    `ends` (B,): text b owns `rows[ends[b - 1]:ends[b]]`.
    """

    rows: npt.NDArray[np.int32]
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
    """Return `text` as lower-case words, one space before each; " " if it has no letter.

    A trailing space means that the last word is finished. Any `str` is accepted, lone
    surrogates and NULs included.
    """
    return _clean_joined([text])[:-1]


def clean_many(texts: Sequence[str]) -> list[str]:
    """Do what `clean` does for many texts at once."""
    return _clean_joined(texts).split("\0")[:-1] if texts else []


def letters(texts: Sequence[str]) -> Letters:
    """Clean `texts` and lay them end to end."""
    codes = _cleaned_codes(_lowered(texts))
    if len(texts) == 1:
        return Letters(codes, np.array([len(codes) - 1]))
    return Letters(codes, np.flatnonzero(codes == 0))


def _clean_joined(texts: Sequence[str]) -> str:
    """Clean all texts at once; each begins with a space and ends with a NUL."""
    return _NON_LETTERS.sub(" ", _lowered(texts))


def _cleaned_codes(lowered: str) -> npt.NDArray[np.uint32]:
    """Return the code points of `lowered` with one space for each run of no letters."""
    if len(lowered) < _BY_TABLE:
        lowered = _NON_LETTERS.sub(" ", lowered)
        return np.frombuffer(lowered.encode("utf-32-le", "surrogatepass"), np.uint32)
    # The same with a look-up instead of a match for every word, more than twice as fast.
    codes = np.frombuffer(lowered.encode("utf-32-le", "surrogatepass"), np.uint32)
    kept = _kept(codes)
    first = kept.copy()
    first[1:] |= kept[:-1]
    first[0] = True
    return np.where(kept, codes, np.uint32(_SPACE))[first]


def _kept(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Say of each code point whether cleaning keeps it; blocks of 256 are looked up once."""
    used = np.bincount(codes >> np.uint32(8), minlength=len(_KNOWN)) > 0
    for block in np.flatnonzero(used & ~_KNOWN).tolist():
        start = block << 8
        cleaned = _NON_LETTERS.sub(
            lambda run: " " * len(run[0]), "".join(map(chr, range(start, start + 256)))
        )
        _KEPT[start : start + 256] = [character != " " for character in cleaned]
        _KNOWN[block] = True
    return _KEPT[codes]


def _lowered(texts: Sequence[str]) -> str:
    """Put all texts together, without addresses, in lower case; each ends with a NUL."""
    if len(texts) == 1:
        text = _bounded(texts[0]).replace("\0", " ")
        joined = f" {text}\0"
    else:
        plain = [text if len(text) <= MAX_CHARACTERS else _bounded(text) for text in texts]
        joined = " " + "\0 ".join(plain) + "\0"
        if joined.count("\0") > len(texts):
            joined = "".join([f" {text.replace(chr(0), ' ')}\0" for text in plain])
    if "@" in joined or "://" in joined or "www." in joined.lower():
        joined = ADDRESS.sub(" ", joined)
    if not joined.isascii():
        joined = unicodedata.normalize("NFC", joined)
    return joined.lower()


def _bounded(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    part = MAX_CHARACTERS // 3
    middle = (len(text) - part) // 2
    return f"{text[:part]}\n{text[middle : middle + part]}\n{text[-part:]}"


def features(cleaned: Letters, table_rows: int) -> Features:
    """Hash every n-gram and word of every text to a row of a table of `table_rows`.

    `table_rows` is a power of two.
    """
    codes = cleaned.codes
    # Every text begins with a space and ends with a 0: both are separators.
    is_letter = codes > _SPACE_0D
    separators = (~is_letter).nonzero()[0]
    hashed = np.empty((len(codes), ORDERS + 1), np.uint32)
    valid = np.empty((len(codes), ORDERS + 1), np.bool_)
    _hash_ngrams(codes, hashed)
    _allow_ngrams(codes, separators, valid)
    valid[:, 0] = is_letter
    _hash_words(codes, separators, hashed, valid)
    _drop_wide(codes, valid)
    picked = hashed[valid]
    picked ^= picked >> _FOLD
    picked *= _MIX
    # The high bits of a product depend on all bits below them.
    picked >>= _shift(table_rows)
    rows = picked.view(np.int32)
    if len(cleaned.ends) == 1:
        return Features(rows, np.array([len(rows)]))
    return Features(rows, np.cumsum(np.count_nonzero(valid, axis=1))[cleaned.ends])


def _hash_ngrams(codes: npt.NDArray[np.uint32], hashed: npt.NDArray[np.uint32]) -> None:
    """Put the polynomial hashes of what starts at each position into columns 0 to ORDERS - 1."""
    rolling = np.add(codes, _MULTIPLIER, out=hashed[:, 0])
    for order in range(1, min(ORDERS, len(codes))):
        rolling = rolling[:-1] * _MULTIPLIER
        rolling = np.add(rolling, codes[order:], out=hashed[:-order, order])


def _allow_ngrams(
    codes: npt.NDArray[np.uint32], separators: npt.NDArray[np.int64], valid: npt.NDArray[np.bool_]
) -> None:
    """Mark the n-grams of two characters and more that lie in one word and its borders."""
    # From each separator up to the next one, which counts where it is a space.
    is_space = codes[separators] == _SPACE_0D
    reach = separators.copy()
    reach[:-1] = separators[1:]
    reach[:-1] += is_space[1:]
    # Nothing starts with the 0 that ends a text.
    reach *= is_space
    sizes = np.empty_like(separators)
    np.subtract(separators[1:], separators[:-1], out=sizes[:-1])
    sizes[-1:] = 1
    places = _places(_room(len(codes)))[: len(codes)]
    np.greater(reach.repeat(sizes)[:, None], places, out=valid)


def _hash_words(
    codes: npt.NDArray[np.uint32],
    separators: npt.NDArray[np.int64],
    hashed: npt.NDArray[np.uint32],
    valid: npt.NDArray[np.bool_],
) -> None:
    """Put every word as a whole into the last column, at the position of its last letter."""
    starts, ends = separators[:-1], separators[1:] - 1
    full = ends > starts
    starts, ends = starts[full], ends[full]
    powers, inverses = _powers(_room(len(codes)))
    sums = np.multiply(codes, powers[: len(codes)]).cumsum(dtype=np.uint32)
    words = sums[ends]
    words -= sums[starts]
    # That is the word's polynomial times power[start + 1].
    words *= inverses[starts]
    words ^= _WORD_SEED
    hashed[ends, ORDERS] = words
    valid[ends, ORDERS] = True


def _drop_wide(codes: npt.NDArray[np.uint32], valid: npt.NDArray[np.bool_]) -> None:
    """Unmark the long n-grams whose second character is wide, and words that end in such a one."""
    # Below `_WIDE` the difference wraps around to a large number.
    wide = (codes - _WIDE) < _WIDE_CHARACTERS
    if wide.any():
        # The second character of three is never a border: it tells what the n-gram is made of.
        valid[:-1][wide[1:], _WIDE_ORDERS:ORDERS] = False
        valid[wide, ORDERS] = False


def _room(size: int) -> int:
    """Return the least power of two that is at least `size`, of which there are few."""
    return 1 << (size - 1).bit_length()


@functools.lru_cache(maxsize=32)
def _powers(size: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return the first `size` powers of the multiplier, and of its inverse modulo 2^32."""
    exponents = np.ones(size, np.uint32)
    inverses = np.ones(size, np.uint32)
    exponents[1:] = np.cumprod(np.full(size - 1, _MULTIPLIER), dtype=np.uint32)
    inverses[1:] = np.cumprod(np.full(size - 1, _INVERSE), dtype=np.uint32)
    return exponents, inverses


@functools.lru_cache(maxsize=32)
def _places(size: int) -> npt.NDArray[np.int64]:
    """Return (size, ORDERS + 1): where an n-gram of each order ends; words end nowhere."""
    places = np.arange(size)[:, None] + np.arange(ORDERS + 1)
    places[:, ORDERS] = sys.maxsize
    return places


@functools.lru_cache(maxsize=32)
def _shift(table_rows: int) -> npt.NDArray[np.uint32]:
    return np.array(33 - table_rows.bit_length(), np.uint32)
