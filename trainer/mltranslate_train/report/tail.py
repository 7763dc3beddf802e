"""Follow a file of JSON lines that another process appends to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

MOST_BYTES = 1 << 22
"""Bytes that one `Tail.read` takes at most, so that a screen stays alive meanwhile."""

_HEAD_BYTES = 256


class LineFeed:
    """Bytes in, in any portions; whole JSON objects out."""

    def __init__(self) -> None:
        self._rest = b""
        self.damaged = 0
        """Lines that held no JSON object."""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Objects of the lines that `data` completes; a last line without its end waits."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        records = []
        for line in filter(bytes.strip, lines):
            record = _parse(line)
            if record is None:
                self.damaged += 1
            else:
                records.append(record)
        return records


def _parse(line: bytes) -> dict[str, Any] | None:
    """The object of a line.

    A process that was killed while it wrote leaves half a line, and the next one writes on behind
    it: then the object that begins last counts.
    """
    for start in (0, line.rfind(b'{"time"')):
        try:
            record = json.loads(line[max(0, start) :])
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            return record
    return None


class Tail:
    """Reads what is new in a file, and notices when it has become another one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begin()

    def _begin(self) -> None:
        self._feed = LineFeed()
        self._offset = 0
        self._head = b""
        self._node = 0

    @property
    def damaged(self) -> int:
        """Lines without a JSON object so far."""
        return self._feed.damaged

    def read(self) -> tuple[bool, list[dict[str, Any]], bool]:
        """What came since the last call, as (file began anew, records, there is more to read).

        When the file began anew, the records are the first ones of the new file. A file that is
        gone, or not there yet, gives no records.

        Raises:
            OSError: the file is there and cannot be read.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return False, [], False
        with file:
            status = os.fstat(file.fileno())
            head = file.read(_HEAD_BYTES)
            anew = self._is_another(status, head)
            if anew:
                self._begin()
            self._node, self._head = status.st_ino, head
            file.seek(self._offset)
            data = file.read(MOST_BYTES)
        self._offset += len(data)
        return anew, self._feed.feed(data), self._offset < status.st_size

    def _is_another(self, status: os.stat_result, head: bytes) -> bool:
        if self._offset == 0:
            return False
        replaced = status.st_ino != self._node or not head.startswith(self._head)
        return replaced or status.st_size < self._offset
