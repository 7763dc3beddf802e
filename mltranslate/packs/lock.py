"""A lock between processes, which the system takes back when its holder ends, even if killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mltranslate.errors import MltError, reason, remedy


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that the file `path` stands for; the file stays, and says nothing.

    Raises:
        MltError: another process, or another part of this one, holds it, or it cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _refusal(path, reason(error), remedy(error)) from error
    try:
        try:
            _lock(descriptor)
        except BlockingIOError as error:
            raise _refusal(
                path, "another installation or removal is under way", "Wait until it has ended"
            ) from error
        except OSError as error:
            raise _refusal(path, reason(error), remedy(error)) from error
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _refusal(path: Path, why: str, fix: str) -> MltError:
    return MltError(
        "the installed packs cannot be changed now", why=f"{path} cannot be locked: {why}", fix=fix
    )
