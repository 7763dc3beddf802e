"""The phrasebook of a pack: words and set phrases with their translations, to be looked up.

The manifest names one member a language, UTF-8 text with a phrase a line, xz-compressed; the same
lines of two languages say the same. An empty line stands for what is missing in a language.
"""

from __future__ import annotations

import itertools
import lzma
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from mltranslate.errors import PackError, reason
from mltranslate.limits import MAX_PHRASEBOOK_BYTES
from mltranslate.packs.pack import Pack
from mltranslate.text.fragments import may_be_abbreviation
from mltranslate.text.pauses import paused, unpaused
from mltranslate.text.phrases import (
    Doubt,
    Found,
    asks_without_mark,
    in_form,
    key,
    key_of_line,
    mark_of,
    one_line,
    unquoted,
)
from mltranslate.text.slots import SLOT, commas, frames, greets, is_titled, named

_MOST_MEMORY = 64 * 2**20
"""Bytes that unpacking may take beside the text."""
_PACKING = {
    "id": lzma.FILTER_LZMA2,
    "preset": 6 | lzma.PRESET_EXTREME,
    "dict_size": 2**20,  # which unpacking takes in addition
}
_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
_NOUNS_WITH_CAPITALS = frozenset({"de"})
_BETWEEN_NAMES = {"zh": "·", "ja": "・"}
_SHORT = 4
"""Letters that a word has at most which may be an abbreviation before a full stop."""


class _Lines:
    """The lines of a text, in little more room than the text takes."""

    def __init__(self, text: str) -> None:
        self._text = text
        lengths = (len(line) + 1 for line in text.split("\n"))
        self._ends = np.fromiter(itertools.accumulate(lengths), np.int64)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, row: int) -> str:
        start = self._ends[row - 1] if row else 0
        return self._text[start : self._ends[row] - 1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._text.split("\n"))


class _Index:
    """Where phrases of one language stand, by `mltranslate.text.phrases.key`."""

    def __init__(self, lines: _Lines, language: str) -> None:
        self._lines = lines
        self._language = language
        found = [hash(key_of_line(line, language)) for line in lines]
        sharp = [row for row, line in enumerate(lines) if "ß" in line]
        found += [hash(_without_sharp(key_of_line(lines[row], language))) for row in sharp]
        hashes = np.array(found, np.int64)
        order = hashes.argsort(kind="stable")
        self._hashes = hashes[order]
        self._rows = np.concatenate([np.arange(len(lines)), np.array(sharp, np.int64)])[order]

    def rows(self, found: str) -> list[int]:
        """Rows of a key, whatever their capitals, the first one first."""
        first, behind = (self._hashes.searchsorted(hash(found), side) for side in _SIDES)
        rows = sorted(set(self._rows[first:behind].tolist())) if found else []
        keys = (key_of_line(self._lines[row], self._language) for row in rows)
        pairs = zip(rows, keys, strict=True)
        return [row for row, own in pairs if found in (own, _without_sharp(own))]


class Phrasebook:
    """Looks up phrases; reads a language when it is first needed, and may be used by threads."""

    def __init__(self, pack: Pack) -> None:
        """Take a pack whose manifest names a phrasebook."""
        info = pack.manifest.phrasebook
        if info is None:
            raise PackError(f"the pack {pack.name} has no phrasebook", fix="Use another pack")
        self._pack = pack
        self._info = info
        self._lock = threading.Lock()
        self._lines: dict[str, _Lines] = {}
        self._indexes: dict[str, _Index] = {}

    def open(self, source: str, target: str) -> None:
        """Read what it has of these languages now; raises PackError for a damaged member."""
        if {source, target} <= self._info.files.keys():
            self._index(source)
            self._text(target)

    def find(self, text: str, source: str, target: str) -> Found:
        """Return what `text` is in the target language; raises PackError for a damaged member."""
        if not {source, target} <= self._info.files.keys():
            return Found()
        phrase, before, behind = unquoted(text.strip())
        found = self._find(phrase, source, target)
        if not found.texts:
            bare, pause = unpaused(phrase)
            found = self._find(bare, source, target) if pause else found
            found = found if found.texts else self._find_named(bare, source, target)
            found = replace(found, texts=tuple(paused(one, pause, target) for one in found.texts))
        return replace(found, texts=tuple(f"{before}{one}{behind}" for one in found.texts))

    def salutation(self, text: str, source: str, target: str) -> int:
        """Characters that `text` begins with and that are a salutation, its comma included.

        "Dear Anna, how are you?" has 10, and what has none 0. Raises PackError for a damaged
        member.
        """
        if not {source, target} <= self._info.files.keys():
            return 0
        ends = (end for end in commas(text) if self._is_salutation(text[:end], source, target))
        return max((end + 1 for end in ends), default=0)

    def _is_salutation(self, text: str, source: str, target: str) -> bool:
        """Whether `text` is one with a name, or begins with a word of greeting."""
        frame, _, found = self._framed(text, source, target)
        if found.texts:
            return not any(map(mark_of, self._phrases(frame, source)))
        return greets(text, source) and bool(self.find(f"{text},", source, target).texts)

    def _find_named(self, text: str, source: str, target: str) -> Found:
        """What a phrase with a name in it is; nothing where the name may be a word."""
        _, name, found = self._framed(text, source, target)
        if not found.texts:
            return found
        name = self._spelt(name, source, target)
        return replace(found, texts=tuple(one.replace(SLOT, name) for one in found.texts))

    def _framed(self, text: str, source: str, target: str) -> tuple[str, str, Found]:
        """The phrase with a slot that `text` is, the name in it, and what the phrase is."""
        for frame, name in frames(text):
            if not is_titled(frame) and self._is_word(name, source):
                break
            found = self._find(frame, source, target)
            if found.texts:
                return frame, name, found
        return "", "", Found()

    def _is_word(self, name: str, source: str) -> bool:
        """Whether any part of a name is a word, and no name besides."""
        return any(self._rows(one, source) and not self._rows(named(one), source)
                   for one in name.split())  # fmt: skip

    def _spelt(self, name: str, source: str, target: str) -> str:
        """A name as the target language writes it, if it has all of it."""
        parts = [self._find(named(one), source, target).texts for one in name.split()]
        if not all(parts):
            return name
        given = (one[0].replace(named(""), "") for one in parts)
        return _BETWEEN_NAMES.get(target, " ").join(given)

    def _phrases(self, text: str, source: str) -> list[str]:
        """How the rows that have `text` are written."""
        lines = self._text(source)
        return [lines[row] for row in self._rows(text, source)]

    def _find(self, text: str, source: str, target: str) -> Found:
        phrases, translations = self._text(source), self._text(target)
        every = [row for row in self._rows(text, source) if translations[row]]
        if not every:
            return Found()
        rows = self._chosen(every, text, source)
        said = [in_form(translations[row], phrases[row], text, target) for row in rows]
        doubt = _doubt(text, [phrases[row] for row in every], source)
        return Found(_distinct(said, text, target), doubt if rows else Doubt.NONE)

    def _rows(self, text: str, source: str) -> list[int]:
        """The rows that have `text`, whatever its capitals and its marks."""
        found, index = key(text, source), self._index(source)
        rows = index.rows(found)
        asked = found and not mark_of(text.strip())
        return index.rows(f"{found}?") if asked and not rows else rows

    def _chosen(self, rows: Sequence[int], text: str, source: str) -> list[int]:
        """Those of `rows` that have its capitals, or else any; those with its mark first."""
        phrases, mark = self._text(source), mark_of(text.strip())
        same = [row for row in rows if _is_spelt(phrases[row], text)]
        if not same and mark != "!" and may_be_abbreviation(text):
            return []
        told_apart = source in _NOUNS_WITH_CAPITALS or not _begins_alone(text)
        chosen = same if same and told_apart else rows
        return sorted(chosen, key=lambda row: (row not in same, mark_of(phrases[row]) != mark))

    def _index(self, language: str) -> _Index:
        with self._lock:
            known = self._indexes.get(language)
        if known is None:
            known = _Index(self._text(language), language)
            with self._lock:
                self._indexes[language] = known
        return known

    def _text(self, language: str) -> _Lines:
        with self._lock:
            if language not in self._lines:
                self._lines[language] = self._read(language)
            return self._lines[language]

    def _read(self, language: str) -> _Lines:
        path = self._pack.folder / self._info.files[language]
        try:
            lines = _Lines(unpacked(path.read_bytes()).removesuffix("\n"))
        except (OSError, ValueError) as error:
            raise PackError(
                f"{path} cannot be read", why=reason(error), fix="Get the pack again"
            ) from error
        if len(lines) != self._info.rows:
            raise PackError(
                f"the phrasebook of the pack {self._pack.name} is damaged",
                why=f"{path.name} has {len(lines)} lines instead of {self._info.rows}",
                fix="Get the pack again",
            )
        return lines


def packed(text: str) -> bytes:
    """Return the bytes of a member with this text."""
    return lzma.compress(text.encode(), filters=[_PACKING])


def unpacked(data: bytes) -> str:
    """Return the text of a member; ValueError for what is none, or has too much."""
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
    try:
        text = decompressor.decompress(data, MAX_PHRASEBOOK_BYTES)
    except lzma.LZMAError as error:
        raise ValueError(f"it is no xz file ({error})") from error
    if not decompressor.eof:
        raise ValueError(f"it is cut short, or larger than {MAX_PHRASEBOOK_BYTES} bytes")
    return text.decode()


def _without_sharp(text: str) -> str:
    """As the Swiss write it, and everybody in capitals."""
    return text.replace("ß", "ss")


def _distinct(said: Iterable[str], text: str, target: str) -> tuple[str, ...]:
    """What is `said` for `text`; those that differ in form alone are one.

    Where `text` is in a script without capitals, a phrase has its capital if any has it so.
    """
    caseless = text.lower() == text.upper()
    distinct: dict[str, str] = {}
    for one in said:
        same = key(one, target).rstrip("?") or one
        known = distinct.setdefault(same, one)
        if caseless and " " in one and known[:1].islower() and one[:1].isupper():
            distinct[same] = one
    return tuple(distinct.values())


def _letters(text: str) -> str:
    """The letters of a text, in their case."""
    return "".join(filter(str.isalnum, one_line(text)))


def _is_spelt(phrase: str, text: str) -> bool:
    return _letters(phrase) == _letters(text)


def _begins_alone(text: str) -> bool:
    """Whether its first letter is its only capital, which a telephone may have set."""
    word = _letters(text)
    return word[:1].isupper() and not any(map(str.isupper, word[1:]))


def _doubt(text: str, phrases: Sequence[str], source: str) -> Doubt:
    """Whether `text` may be something else than these phrases, which it was found by."""
    mark, marks = mark_of(text.strip()), set(map(mark_of, phrases))
    if not mark and marks == {"?"} and not asks_without_mark(text, source):
        return Doubt.QUESTION
    word = _letters(text)
    if " " in text.strip():
        return Doubt.NONE
    if marks == {""} and (mark == "!" or (mark == "." and word.islower() and len(word) <= _SHORT)):
        return Doubt.WORD
    if not _begins_alone(text) or any(_is_spelt(phrase, text) for phrase in phrases):
        return Doubt.NONE
    return Doubt.WORD if source in _NOUNS_WITH_CAPITALS else Doubt.NAME
