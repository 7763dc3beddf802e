"""Tables of one text in many languages: tab-separated, the first line names the languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mltranslate.errors import DataError
from mltranslate_train.data.readers.lines import read_lines
from mltranslate_train.data.readers.pair import Pair, Skipped

_HEADER = "Put the languages' codes into the first line, with tabs between them"


def read_header(path: Path) -> tuple[str, ...]:
    """Language codes of the columns.

    Raises:
        DataError: the file cannot be read, or its first line does not name two languages or more,
            each once.
    """
    _, line = next(read_lines(path), (1, ""))
    codes = tuple(line.split("\t"))
    if len(codes) < 2 or len(set(codes)) < len(codes) or not all(map(_is_code, codes)):
        raise DataError(f"{path}:1 names no languages", why=f"it is {line[:60]!r}", fix=_HEADER)
    return codes


def read_table(
    path: Path, languages: tuple[str, str], origin: str, skipped: Skipped
) -> Iterator[Pair]:
    """Pairs of two of the columns; rows in which one of them is empty are counted and left out.

    Raises:
        DataError: a line has another number of columns than the first, or the file cannot be read.
    """
    codes = read_header(path)
    first, second = map(codes.index, languages)
    for number, line in read_lines(path):
        if number == 1:
            continue
        cells = line.split("\t")
        if len(cells) != len(codes):
            raise DataError(
                f"{path}:{number} has {len(cells)} columns",
                why=f"the first line has {len(codes)}",
                fix="Leave a cell empty where there is no text, and put no tab inside a text",
            )
        if cells[first] and cells[second]:
            yield Pair(origin, cells[first], cells[second])
        else:
            skipped["language missing", origin] += 1


def _is_code(text: str) -> bool:
    return 2 <= len(text) <= 12 and text.isascii() and text.replace("-", "").isalnum()
