"""Files and folders that exist only when they are whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mltranslate.errors import DataError, reason, remedy


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
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it becomes `path`, where nothing is yet, if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as place:
        new = Path(place) / path.name  # by mkdir: as open to others as its neighbours
        new.mkdir()
        yield new
        new.rename(path)


def check_writable(folder: Path) -> None:
    """Raise DataError unless files can be written into `folder`, which need not exist yet.

    Nothing is left behind.
    """
    full = folder.resolve()
    place = next(path for path in (full, *full.parents) if path.exists())
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        raise _unwritable(folder, error) from error


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn what can go wrong while `folder` is filled, a full disk above all, into a DataError."""
    try:
        yield
    except OSError as error:
        raise _unwritable(error.filename or folder, error) from error


def _unwritable(path: object, error: OSError) -> DataError:
    return DataError(f"{path} cannot be written", why=reason(error), fix=remedy(error))
