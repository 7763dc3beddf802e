"""Translations that are already in files, one a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mltranslate.errors import DataError, UsageError
from mltranslate_train.data.whole import writable
from mltranslate_train.evaluate.sets import Direction, TestSet, read_lines
from mltranslate_train.evaluate.systems import Advance, SystemInfo

_NAME = re.compile(r"(?P<set>.+)\.(?P<source>[^.-]+)-(?P<target>[^.-]+)\.txt")
_BREAKS = re.compile(r"[\r\n]+")

Key = tuple[str, Direction]
"""Name of a set and a direction."""


def file_name(dataset: str, direction: Direction) -> str:
    """Name of the file that holds the translations of a set in a direction."""
    return f"{dataset}.{direction[0]}-{direction[1]}.txt"


def find_files(folder: Path) -> dict[Key, Path]:
    """Files of a folder that `file_name` could have named."""
    found: dict[Key, Path] = {}
    for path in sorted(folder.glob("*.txt")):
        if match := _NAME.fullmatch(path.name):
            found[match["set"], (match["source"], match["target"])] = path
    return found


def write_outputs(folder: Path, key: Key, lines: Sequence[str]) -> None:
    """Write translations, one a line, where `HypothesisFolder` finds them.

    Raises:
        DataError: the file cannot be written.
    """
    path = folder / file_name(*key)
    # A line break inside a translation would shift all lines below it.
    text = "".join(_BREAKS.sub(" ", line) + "\n" for line in lines)
    with writable(path):
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


@dataclass(frozen=True, slots=True)
class HypothesisFile:
    """One file, for one set in one direction."""

    path: Path
    directions: Sequence[Direction]

    @classmethod
    def open(
        cls, path: Path, sets: Sequence[TestSet], wanted: Sequence[Direction]
    ) -> HypothesisFile:
        """The file for the only set and direction; raises UsageError if there are more."""
        if len(sets) != 1 or len(wanted) != 1:
            raise UsageError(
                f"{path} is one file of translations",
                why=f"there are {len(sets)} sets and {len(wanted)} directions",
                fix="Name one --on and one of --directions, or give a folder made by --outputs",
            )
        return cls(path, tuple(wanted))

    @property
    def info(self) -> SystemInfo:
        """Name of the file."""
        return SystemInfo(kind="hypotheses", name=self.path.name)

    def outputs(
        self, dev: TestSet, direction: Direction, sources: Sequence[str], advance: Advance
    ) -> list[str]:
        """The lines of the file; raises DataError unless there is one for each source."""
        return _read(self.path, len(sources), advance)


@dataclass(frozen=True, slots=True)
class HypothesisFolder:
    """A folder of files `<set>.<source>-<target>.txt`."""

    path: Path
    files: dict[Key, Path]

    @property
    def info(self) -> SystemInfo:
        """Name of the folder."""
        return SystemInfo(kind="hypotheses", name=self.path.name)

    @property
    def directions(self) -> Sequence[Direction]:
        """Directions of all its files."""
        return list(dict.fromkeys(direction for _, direction in self.files))

    def outputs(
        self, dev: TestSet, direction: Direction, sources: Sequence[str], advance: Advance
    ) -> list[str]:
        """The lines of the set's file; raises DataError unless there is one for each source."""
        if (dev.name, direction) not in self.files:
            raise DataError(f"there is no {file_name(dev.name, direction)} in {self.path}")
        return _read(self.files[dev.name, direction], len(sources), advance)


def _read(path: Path, expected: int, advance: Advance) -> list[str]:
    lines = read_lines(path)
    if len(lines) != expected:
        raise DataError(
            f"{path} does not fit the set",
            why=f"it has {len(lines)} lines for {expected} sources",
            fix="Translate the same lines, or choose as many with --lines",
        )
    advance(expected)
    return lines
