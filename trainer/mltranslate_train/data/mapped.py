"""Files mapped into memory, of which the system reads the parts that it is told to.

Left alone, a kernel reads as much as some megabytes around every page that is missing, and so most
of a file of which a little is needed from many places.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GAP = 1 << 16
"""Parts that lie closer together are read in one go."""


class Mapped:
    """A one-dimensional array in a file: a .npy file of version 1, or raw with the dtype given.

    Raises:
        OSError, ValueError: it cannot be opened, is empty, or is no whole number of items.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any] | None = None) -> None:
        with path.open("rb") as file:
            shape: tuple[int, ...] = (-1,)
            if dtype is None:
                np.lib.format.read_magic(file)
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            self._offset = file.tell()
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.array: NDArray[Any] = np.frombuffer(
            self._map, dtype, int(np.prod(shape)), self._offset
        )
        self._advise("MADV_RANDOM", 0, len(self._map))

    def fetch(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        """Ask for the items start … end - 1 of each part, which come in ascending order."""
        far = starts[1:] - ends[:-1] > _GAP // self.array.itemsize
        firsts = starts[np.concatenate([[True], far])]
        lasts = ends[np.concatenate([far, [True]])]
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            self._advise("MADV_WILLNEED", self._byte(first), self._byte(last))

    def _byte(self, item: int) -> int:
        return self._offset + item * self.array.itemsize

    def _advise(self, advice: str, start: int, stop: int) -> None:
        """Tell the system, where it can be told."""
        stop = min(stop, len(self._map))
        if hasattr(mmap, advice) and start < stop:
            start -= start % mmap.PAGESIZE
            self._map.madvise(getattr(mmap, advice), start, stop - start)
