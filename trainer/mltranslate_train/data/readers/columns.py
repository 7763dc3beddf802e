"""Tab-separated pairs, and two files that are parallel line by line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from mltranslate.errors import DataError
from mltranslate_train.data.readers.lines import read_lines
from mltranslate_train.data.readers.pair import Pair


def read_columns(path: Path, columns: int, origin: str = "") -> Iterator[Pair]:
    """Pairs of the last two of two or three columns; the first of three is the origin.

    Raises:
        DataError: a line has another number of columns, or the file cannot be read.
    """
    for number, line in read_lines(path):
        parts = line.split("\t")
        if len(parts) != columns:
            raise DataError(
                f"{path}:{number} has {len(parts)} columns",
                why=f"{columns} are needed",
                fix="Put one tab between columns, no comma or semicolon, and none inside a text",
            )
        yield Pair(origin or parts[0], parts[-2], parts[-1])


def read_parallel(first: Path, second: Path, origin: str) -> Iterator[Pair]:
    """Line n of one file beside line n of the other.

    Raises:
        DataError: the files differ in length, or one cannot be read.
    """
    for one, two in zip_longest(read_lines(first), read_lines(second)):
        if one is None or two is None:
            shorter, (number, _) = (second, one) if one else (first, two)
            raise DataError(
                f"{shorter} ends before line {number}", why="the files differ in length"
            )
        yield Pair(origin, one[1], two[1])
