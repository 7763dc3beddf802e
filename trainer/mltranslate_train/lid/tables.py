"""Reads the tables of the corpus: tab-separated lines in files packed with xz."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from mltranslate.detect.features import clean_many
from mltranslate.errors import DataError, reason


def rows(path: Path, columns: int) -> Iterator[list[str]]:
    """Yield the cells of every line; `DataError` if a line has another number of `columns`."""
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


def digest(text: str) -> int:
    """Return 64 bits that tell cleaned texts apart, the same in every run."""
    data = text.strip().encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def digests(paths: Iterable[Path]) -> frozenset[int]:
    """Return the digests of the cleaned texts in tables of kind, language and text."""
    texts = [row[2] for path in paths for row in rows(path, 3)]
    return frozenset(map(digest, clean_many(texts)))


def side_of(path: Path, language: str, sources: Collection[str]) -> dict[str, list[str]]:
    """Return the texts in one `language` of a table of sentence pairs, by their source.

    The file is called `a-b.tsv.xz` after its languages, and has a source and a text in each.
    Raises `DataError` if it cannot be read or is not in that language.
    """
    names = path.name.partition(".")[0].split("-")
    if language not in names:
        raise DataError(f"{path} has no {language}", why="it is not in the name of the file")
    column = 1 + names.index(language)
    found: dict[str, list[str]] = {}
    for row in rows(path, 3):
        if row[0] in sources:
            found.setdefault(row[0], []).append(row[column])
    return found
