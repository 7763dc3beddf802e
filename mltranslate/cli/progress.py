"""A progress bar of one line on stderr, for people only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

_WIDTH = 30
_DELAY = 1.0
"""Seconds of work before the bar shows: what is quick needs none."""
_INTERVAL = 0.1
"""Seconds between two drawings."""
_ERASE = "\r\x1b[K"


class ProgressBar:
    """Counts sentences; shows itself only on a terminal and only after a second."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._on = self._stream.isatty()
        self._due = clock() + _DELAY
        self._shown = False

    def update(self, done: int, total: int | None) -> None:
        """Show `done` sentences out of `total`, or their number alone while the end is unknown."""
        now = self._clock()
        if not self._on or now < self._due:
            return
        self._due = now + _INTERVAL
        self._shown = True
        self._stream.write(_ERASE + _line(done, total))
        self._stream.flush()

    def clear(self) -> None:
        """Take the bar off the screen, so that other lines can be written."""
        if self._shown:
            self._shown = False
            self._stream.write(_ERASE)
            self._stream.flush()


def _line(done: int, total: int | None) -> str:
    if not total:
        return f"{done} sentences"
    filled = _WIDTH * done // total
    bar = "#" * filled + "-" * (_WIDTH - filled)
    return f"[{bar}] {100 * done // total:3d} %  {done}/{total} sentences"
