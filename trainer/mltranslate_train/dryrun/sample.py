"""A part of every corpus file, read strictly, as a small corpus of its own."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from mltranslate_train.config import CorpusConfig, Recipe
from mltranslate_train.data.readers import Pair, PairFile, find_files, find_sides, find_texts
from mltranslate_train.data.texts import Text
from mltranslate_train.data.weights import is_used
from mltranslate_train.dryrun.unpacked import unpacked_size

SCANNED, KEPT = 100_000, 4_000
"""Pairs of a file that are read, and most of them that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What was read of one corpus file."""

    languages: tuple[str, str]
    """Twice the same where it is text in one language."""
    directions: tuple[str, ...] = ()
    """Those that its corpus is for; none means all."""
    scanned: int
    """Pairs that were read."""
    whole: bool
    """That was the whole file."""
    used: int
    """Of those, pairs whose origin has a weight."""
    kept: int
    """Of those, pairs that went into the small corpus."""
    pairs: float
    """All pairs of the file, estimated by its size if it was not read wholly."""

    @property
    def all_kept(self) -> bool:
        """All that the file has to offer is in the small corpus."""
        return self.whole and self.kept == self.used

    def holds(self, languages: str) -> bool:
        """Whether it has text in the language "a", or in both of "a-b"."""
        return set(languages.split("-")) <= set(self.languages)

    def serves(self, direction: str) -> bool:
        """Whether its pairs are examples of the direction "a-b", or its text is in "a"."""
        one_way = self.directions and "-" in direction
        return self.holds(direction) and (not one_way or direction in self.directions)

    @property
    def scale(self) -> float:
        """How many usable pairs of the file there are for each that was kept."""
        return self.pairs * self.used / max(1, self.scanned * self.kept)


def sample_corpora(recipe: Recipe, folder: Path) -> tuple[Recipe, list[Part]]:
    """Write a small corpus into `folder`; gives the recipe over it, and what was read.

    Raises:
        ConfigError, DataError: a corpus is missing or malformed, as far as it was read.
    """
    folder.mkdir()
    rng = random.Random(recipe.data.seed)  # noqa: S311 - no secret
    parts, texts = [], list[CorpusConfig]()
    folders: dict[tuple[str, ...], Path] = {}
    corpora, languages = recipe.data.corpora, recipe.data.languages
    sides = find_sides(corpora, languages)
    for file in find_files(corpora, [*recipe.directions, *(side.languages for side in sides)]):
        part, kept = _read(file, recipe, rng)
        parts.append(part)
        place = folders.setdefault(part.directions, folder / f"{len(folders)}")
        place.mkdir(exist_ok=True)
        with (place / f"{'-'.join(file.languages)}.tsv").open("a", encoding="utf-8") as small:
            small.writelines(f"{pair.origin}\t{pair.first}\t{pair.second}\n" for pair in kept)
    covered = {code for side in sides for code in side.languages}
    for number, text in enumerate(find_texts(corpora, languages, elsewhere=covered)):
        part, kept = _read(Text(text.language, text), recipe, rng)
        parts.append(part)
        path = folder / f"{number}.txt"
        path.write_text("".join(f"{pair.first}\n" for pair in kept), encoding="utf-8")
        config = CorpusConfig(text=str(path), languages=(text.language,), origin=text.origin)
        texts.append(config)
    small_ones = [
        CorpusConfig(folder=str(place), directions=only) for only, place in folders.items()
    ]
    data = replace(recipe.data, corpora=(*small_ones, *texts))
    return replace(recipe, data=data), parts


def _read(file: PairFile | Text, recipe: Recipe, rng: random.Random) -> tuple[Part, list[Pair]]:
    """Read the first pairs of a file, and draw from those that are used."""
    reservoir: list[Pair] = []
    scanned = used = size = 0
    pairs = iter(file)
    for pair in islice(pairs, SCANNED):
        scanned += 1
        size += len(_line(file, pair).encode()) + 1
        if not is_used(pair.origin, recipe.data):
            continue
        used += 1
        if len(reservoir) < KEPT:
            reservoir.append(pair)
        elif (slot := rng.randrange(used)) < KEPT:
            reservoir[slot] = pair
    whole = next(pairs, None) is None
    every = scanned if whole else max(scanned, scanned * _plain_size(file) / size)
    counts = {"scanned": scanned, "used": used, "kept": len(reservoir)}
    only = file.corpus.directions if isinstance(file, PairFile) else ()
    about = Part(languages=file.languages, directions=only, whole=whole, pairs=every, **counts)
    return about, reservoir


def _line(file: PairFile | Text, pair: Pair) -> str:
    """The pair or text as it stands in a plain file."""
    if isinstance(file, Text):
        return pair.first
    first, second = (pair.second, pair.first) if file.swapped else (pair.first, pair.second)
    if file.corpus.source:
        return first
    return f"{first}\t{second}" if file.corpus.tsv else f"{pair.origin}\t{first}\t{second}"


def _plain_size(file: PairFile | Text) -> int:
    """Bytes of a file of lines when unpacked; 0 for other formats, and where it is not known."""
    if isinstance(file, PairFile) and not (
        file.corpus.folder or file.corpus.tsv or file.corpus.source
    ):
        return 0
    return unpacked_size(file.path)
