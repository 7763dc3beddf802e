"""Text files, plain or compressed, line by line."""

from __future__ import annotations

import gzip
import lzma
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from mltranslate.errors import DataError, reason

MAX_LINE = 1 << 20
"""Characters of the longest line; without a bound, a small archive could fill the memory."""
_CONVERT = "Convert it first, for example with iconv"
_RIGHT = "Correct its path, or get the file again"
_BREAK = re.compile(r"[ \t\r\n]*[\t\r\n][ \t\r\n]*")


def open_text(path: Path) -> TextIO:
    """Open a UTF-8 file for reading, through xz or gzip where its name says so.

    Only a line feed ends a line; other separators of Unicode may stand inside a sentence.
    """
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8", newline="\n")
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8", newline="\n"))
    return path.open(encoding="utf-8", newline="\n")


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading bytes, unpacked where its name says so."""
    if path.suffix == ".xz":
        return cast(BinaryIO, lzma.open(path))
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path))
    return path.open("rb")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what can go wrong while `path` is read into a DataError."""
    try:
        yield
    except UnicodeDecodeError as error:
        place = f"{path}:{_undecodable_line(path)}"
        raise DataError(
            f"{place} cannot be read", why=f"it is no UTF-8: {error.reason}", fix=_CONVERT
        ) from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"{path} cannot be read", why=reason(error), fix=_RIGHT) from error


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each line, without its end and without a byte order mark.

    Raises:
        DataError: the file is missing or damaged, is no UTF-8, or has a line beyond `MAX_LINE`.
    """
    with readable(path), open_text(path) as file:
        lines = iter(partial(file.readline, MAX_LINE + 1), "")
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_LINE:
                raise DataError(f"{path}:{number} is longer than {MAX_LINE} characters")
            text = line.rstrip("\r\n")
            yield number, text.removeprefix("\ufeff") if number == 1 else text


def count_lines(path: Path) -> int:
    """How many lines `read_lines` has, without decoding them; raises DataError if damaged."""
    count, last = 0, b"\n"
    with readable(path), open_bytes(path) as file:
        for block in iter(partial(file.read, MAX_LINE), b""):
            count, last = count + block.count(b"\n"), block[-1:]
    return count + (last != b"\n")


def one_line(text: str) -> str:
    """The text with each line break or tab, and the space around it, as one space."""
    return _BREAK.sub(" ", text).strip(" ")


def _undecodable_line(path: Path) -> int:
    """Number of the first line that is no UTF-8: text is decoded in blocks that span lines."""
    number = 1
    with open_bytes(path) as file:
        for number, line in enumerate(iter(partial(file.readline, 4 * MAX_LINE), b""), 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return number
