"""Numbers as people read them."""

from __future__ import annotations

import math

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def duration(seconds: float) -> str:
    """Two units at most: "12 s", "3 min 20 s", "2 h 5 min", "4 d 3 h"."""
    left = round(max(0.0, seconds))
    parts: list[str] = []
    for name, size in _UNITS:
        number, left = divmod(left, size)
        if number or parts:
            parts.append(f"{number} {name}" if number else "")
    return " ".join(filter(None, parts[:2])) or "0 s"


def count(number: float) -> str:
    """A whole number with commas: "12,345"."""
    return f"{round(number):,}"


def short(number: float) -> str:
    """Three significant digits and a unit: "950", "6.28k", "12.3M"."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= 0.9995 * size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def decimal(number: float, digits: int = 2) -> str:
    """A fixed number of digits, and a dash for what is no number."""
    return f"{number:.{digits}f}" if math.isfinite(number) else "–"
