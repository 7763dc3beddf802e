"""Reads the sentence and word tables that the language identifier learns from."""

from __future__ import annotations

import hashlib
import lzma
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mltranslate.detect.features import clean_many
from mltranslate.errors import DataError, reason

WORD_LIST = "words"
"""Name of the word lists among the sources."""
HELD_OUT = 50
"""Sentences of a language and source that are held out where there are enough."""
MOST_HELD_OUT = 300


@dataclass(frozen=True, slots=True)
class Text:
    """Text of one language: sentences, and words in order of falling frequency.

    Both are as `mltranslate.detect.features.clean` leaves them, words without the border.
    """

    sentences: tuple[str, ...]
    words: tuple[str, ...]


Corpus = dict[str, Text]
"""Language code -> its text."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of the sentence table, as it was written."""

    language: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Split:
    """What is trained on, what is held out, and the held-out sentences as they were written."""

    training: Corpus
    held_out: Corpus
    sentences: tuple[Sentence, ...]
    sizes: Mapping[str, int]
    """Texts used of every source, words included."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of the tables."""

    languages: Sequence[str]
    aliases: Mapping[str, str]
    """Code in the tables -> code of the language that it is counted as."""
    main: Collection[str]
    """Languages whose word lists are filtered against one another only."""
    sources: Collection[str]
    foreign_ratio: float
    """A word is left out of a list if it ranks this many times higher in another."""
    hold_out_one_in: int


def read_corpus(folder: Path, wanted: Wanted) -> Split:
    """Read `sentences.tsv.xz` and `words.tsv.xz` of `folder`, and hold a part of them out.

    Of every language and source one sentence in `hold_out_one_in` is held out, and more where
    that is few; equal letters are never on both sides, in whatever language. The words that
    only sentences have are added to the word lists. Raises `DataError` if a file cannot be read
    or has no sentence in a language.
    """
    lines = _sentences(folder / "sentences.tsv.xz", wanted)
    found = {line.language for line in lines}
    if missing := [language for language in wanted.languages if language not in found]:
        raise DataError(
            f"no sentences in {', '.join(missing)}",
            why=f"{folder} has none",
            fix="Remove the language from the recipe or add its sentences.",
        )
    cleaned = clean_many([line.text for line in lines])
    digests = [_digest(text) for text in cleaned]
    held = _held_out(lines, digests, wanted.hold_out_one_in)
    parts: dict[bool, dict[str, list[str]]] = {side: defaultdict(list) for side in (False, True)}
    for line, text, digest in zip(lines, cleaned, digests, strict=True):
        if len(text) > 1:
            parts[digest in held][line.language].append(text)
    lists = _own_words(_ranks(folder / "words.tsv.xz", wanted), wanted)
    words = {
        language: _with_types(lists[language], parts[False][language] + parts[True][language])
        for language in wanted.languages
    }
    sizes = Counter(line.source for line in lines)
    sizes[WORD_LIST] = sum(map(len, lists.values()))
    one_in = wanted.hold_out_one_in
    return Split(
        _corpus(parts[False], words, one_in, held=False),
        _corpus(parts[True], words, one_in, held=True),
        tuple(line for line, digest in zip(lines, digests, strict=True) if digest in held),
        dict(sizes),
    )


def _sentences(path: Path, wanted: Wanted) -> list[Sentence]:
    known, aliases = set(wanted.languages), wanted.aliases
    lines: list[Sentence] = []
    for code, source, text in _rows(path, 3):
        language = aliases.get(code, code)
        if language in known and source in wanted.sources:
            lines.append(Sentence(language, source, text))
    return lines


def _held_out(lines: Sequence[Sentence], digests: Sequence[int], one_in: int) -> set[int]:
    """Choose by the letters of a sentence alone, so that a run holds out what another did."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for line, digest in zip(lines, digests, strict=True):
        groups[line.language, line.source].append(digest)
    held: set[int] = set()
    for group in groups.values():
        size = max(len(group) // one_in, min(HELD_OUT, len(group) // 5))
        held.update(sorted(group)[: min(size, MOST_HELD_OUT)])
    return held


def _corpus(
    sentences: Mapping[str, list[str]],
    words: Mapping[str, tuple[str, ...]],
    one_in: int,
    *,
    held: bool,
) -> Corpus:
    return {
        language: Text(
            tuple(sentences.get(language, ())),
            tuple(word for word in listed if (_digest(word) % one_in == 0) is held),
        )
        for language, listed in words.items()
    }


def _digest(text: str) -> int:
    data = text.strip().encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def _ranks(path: Path, wanted: Wanted) -> dict[str, dict[str, int]]:
    known, aliases = set(wanted.languages), wanted.aliases
    rows = [
        (aliases.get(code, code), int(rank), word)
        for code, rank, word in _rows(path, 3)
        if aliases.get(code, code) in known
    ]
    ranks: dict[str, dict[str, int]] = {language: {} for language in wanted.languages}
    for (language, rank, _), text in zip(rows, clean_many([r[2] for r in rows]), strict=True):
        parts = text.split()
        if len(parts) == 1:
            table = ranks[language]
            table[parts[0]] = min(rank, table.get(parts[0], rank))
    return ranks


def _own_words(ranks: dict[str, dict[str, int]], wanted: Wanted) -> dict[str, list[str]]:
    best: dict[bool, dict[str, int]] = {False: {}, True: {}}
    for language, table in ranks.items():
        for main in {False, language in wanted.main}:
            lowest = best[main]
            for word, rank in table.items():
                if rank < lowest.get(word, math.inf):
                    lowest[word] = rank
    return {
        language: [
            word
            for word, rank in sorted(table.items(), key=lambda item: item[1])
            if rank <= best[language in wanted.main][word] * wanted.foreign_ratio
        ]
        for language, table in ranks.items()
    }


def _with_types(listed: list[str], sentences: Sequence[str]) -> tuple[str, ...]:
    """Put the words that only the sentences have behind the list, the frequent ones first."""
    known = set(listed)
    counted = Counter("".join(sentence + " " for sentence in sentences).split())
    return (*listed, *(word for word, _ in counted.most_common() if word not in known))


def _rows(path: Path, columns: int) -> Iterator[list[str]]:
    try:
        with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                row = line.rstrip("\n").split("\t")
                if len(row) != columns:
                    raise DataError(
                        f"line {number} of {path} cannot be read",
                        why=f"it has {len(row)} columns instead of {columns}",
                        fix="Mend or replace the file.",
                    )
                yield row
    except (OSError, lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise DataError(
            f"cannot read {path}",
            why=reason(error),
            fix="Name the folder with `data` in the recipe",
        ) from error
