"""Word alignments beside a shard: memory-mapped, and there only once they are whole.

`links.bin` holds the links of all pairs back to back, two places each (first side, second side);
`links.index` where each pair's links begin, and where the last one's end; `links.json`, written
last, the settings and how many there are.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from mltranslate.errors import DataError, reason
from mltranslate_train.align.cells import Ids
from mltranslate_train.align.symmetrise import Link
from mltranslate_train.data.mapped import Mapped
from mltranslate_train.data.shards import LINKS, Shard, ranges
from mltranslate_train.data.whole import whole_file, writable

_DATA, _INDEX = "links.bin", "links.index"
_FORMAT = 1
_FLUSH = 1 << 14


def write_links(
    shard: Shard, links: Iterable[Iterable[Link]], width: int, about: dict[str, Any]
) -> int:
    """Write the links of all pairs of the shard, in its order; gives how many there are.

    Links that were there stay until the new ones are whole. `width` is the length of the longest
    side, `about` what else the header says.

    Raises:
        DataError: there is no link at all, the disk is full, or the folder cannot be written.
    """
    folder, kind = shard.folder, "B" if width <= 256 else "H"
    with writable(folder), ExitStack() as stack:
        # The one that is entered first takes its place last.
        header, data, index = (
            stack.enter_context(whole_file(folder / name)) for name in (LINKS, _DATA, _INDEX)
        )
        total = _write(links, kind, data, index)
        if not total:
            raise DataError(f"no word of {folder.name} could be aligned")
        found = {
            "format": _FORMAT, "pairs": len(shard), "tokens": len(shard.tokens), "links": total,
            "bytes": array(kind).itemsize, **about,
        }  # fmt: skip
        header.write_text(json.dumps(found, indent=1), encoding="utf-8")
        for path in (header, data, index):
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        (folder / LINKS).unlink(missing_ok=True)
    return total


def _write(links: Iterable[Iterable[Link]], kind: str, data: Path, index: Path) -> int:
    total, buffer, ends = 0, array(kind), array("Q", [0])
    with data.open("wb") as places, index.open("wb") as numbers:
        for pair in links:
            for link in sorted(pair):
                buffer.extend(link)
                total += 1
            ends.append(total)
            if len(ends) > _FLUSH:
                places.write(_little(buffer))
                numbers.write(_little(ends))
                buffer, ends = array(kind), array("Q")
        places.write(_little(buffer))
        numbers.write(_little(ends))
    return total


def _little(numbers: array[int]) -> bytes:
    values = np.asarray(numbers)
    return values.astype(values.dtype.newbyteorder("<")).tobytes()


class ShardLinks:
    """The links of a shard, mapped into memory.

    Raises:
        DataError: they are missing or damaged, or belong to other data.
    """

    def __init__(self, shard: Shard) -> None:
        self._folder = shard.folder
        about = _about(shard)
        try:
            self._data = Mapped(shard.folder / _DATA, np.dtype(f"<u{about['bytes']}"))
            self._index = Mapped(shard.folder / _INDEX, np.dtype("<u8"))
        except (OSError, ValueError) as error:
            raise _unusable(shard.folder, reason(error)) from error
        if len(self._index.array) != len(shard) + 1 or len(self._data.array) != 2 * about["links"]:
            raise _unusable(shard.folder, "they are truncated or damaged")

    def read(self, numbers: Ids) -> tuple[Ids, Ids]:
        """Links (L, 2) of the pairs with these ascending numbers, and how many each has.

        Raises:
            DataError: the index points outside the links.
        """
        self._index.fetch(numbers, numbers + 2)
        starts = self._index.array[numbers].astype(np.int64)
        ends = self._index.array[numbers + 1].astype(np.int64)
        if (starts > ends).any() or (2 * ends > len(self._data.array)).any() or (starts < 0).any():
            raise _unusable(self._folder, "their index is damaged")
        self._data.fetch(2 * starts, 2 * ends)
        flat = self._data.array[ranges(2 * starts, 2 * (ends - starts))]
        return flat.astype(np.int64).reshape(-1, 2), ends - starts


def _about(shard: Shard) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((shard.folder / LINKS).read_text(encoding="utf-8"))
        found = {name: about[name] for name in ("format", "pairs", "tokens", "links", "bytes")}
    except FileNotFoundError as error:
        raise _unusable(shard.folder, "none were made") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(shard.folder, f"{LINKS}: {reason(error)}") from error
    if found["format"] != _FORMAT:
        raise _unusable(shard.folder, f"they have format {found['format']}")
    if (found["pairs"], found["tokens"]) != (len(shard), len(shard.tokens)):
        raise _unusable(shard.folder, "they were made for other data")
    if found["bytes"] not in (1, 2):
        raise _unusable(shard.folder, f"{LINKS} says {found['bytes']} bytes a place")
    return about


def _unusable(folder: Path, why: str) -> DataError:
    folder = folder.resolve()  # the folder of the run's shards may be a link
    return DataError(
        f"there are no usable word alignments in {folder}",
        why=why,
        fix=f"Run `mltranslate-train align {folder.parent.parent}`",
    )
