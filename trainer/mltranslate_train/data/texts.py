"""Text in one language, from plain files and from the sides of parallel ones.

It goes through the same filters and shards as pairs do, as pairs of a text with itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mltranslate_train.config import CorpusConfig
from mltranslate_train.data.readers import Pair, PairFile, Skipped, TextFile, find_texts


@dataclass(frozen=True, slots=True)
class Text:
    """The text in one language of a corpus file."""

    language: str
    file: PairFile | TextFile

    @property
    def languages(self) -> tuple[str, str]:
        """The language, twice."""
        return self.language, self.language

    @property
    def path(self) -> Path:
        """The corpus file."""
        return self.file.path

    def __iter__(self) -> Iterator[Pair]:
        """Stream each text as both sides of a pair; raises DataError as the file's reader does."""
        return self.read(Counter())

    def read(self, skipped: Skipped) -> Iterator[Pair]:
        """Do what iterating does, and count what is skipped."""
        file = self.file
        if isinstance(file, TextFile):
            yield from (Pair(file.origin, text, text) for text in file)
            return
        is_first = file.languages[0] == self.language
        for pair in file.read(skipped):
            text = pair.first if is_first else pair.second
            yield Pair(pair.origin, text, text)


def find_text(
    corpora: Iterable[CorpusConfig], languages: Sequence[str], parallel: Iterable[PairFile]
) -> list[Text]:
    """All text in the languages, the plain files first; `parallel` are files that may have some.

    Raises:
        ConfigError: a corpus names no file, several kinds of file, or not one language.
        DataError: a file does not exist, or a language has none.
    """
    sides = [Text(code, file) for file in parallel for code in file.languages if code in languages]
    plain = find_texts(corpora, languages, elsewhere={side.language for side in sides})
    return [*(Text(file.language, file) for file in plain), *sides]
