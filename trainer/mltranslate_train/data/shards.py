"""Memory-mapped token shards: one folder for each language pair, both directions in one.

`tokens.u16` holds the pieces of all pairs back to back (first side, then second), `pairs.npy`
one record a pair. Reading maps the files, so a corpus may be larger than memory.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from mltranslate.errors import DataError

RECORD = np.dtype([("start", "<u8"), ("first", "<u2"), ("second", "<u2"), ("origin", "<u2")])
_TOKENS, _PAIRS, _ABOUT = "tokens.u16", "pairs.npy", "shard.json"
_FLUSH = 1 << 16


class ShardWriter:
    """Writes one language pair; the folder is complete only once the writer is closed."""

    def __init__(self, folder: Path, languages: tuple[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._languages = folder, languages
        self._tokens: BinaryIO = (folder / _TOKENS).open("wb")
        self._records: list[tuple[int, int, int, int]] = []
        self._chunks: list[NDArray[np.void]] = []
        self._origins: dict[str, int] = {}
        self._position = 0

    def add(self, origin: str, first: list[int], second: list[int]) -> None:
        """Append one pair of piece ids."""
        number = self._origins.setdefault(origin, len(self._origins))
        self._tokens.write(np.array(first + second, dtype="<u2").tobytes())
        self._records.append((self._position, len(first), len(second), number))
        self._position += len(first) + len(second)
        if len(self._records) >= _FLUSH:
            self._pack()

    def _pack(self) -> None:
        self._chunks.append(np.array(self._records, dtype=RECORD))
        self._records = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tokens.close()
        if error is None:
            self._pack()
            self._finish()

    def _finish(self) -> None:
        records = np.concatenate(self._chunks)
        np.save(self._folder / _PAIRS, records)
        about: dict[str, Any] = {
            "languages": self._languages,
            "origins": list(self._origins),
            "pairs": len(records),
            "tokens": self._position,
        }
        (self._folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


class Shard:
    """One language pair, mapped into memory."""

    def __init__(self, folder: Path) -> None:
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            self.records = np.load(folder / _PAIRS, mmap_mode="r")
            self._tokens = np.memmap(folder / _TOKENS, dtype="<u2", mode="r")
        except (OSError, ValueError) as error:
            raise DataError(
                f"shard {folder} cannot be read", why=str(error), fix="Prepare the data again"
            ) from error
        self.languages: tuple[str, str] = (about["languages"][0], about["languages"][1])
        self.origins: list[str] = about["origins"]
        if len(self.records) != about["pairs"] or len(self._tokens) != about["tokens"]:
            raise DataError(
                f"shard {folder} is truncated",
                why=f"{len(self._tokens)} of {about['tokens']} tokens are there",
                fix="Prepare the data again",
            )

    def __len__(self) -> int:
        return len(self.records)

    def pair(self, index: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Piece ids of the first and the second side."""
        start, first, second, _ = self.records[index].item()
        middle = start + first
        return self._tokens[start:middle], self._tokens[middle : middle + second]
