"""Test sets: aligned plain text files, one sentence a line.

They are `<prefix><language>`, or in the folder of that name `<a>-<b>.<a>` and `<a>-<b>.<b>`, as a
run holds them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mltranslate.errors import DataError, UsageError
from mltranslate_train.data import readers
from mltranslate_train.evaluate.metrics import join_pieces

Direction = tuple[str, str]
"""Codes of source and target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextForm:
    """What the lines of all sets and hypotheses are."""

    tokenized: bool = False
    """The text is tokenised: BLEU and TER take it as it is."""
    joiner: str = ""
    """Mark at the end of a piece that the next one continues, as "@@"; joined before scoring."""

    def joined(self, lines: Iterable[str]) -> list[str]:
        """The lines as they are scored."""
        return [join_pieces(line, self.joiner) for line in lines]


PLAIN = TextForm()
"""Text as people write it."""


@dataclass(frozen=True, slots=True)
class TestSet:
    """A name and the beginning of its files' paths."""

    __test__ = False  # the name is not meant for pytest

    name: str
    prefix: str
    lines: int = 0
    """Most lines to use; 0 uses all."""

    def has(self, direction: Direction) -> bool:
        """Whether there is a file for both languages."""
        return all(path.is_file() for path in self._files(direction))

    def read(self, direction: Direction) -> tuple[list[str], list[str]]:
        """Sources and references; raises DataError if they are not parallel or cannot be read."""
        files = self._files(direction)
        source, target = (read_lines(path, self.lines) for path in files)
        sizes = [*map(readers.count_lines, files)]  # of the whole: a line may be missing before
        if sizes[0] != sizes[1] or not source:
            raise DataError(
                f"the files of set {self.name} are not parallel",
                why=f"lines: {direction[0]} {sizes[0]}, {direction[1]} {sizes[1]}",
            )
        return source, target

    def _files(self, direction: Direction) -> list[Path]:
        """Files of source and target; those of the prefix alone if there are none of the pair."""
        alone = [Path(self.prefix + language) for language in direction]
        pairs = [
            [Path(self.prefix, f"{first}-{second}.{language}") for language in direction]
            for first, second in (direction, direction[::-1])
        ]
        found = (files for files in pairs if all(path.is_file() for path in files))
        return next(found, alone)


def parse_set(text: str, lines: int = 0) -> TestSet:
    """Read NAME=PREFIX; raises UsageError for anything else."""
    name, equals, prefix = text.partition("=")
    if not equals or not name or not prefix:
        raise UsageError(f"--on {text!r} is no set", fix="Write --on NAME=PREFIX")
    if "/" in name or "\\" in name:
        raise UsageError(f"--on {text!r} has a path for a name", fix="Write --on NAME=PREFIX")
    return TestSet(name, prefix, lines)


def parse_sets(texts: Sequence[str], lines: int = 0) -> list[TestSet]:
    """Read several NAME=PREFIX; raises UsageError when two have one name."""
    sets = [parse_set(text, lines) for text in texts]
    names = [item.name for item in sets]
    if len(set(names)) < len(names):
        raise UsageError(f"two sets have one name among {', '.join(names)}")
    if lines < 0:
        raise UsageError(f"{lines} lines make no sense", fix="Give 1 or more; 0 uses all")
    return sets


def parse_directions(text: str) -> list[Direction]:
    """Read "en-de,de-en"; an empty text is an empty list. Raises UsageError."""
    found: list[Direction] = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        source, _, target = item.partition("-")
        if not source or not target or source == target or (source, target) in found:
            raise UsageError(
                f"--directions has {item!r}",
                why="a direction is two different codes joined by a hyphen, named once",
                fix="Write --directions en-de,de-en",
            )
        found.append((source, target))
    return found


def choose_directions(
    dev: TestSet, offered: Sequence[Direction], wanted: Sequence[Direction]
) -> list[Direction]:
    """Directions of a set to measure: those wanted, or all on offer whose files are there.

    What is not on offer may still be wanted: a pivot of a pack, or a pair that a run never saw.

    Raises:
        DataError: files of a wanted direction are missing, or there are none at all.
    """
    found = [direction for direction in wanted or offered if dev.has(direction)]
    if not found or len(found) < len(wanted):
        raise DataError(
            f"set {dev.name} has no files {dev.prefix}<language>, nor pairs in a folder,"
            f" for {'every wanted' if wanted else 'any'} direction",
            fix="Correct --on, or name the directions that have files with --directions",
        )
    return found


def read_lines(path: Path, most: int = 0) -> list[str]:
    """First `most` lines, or all, as training reads them; raises DataError if it cannot."""
    return [text for _, text in islice(readers.read_lines(path), most or None)]
