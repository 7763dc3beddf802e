"""Curves that are fit to be drawn: smoothed, and no denser than the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def finite(x: Floats, y: Floats, *, positive: bool = False) -> tuple[Floats, Floats]:
    """The points (N,) whose two numbers are finite, with `positive` those with y > 0 only."""
    keep = np.isfinite(x) & np.isfinite(y)
    if positive:
        keep &= np.nan_to_num(y) > 0
    return x[keep], y[keep]


def smooth(y: Floats, window: int) -> Floats:
    """Mean of y (N,) over about `window` points around each one, fewer at its two ends.

    Unlike an exponential mean it does not trail behind a curve that falls.
    """
    reach = window // 2
    if reach < 1 or not len(y):
        return y
    sums = np.concatenate(([0.0], np.cumsum(y)))
    place = np.arange(len(y))
    # The start falls steeply: there as far to the right as to the left. The end is flat.
    left = np.minimum(reach, place)
    right = np.minimum(left, place[::-1])
    first, last = place - left, place + right + 1
    means: Floats = (sums[last] - sums[first]) / (last - first)
    return means


def decimate(x: Floats, y: Floats, columns: int) -> tuple[Floats, Floats]:
    """Lowest and highest point of every column: 2 * `columns` points at most, spikes kept.

    x (N,) rises; a curve with no more points than that comes back as it is.
    """
    if len(x) <= 2 * columns or x[-1] <= x[0]:
        return x, y
    place = (x - x[0]) / (x[-1] - x[0]) * columns
    column = np.minimum(place.astype(np.int64), columns - 1)
    edges = np.flatnonzero(np.diff(column, prepend=-1))
    kept: set[int] = {0, len(x) - 1}
    for first, last in zip(edges, [*edges[1:], len(x)], strict=True):
        part = y[first:last]
        kept |= {int(first + part.argmin()), int(first + part.argmax())}
    index = np.array(sorted(kept))
    return x[index], y[index]
