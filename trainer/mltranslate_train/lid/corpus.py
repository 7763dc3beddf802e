"""Reads the sentence and word tables that the language identifier learns from."""

from __future__ import annotations

import hashlib
import lzma
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mltranslate.detect.features import clean
from mltranslate.errors import DataError, reason

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Text:
    """Text of one language: sentences, and words in order of falling frequency."""

    sentences: tuple[str, ...]
    words: tuple[str, ...]


Corpus = dict[str, Text]
"""Language code -> its text."""
WORD_LIST = "words"
"""Name of the word lists among the sources."""


def read_corpus(
    folder: Path, languages: Sequence[str], sources: Collection[str], foreign_ratio: float
) -> tuple[Corpus, dict[str, int]]:
    """Read `sentences.tsv.xz` and `words.tsv.xz` of `folder`; also count the texts a source.

    Sentences of a source that is not in `sources` are left out.
    A word is left out of a language's list if it ranks `foreign_ratio` times higher in another
    list: that is where it belongs. Raises `DataError` if a file or a language is missing.
    """
    ranks = _ranks(folder / "words.tsv.xz", languages)
    sentences: dict[str, list[str]] = {language: [] for language in languages}
    sizes: Counter[str] = Counter()
    for language, source, text in _rows(folder / "sentences.tsv.xz", 3):
        if language in sentences and source in sources:
            sentences[language].append(text)
            sizes[source] += 1
    if missing := [language for language in languages if not sentences[language]]:
        raise DataError(
            f"no sentences in {', '.join(missing)}",
            why=f"{folder} has none",
            fix="Remove the language from the recipe or add its sentences.",
        )
    words = _own_words(ranks, foreign_ratio)
    sizes[WORD_LIST] = sum(map(len, words.values()))
    return {key: Text(tuple(sentences[key]), words[key]) for key in languages}, dict(sizes)


def split(corpus: Corpus, one_in: int) -> tuple[Corpus, Corpus]:
    """Return (training part, tuning part); about one text in `one_in` goes to the second.

    The choice depends on the letters of a text alone, so that the same sentence or word never
    lies on both sides, in whatever language or writing.
    """

    def part(held: bool) -> Corpus:
        def keep(text: str) -> bool:
            return _is_held(text, one_in) is held

        return {
            language: Text(_select(text.sentences, keep), _select(text.words, keep))
            for language, text in corpus.items()
        }

    return part(held=False), part(held=True)


def _select(items: Sequence[T], keep: Callable[[T], bool]) -> tuple[T, ...]:
    return tuple(item for item in items if keep(item))


def _is_held(text: str, one_in: int) -> bool:
    digest = hashlib.blake2b(clean(text).strip().encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big") % one_in == 0


def _ranks(path: Path, languages: Sequence[str]) -> dict[str, dict[str, int]]:
    ranks: dict[str, dict[str, int]] = {language: {} for language in languages}
    for language, rank, word in _rows(path, 3):
        if language in ranks and len(parts := clean(word).split()) == 1:
            ranks[language].setdefault(parts[0], int(rank))
    return ranks


def _own_words(ranks: dict[str, dict[str, int]], ratio: float) -> dict[str, tuple[str, ...]]:
    best: dict[str, float] = {}
    for table in ranks.values():
        for word, rank in table.items():
            best[word] = min(rank, best.get(word, math.inf))
    return {
        language: tuple(
            word
            for word, rank in sorted(table.items(), key=lambda item: item[1])
            if rank <= best[word] * ratio
        )
        for language, table in ranks.items()
    }


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
