"""Readers of parallel text: the corpus layout, plain TSV, and two parallel files.

Readers stream: none holds more than one line. They refuse files of unequal length and lines with
a wrong number of columns, naming file and line.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import lzma
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TextIO

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import CorpusConfig


@dataclass(frozen=True, slots=True)
class Pair:
    """One sentence in two languages, `first` in the pair's first language."""

    origin: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class PairFile:
    """One readable corpus part and the languages of its two sides."""

    languages: tuple[str, str]
    corpus: CorpusConfig
    path: Path
    swapped: bool = False
    """The file holds the two languages the other way round."""

    def __iter__(self) -> Iterator[Pair]:
        """Stream the pairs; raises DataError for a malformed line or a damaged file."""
        try:
            for pair in self._pairs():
                yield Pair(pair.origin, pair.second, pair.first) if self.swapped else pair
        except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
            raise DataError(f"{self.path} cannot be read", why=str(error)) from error

    def _pairs(self) -> Iterator[Pair]:
        if self.corpus.folder:
            return _read_columns(self.path, 3)
        origin = self.corpus.origin or self.path.name
        if self.corpus.tsv:
            return _read_columns(self.path, 2, origin)
        return _read_parallel(self.path, Path(self.corpus.target), origin)


def find_files(
    corpora: Iterable[CorpusConfig], directions: Iterable[tuple[str, str]]
) -> list[PairFile]:
    """Every file that serves one of the directions, either way round.

    Files of the same two languages all get the order of the first one.

    Raises:
        ConfigError: a corpus names no file, several kinds of file, or wrong languages.
        DataError: a file or folder does not exist.
    """
    wanted = {frozenset(direction) for direction in directions}
    found: list[PairFile] = []
    for corpus in corpora:
        found += [file for file in _files_of(corpus) if frozenset(file.languages) in wanted]
    covered = {frozenset(file.languages) for file in found}
    missing = ["-".join(sorted(pair)) for pair in wanted - covered]
    if missing:
        raise DataError(
            f"no corpus has {', '.join(sorted(missing))}", fix="Remove the direction or add text"
        )
    order: dict[frozenset[str], tuple[str, str]] = {}
    for file in found:
        order.setdefault(frozenset(file.languages), file.languages)
    return [_turned(file, order[frozenset(file.languages)]) for file in found]


def _turned(file: PairFile, languages: tuple[str, str]) -> PairFile:
    if file.languages == languages:
        return file
    return dataclasses.replace(file, languages=languages, swapped=True)


def _files_of(corpus: CorpusConfig) -> list[PairFile]:
    kinds = [bool(corpus.folder), bool(corpus.tsv), bool(corpus.source and corpus.target)]
    if sum(kinds) != 1:
        raise ConfigError(
            "a corpus names no text, or too much",
            fix="Give `folder`, `tsv`, or `source` and `target`",
        )
    if corpus.folder:
        return _files_in_folder(corpus)
    if len(corpus.languages) != 2:
        raise ConfigError(
            "a corpus of plain files has no languages", fix='Add languages = ["en", "de"]'
        )
    paths = [Path(corpus.tsv)] if corpus.tsv else [Path(corpus.source), Path(corpus.target)]
    for path in paths:
        if not path.is_file():
            raise DataError(f"there is no file {path}")
    return [PairFile((corpus.languages[0], corpus.languages[1]), corpus, paths[0])]


def _files_in_folder(corpus: CorpusConfig) -> list[PairFile]:
    folder = Path(corpus.folder)
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}", fix="Correct data.corpora in the recipe")
    files = []
    for path in sorted(folder.glob("*-*.tsv*")):
        first, _, second = path.name.split(".")[0].partition("-")
        files.append(PairFile((first, second), corpus, path))
    return files


def open_text(path: Path) -> TextIO:
    """Open a UTF-8 file for reading, through xz where its name says so."""
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")


def _read_columns(path: Path, columns: int, origin: str = "") -> Iterator[Pair]:
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            parts = line.rstrip("\r\n").split("\t")
            if len(parts) != columns:
                raise DataError(
                    f"{path}:{number} has {len(parts)} columns", why=f"{columns} are needed"
                )
            yield Pair(origin or parts[0], parts[-2], parts[-1])


def _read_parallel(first: Path, second: Path, origin: str) -> Iterator[Pair]:
    with ExitStack() as stack:
        sides = [stack.enter_context(open_text(path)) for path in (first, second)]
        for number, (one, two) in enumerate(zip_longest(*sides), 1):
            if one is None or two is None:
                shorter = first if one is None else second
                raise DataError(
                    f"{shorter} ends before line {number}", why="the files differ in length"
                )
            yield Pair(origin, one.rstrip("\r\n"), two.rstrip("\r\n"))


def weight_of(origin: str, weights: dict[str, float]) -> float:
    """Weight of an origin: the last matching shell pattern counts, 1 without any."""
    matches = [weight for pattern, weight in weights.items() if fnmatch.fnmatch(origin, pattern)]
    return matches[-1] if matches else 1.0
