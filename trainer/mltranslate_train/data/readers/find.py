"""Which files of a recipe's corpora serve its directions, or hold text in its languages."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import CorpusConfig
from mltranslate_train.data.readers.lines import read_lines
from mltranslate_train.data.readers.pairs import PairFile
from mltranslate_train.data.readers.table import read_header

_KINDS = ("folder", "tsv", "source", "tmx", "jsonl", "table", "po", "text")


@dataclass(frozen=True, slots=True)
class TextFile:
    """Plain text in one language, one sentence a line; iterating streams the sentences."""

    language: str
    origin: str
    path: Path

    def __iter__(self) -> Iterator[str]:
        """Stream the lines that are not blank; raises DataError if the file cannot be read."""
        for _, line in read_lines(self.path):
            if text := line.strip():
                yield text


def find_files(
    corpora: Iterable[CorpusConfig], directions: Iterable[tuple[str, str]]
) -> list[PairFile]:
    """Every parallel file that serves one of the directions, either way round.

    Files of the same two languages all get the order of the first one.

    Raises:
        ConfigError: a corpus names no file, several kinds of file, or wrong languages.
        DataError: a file or folder does not exist.
    """
    wanted = {frozenset(direction) for direction in directions}
    found: list[PairFile] = []
    for corpus in corpora:
        if _kind(corpus) != "text":
            found += [file for file in _files_of(corpus) if _is_wanted(file, wanted)]
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


def _is_wanted(file: PairFile, wanted: Iterable[frozenset[str]]) -> bool:
    first, second = file.languages
    taught = file.teaches(first, second) or file.teaches(second, first)
    return taught and frozenset(file.languages) in wanted


def find_sides(corpora: Iterable[CorpusConfig], languages: Iterable[str]) -> list[PairFile]:
    """Every parallel file with text in one of the languages; with both of them, of many."""
    wanted, found = set(languages), list[PairFile]()
    for corpus in corpora:
        if _kind(corpus) == "text":
            continue
        needed = 2 if corpus.folder or corpus.table else 1
        for file in _files_of(corpus):
            if len(wanted.intersection(file.languages)) >= needed:
                found.append(file)
    return found


def find_texts(
    corpora: Iterable[CorpusConfig], languages: Iterable[str], elsewhere: Iterable[str] = ()
) -> list[TextFile]:
    """Every `text` corpus in one of the languages; those that have text `elsewhere` need none.

    Raises:
        ConfigError: a corpus names no file, several kinds of file, or not one language.
        DataError: a file does not exist, or a language has none.
    """
    found = [_text_of(corpus) for corpus in corpora if _kind(corpus) == "text"]
    wanted = list(languages)
    covered = {file.language for file in found}.union(elsewhere)
    missing = [code for code in wanted if code not in covered]
    if missing:
        raise DataError(
            f"no corpus has text in {', '.join(missing)}", fix='Add { text = …, languages = ["…"] }'
        )
    return [file for file in found if file.language in wanted]


def _kind(corpus: CorpusConfig) -> str:
    kinds = [name for name in _KINDS if getattr(corpus, name)]
    if len(kinds) != 1 or bool(corpus.source) != bool(corpus.target):
        raise ConfigError(
            "a corpus names no text, or too much",
            fix=f"Give one of {', '.join(_KINDS)}; `source` goes with `target`",
        )
    return kinds[0]


def _turned(file: PairFile, languages: tuple[str, str]) -> PairFile:
    if file.languages == languages:
        return file
    return dataclasses.replace(file, languages=languages, swapped=True)


def _files_of(corpus: CorpusConfig) -> list[PairFile]:
    if corpus.folder:
        return _files_in_folder(corpus)
    if corpus.table:
        return _files_of_table(corpus)
    if len(corpus.languages) != 2 or corpus.languages[0] == corpus.languages[1]:
        raise ConfigError(
            "a corpus of parallel files does not have two languages",
            fix='Add languages = ["en", "de"]',
        )
    names = (corpus.source, corpus.target) if corpus.source else (_path_of(corpus),)
    paths = [_existing(name) for name in names]
    return [PairFile((corpus.languages[0], corpus.languages[1]), corpus, paths[0])]


def _path_of(corpus: CorpusConfig) -> str:
    return corpus.tsv or corpus.tmx or corpus.jsonl or corpus.po


def _text_of(corpus: CorpusConfig) -> TextFile:
    if len(corpus.languages) != 1:
        raise ConfigError("a text corpus has not one language", fix='Add languages = ["en"]')
    path = _existing(corpus.text)
    return TextFile(corpus.languages[0], corpus.origin or path.name, path)


def _existing(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise DataError(f"there is no file {path}", fix="Correct data.corpora in the recipe")
    return path


def _files_in_folder(corpus: CorpusConfig) -> list[PairFile]:
    folder = Path(corpus.folder)
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}", fix="Correct data.corpora in the recipe")
    files = []
    names = ("*-*.tsv", "*-*.tsv.xz", "*-*.tsv.gz")
    for path in sorted(path for name in names for path in folder.glob(name)):
        first, _, second = path.name.split(".")[0].partition("-")
        files.append(PairFile((first, second), corpus, path))
    return files


def _files_of_table(corpus: CorpusConfig) -> list[PairFile]:
    """Each two of the languages in its columns."""
    path = _existing(corpus.table)
    if corpus.languages:
        raise ConfigError(
            "a table's languages are named twice",
            why=f"{path} names its own in its first line",
            fix="Remove `languages` from the corpus",
        )
    return [PairFile(pair, corpus, path) for pair in combinations(read_header(path), 2)]
