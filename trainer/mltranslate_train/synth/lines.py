"""The lines that are translated, and what tells whether they are still the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from mltranslate.errors import ConfigError, DataError
from mltranslate.text.cleaning import clean
from mltranslate_train.config import CorpusConfig, DataConfig, load_recipe
from mltranslate_train.data.filters.report import FilterReport
from mltranslate_train.data.filters.selection import Selected, select
from mltranslate_train.data.holdout import Holdout
from mltranslate_train.data.readers import find_files, read_lines
from mltranslate_train.evaluate.sets import Direction
from mltranslate_train.locations import find_recipe


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence to translate."""

    origin: str
    """Where it is from: the name of a file, or the origin of a pair."""
    source: str
    reference: str = ""
    """The translation that a corpus has for it, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Files in one language, one sentence a line, or in one of several columns."""

    paths: Sequence[Path]
    column: int = 0
    """Number, from 1, of the tab-separated column that is read; 0 reads the whole line."""

    def __iter__(self) -> Iterator[Line]:
        """Stream the lines, blank ones too; raises DataError for a damaged or malformed file."""
        for path in self.paths:
            for number, text in read_lines(path):
                yield Line(path.name, clean(self._cell(text, f"{path}:{number}")))

    def _cell(self, line: str, where: str) -> str:
        if not self.column:
            return line
        cells = line.split("\t")
        if len(cells) < self.column:
            raise DataError(f"{where} has {len(cells)} columns", why=f"{self.column} are needed")
        return cells[self.column - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """One direction of the pairs that a recipe trains on."""

    direction: Direction
    parts: Sequence[Selected]
    """What is used of the files, all in one order of the two languages."""
    paths: Sequence[Path]
    """The files."""

    def __iter__(self) -> Iterator[Line]:
        """Stream the lines; raises DataError for a damaged or malformed file."""
        for part in self.parts:
            forwards = part.languages == self.direction
            for pair in part:
                first, second = clean(pair.first), clean(pair.second)
                texts = (first, second) if forwards else (second, first)
                yield Line(pair.origin, *texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The first `most` lines; all if it is 0."""

    lines: Iterable[Line]
    most: int

    def __iter__(self) -> Iterator[Line]:
        """Stream them."""
        return islice(self.lines, self.most or None)


def pairs_of(text: str, directions: Sequence[Direction]) -> list[Sources]:
    """The pairs of a corpus folder, or those that a recipe trains on, in each direction.

    Filters, weights and held-out text of the recipe apply as in `prepare`. No `directions` means
    those of the recipe.

    Raises:
        ConfigError: a recipe that is wrong, or a folder without directions.
        DataError: a corpus is missing or malformed.
    """
    if not Path(text).is_dir():
        recipe = load_recipe(find_recipe(text))
        return _selected(recipe.data, directions or recipe.directions)
    if not directions:
        raise ConfigError(
            f"{text} is a folder, which says nothing of directions",
            fix="Give --directions, as en-de,de-en",
        )
    names = tuple("-".join(direction) for direction in directions)
    return _selected(DataConfig(corpora=(CorpusConfig(folder=text),), directions=names), directions)


def _selected(data: DataConfig, directions: Sequence[Direction]) -> list[Sources]:
    files = find_files(data.corpora, directions)
    parts = select(files, data, FilterReport(), Holdout(files, data.holdout).texts)
    for part in parts:
        # Filters that remember earlier pairs want the first pass to be whole, and in this order.
        for _ in part:
            pass
    return [
        Sources(
            direction=direction,
            parts=[
                part
                for part in parts
                if set(part.languages) == set(direction) and part.teaches(*direction)
            ],
            paths=[file.path for file in files if set(file.languages) == set(direction)],
        )
        for direction in directions
    ]


def examine(lines: Iterable[Line]) -> dict[str, Any]:
    """Number and SHA-256 of the lines: what a continued job compares.

    Raises:
        DataError: a file is damaged or malformed, which is better known before hours of work, or
            there is no line.
    """
    digest, count = hashlib.sha256(), 0
    for line in lines:
        text = f"{line.origin}\t{line.source}\t{line.reference}\n"
        digest.update(text.encode("utf-8", "surrogatepass"))
        count += 1
    if not count:
        raise DataError("there is no line to translate")
    return {"lines": count, "sha256": digest.hexdigest()}
