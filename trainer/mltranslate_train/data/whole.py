"""Files that exist only when they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mltranslate.errors import DataError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to; what is there when the block succeeds takes the place of `path`."""
    new = path.with_name(f"{path.name}.new")
    try:
        yield new
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, all or nothing."""
    with whole_file(path) as new:
        new.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn what can go wrong while `folder` is filled, a full disk above all, into a DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{error.filename or folder} cannot be written",
            why=error.strerror or str(error),
            fix="Make room or mend the folder, then run the same command again",
        ) from error
