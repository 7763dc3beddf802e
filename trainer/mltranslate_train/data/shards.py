"""Memory-mapped token shards: one folder for each language pair, both directions in one.

`tokens.u16` holds the pieces of all pairs back to back (first side, then second), `pairs.npy`
one record a pair, those of one origin together. Writing streams to the disk and reading maps the
files: neither needs memory in proportion to the corpus.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

import numpy as np
from numpy.typing import NDArray

from mltranslate.errors import DataError, reason, remedy
from mltranslate_train.data.mapped import Mapped

RECORD = np.dtype([("start", "<u8"), ("first", "<u2"), ("second", "<u2"), ("group", "<u2")])
"""Place of a pair's first token, lengths of its two sides, and number of its group."""
Way = Literal["both", "forward", "backward"]
"""Directions that a pair teaches: both, only first to second, or only second to first."""
_TOKENS, _PAIRS, _ABOUT, _UNSORTED = "tokens.u16", "pairs.npy", "shard.json", "pairs.unsorted"
LINKS = "links.json"
"""What `mltranslate-train align` writes last beside a shard; it belongs to these pairs only."""
_FLUSH = 1 << 14
_CHUNK = 1 << 17
_FORMAT = 2
AGAIN = "Remove data.json from the run's folder; the same command then makes the data again"
"""What helps against a damaged shard."""


@dataclass(frozen=True, slots=True)
class Group:
    """The records `start` … `start + pairs - 1` of a shard: one origin that teaches one way."""

    origin: str
    way: Way
    start: int
    pairs: int


class ShardWriter:
    """Writes one language pair; the folder is complete only once the writer is closed.

    Raises:
        DataError: the disk is full, or the folder cannot be written.
    """

    def __init__(self, folder: Path, languages: tuple[str, str]) -> None:
        self._folder, self._languages = folder, languages
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in (_ABOUT, LINKS):
                (folder / name).unlink(missing_ok=True)
            for name in (_TOKENS, _PAIRS):
                _unshare(folder / name)
            self._tokens: BinaryIO = (folder / _TOKENS).open("wb")
            self._pairs: BinaryIO = (folder / _UNSORTED).open("wb")
        except OSError as error:
            raise self._unwritable(error) from error
        self._ids = array("H")
        self._records: list[tuple[int, int, int, int]] = []
        self._numbers: dict[tuple[str, Way], int] = {}
        self._counts: Counter[int] = Counter()
        self._position = self._largest = 0

    def add(self, origin: str, first: list[int], second: list[int], way: Way = "both") -> None:
        """Append one pair of piece ids."""
        number = self._numbers.setdefault((origin, way), len(self._numbers))
        self._counts[number] += 1
        self._ids.extend(first)
        self._ids.extend(second)
        self._records.append((self._position, len(first), len(second), number))
        self._position += len(first) + len(second)
        if len(self._records) >= _FLUSH:
            self._flush()

    def extend(
        self, origin: str, way: Way, lengths: NDArray[np.integer[Any]], ids: NDArray[np.uint16]
    ) -> None:
        """Append many pairs: lengths (N, 2) of their sides, and the ids of all, back to back."""
        self._flush()
        number = self._numbers.setdefault((origin, way), len(self._numbers))
        self._counts[number] += len(lengths)
        records = np.empty(len(lengths), RECORD)
        records["first"], records["second"], records["group"] = *lengths.T, number
        sizes = lengths.sum(1, dtype=np.uint64)
        records["start"] = self._position + sizes.cumsum() - sizes
        self._position += len(ids)
        self._write(ids, records)

    def _flush(self) -> None:
        self._write(np.asarray(self._ids, np.uint16), np.array(self._records, dtype=RECORD))
        self._ids, self._records = array("H"), []

    def _write(self, ids: NDArray[np.uint16], records: NDArray[np.void]) -> None:
        self._largest = max(self._largest, int(ids.max(initial=0)))
        if len(self._numbers) > np.iinfo(np.uint16).max:
            raise DataError(
                f"{self._folder.name} has more than 65535 origins", fix="Name them more coarsely"
            )
        try:
            self._tokens.write(ids.astype("<u2").tobytes())
            self._pairs.write(records.tobytes())
        except OSError as error:
            raise self._unwritable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._flush()
        finally:
            self._close(error)

    def _close(self, error: BaseException | None) -> None:
        try:
            self._tokens.close()
            self._pairs.close()
            if error is None:
                self._finish()
        except OSError as failure:
            raise self._unwritable(failure) from failure
        finally:
            (self._folder / _UNSORTED).unlink(missing_ok=True)

    def _finish(self) -> None:
        counts = [self._counts[number] for number in range(len(self._numbers))]
        _group_records(self._folder / _UNSORTED, self._folder / _PAIRS, counts)
        groups = [
            {"origin": origin, "way": way, "pairs": self._counts[number]}
            for (origin, way), number in self._numbers.items()
        ]
        about: dict[str, Any] = {
            "format": _FORMAT,
            "languages": self._languages,
            "groups": groups,
            "pairs": sum(counts),
            "tokens": self._position,
            "largest_id": self._largest,
        }
        (self._folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")

    def _unwritable(self, error: OSError) -> DataError:
        return DataError(
            f"shard {self._folder} cannot be written",
            why=reason(error),
            fix=remedy(error),
        )


def _unshare(path: Path) -> None:
    """Remove a name that the file has beside others: a mean of runs may go on reading it."""
    if path.is_file() and not path.is_symlink() and path.stat().st_nlink > 1:
        path.unlink()


def _group_records(source: Path, target: Path, counts: list[int]) -> None:
    """Write the records of `source` as a .npy file in which each group is in one piece.

    Plain writes, not a memory map: where the disk is full these raise, and a map kills the process.
    """
    places = [0, *accumulate(counts)]
    with source.open("rb") as unsorted, target.open("wb") as out:
        header = {"descr": RECORD.descr, "fortran_order": False, "shape": (sum(counts),)}
        np.lib.format.write_array_header_1_0(out, header)
        begin = out.tell()
        while chunk := unsorted.read(_CHUNK * RECORD.itemsize):
            records = np.frombuffer(chunk, RECORD)
            records = records[np.argsort(records["group"], kind="stable")]
            numbers, firsts = np.unique(records["group"], return_index=True)
            for number, part in zip(numbers, np.split(records, firsts[1:]), strict=True):
                out.seek(begin + places[number] * RECORD.itemsize)
                out.write(part.tobytes())
                places[number] += len(part)


class Shard:
    """One language pair, mapped into memory.

    Raises:
        DataError: a part is missing, truncated, or of another size than the rest says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        about = _about(folder)
        self._pairs = _mapped(folder, _PAIRS)
        self._ids = _mapped(folder, _TOKENS, np.dtype("<u2"))
        self.records: NDArray[np.void] = self._pairs.array
        self.tokens: NDArray[np.uint16] = self._ids.array
        """Pieces of all pairs, back to back."""
        self.languages: tuple[str, str] = (about["languages"][0], about["languages"][1])
        self.groups: list[Group] = _groups(folder, about)
        self.largest_id: int = about["largest_id"]
        self._check(about)

    def _check(self, about: dict[str, Any]) -> None:
        found = {"pairs": len(self.records), "tokens": len(self.tokens)}
        for name, count in found.items():
            if count != about[name]:
                raise DataError(
                    f"shard {self.folder} is {'truncated' if count < about[name] else 'damaged'}",
                    why=f"{count} of {about[name]} {name} are there",
                    fix=AGAIN,
                )
        if self.records.dtype != RECORD or sum(group.pairs for group in self.groups) != len(self):
            raise _unreadable(self.folder, "its records are of another format")

    def __len__(self) -> int:
        return len(self.records)

    def read(
        self, numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64], NDArray[np.int64]]:
        """Tokens of the pairs with these ascending numbers, and the lengths of their sides.

        Raises:
            DataError: a record points outside the tokens.
        """
        self._pairs.fetch(numbers, numbers + 1)
        records = self.records[numbers]
        starts = records["start"].astype(np.int64)
        first, second = records["first"].astype(np.int64), records["second"].astype(np.int64)
        ends = starts + first + second
        if (starts < 0).any() or (ends > len(self.tokens)).any():
            raise DataError(
                f"shard {self.folder} is damaged",
                why="a record points outside its tokens",
                fix=AGAIN,
            )
        self._ids.fetch(starts, ends)
        return self.tokens[ranges(starts, ends - starts)], first, second

    def pair(self, index: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """Piece ids of the first and the second side."""
        start, first, second, _ = self.records[index].item()
        middle = start + first
        return self.tokens[start:middle], self.tokens[middle : middle + second]


def ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers start … start + length - 1 of each row, back to back."""
    begins = lengths.cumsum() - lengths
    found: NDArray[np.int64] = np.repeat(starts - begins, lengths)
    return found + np.arange(len(found))


def _mapped(folder: Path, name: str, dtype: np.dtype[Any] | None = None) -> Mapped:
    try:
        return Mapped(folder / name, dtype)
    except (OSError, ValueError) as error:
        raise _unreadable(folder, f"{name}: {reason(error)}") from error


def _about(folder: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        version = about.get("format", 1)
    except FileNotFoundError as error:
        raise _unreadable(folder, f"{_ABOUT} is missing: it was not finished") from error
    except (OSError, ValueError, AttributeError) as error:
        raise _unreadable(folder, f"{_ABOUT}: {reason(error)}") from error
    if version != _FORMAT:
        raise _unreadable(folder, f"it has format {version}, and this version reads {_FORMAT}")
    missing = {"languages", "groups", "pairs", "tokens", "largest_id"} - about.keys()
    if missing:
        raise _unreadable(folder, f"{_ABOUT} has no {', '.join(sorted(missing))}")
    return about


def _groups(folder: Path, about: dict[str, Any]) -> list[Group]:
    groups, start = [], 0
    try:
        for item in about["groups"]:
            groups.append(Group(item["origin"], item["way"], start, item["pairs"]))
            start += item["pairs"]
    except (KeyError, TypeError) as error:
        raise _unreadable(folder, f"{_ABOUT}: wrong groups") from error
    return groups


def _unreadable(folder: Path, why: str) -> DataError:
    return DataError(f"shard {folder} cannot be read", why=why, fix=AGAIN)
