"""Axis marks that suit the size of a small plot."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from textual_plot import AxisFormatter

_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0)


class Ticks(AxisFormatter):
    """Marks at 1, 2, 5, 10, … that are at most `most`; on a logarithmic axis at their logarithms.

    A logarithmic axis is drawn over log10 of the values, and labelled with the values.
    """

    def __init__(self) -> None:
        self.most = 5
        self.logarithmic = False

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        """Places of the marks between two ends of the axis."""
        most = min(self.most, max_ticks)
        if not self.logarithmic:
            return nice(min_, max_, most)
        if max_ - min_ < 1:  # within a decade even steps tell more
            return [math.log10(mark) for mark in nice(10**min_, 10**max_, most) if mark > 0]
        decades = range(math.ceil(min_), math.floor(max_) + 1)
        return [float(decade) for decade in decades][:: math.ceil(len(decades) / most)]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """What is written at the marks."""
        return labels([10**tick if self.logarithmic else tick for tick in ticks])


def nice(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten from `low` to `high`, `most` of them at most."""
    if high <= low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / (most + 1)))
    for step in (power * factor for factor in _STEPS):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    return [number * step for number in range(first, last + 1)]


def labels(values: Sequence[float]) -> list[str]:
    """The values with as many digits as tell them apart, in thousands or powers where long."""
    largest = max(map(abs, values), default=0.0)
    if 0 < largest < 0.01:
        return [_power(value) for value in values]
    units = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"), (0.0, 1.0, ""))
    size, unit = next((size, unit) for least, size, unit in units if largest >= least)
    scaled = [value / size for value in values]
    apart = min((b - a for a, b in itertools.pairwise(scaled)), default=1.0)
    digits = max(0, -math.floor(math.log10(apart) + 1e-9)) if apart > 0 else 0
    return [f"{value:.{digits}f}{unit if value else ''}" for value in scaled]


def _power(value: float) -> str:
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}" if value else "0"
