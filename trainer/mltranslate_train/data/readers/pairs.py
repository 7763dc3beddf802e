"""One corpus file as a stream of sentence pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mltranslate_train.config import CorpusConfig
from mltranslate_train.data.readers.columns import read_columns, read_parallel
from mltranslate_train.data.readers.jsonl import read_jsonl
from mltranslate_train.data.readers.pair import Pair, Skipped
from mltranslate_train.data.readers.po import read_po
from mltranslate_train.data.readers.table import read_table
from mltranslate_train.data.readers.tmx import read_tmx


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
        return self.read(Counter())

    def teaches(self, source: str, target: str) -> bool:
        """Whether the file may be used to learn the direction, as far as its corpus says."""
        wanted = self.corpus.directions
        return not wanted or f"{source}-{target}" in wanted

    def read(self, skipped: Skipped) -> Iterator[Pair]:
        """Do what iterating does, and count what is skipped."""
        for pair in self._pairs(skipped):
            yield Pair(pair.origin, pair.second, pair.first) if self.swapped else pair

    def _pairs(self, skipped: Skipped) -> Iterator[Pair]:
        corpus, path = self.corpus, self.path
        if corpus.folder:
            return read_columns(path, 3)
        origin = corpus.origin or path.name
        if corpus.tsv:
            return read_columns(path, 2, origin)
        if corpus.source:
            return read_parallel(path, Path(corpus.target), origin)
        if corpus.po:
            return read_po(path, origin, skipped)
        first, second = self.languages[::-1] if self.swapped else self.languages
        if corpus.tmx:
            return read_tmx(path, (first, second), origin, skipped)
        if corpus.table:
            return read_table(path, (first, second), origin, skipped)
        return read_jsonl(path, (first, second), origin)
