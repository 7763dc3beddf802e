"""Numbers of a dry run as people read them."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def size_text(size: float) -> str:
    """Bytes as "1.5 GB"."""
    for unit, factor in _UNITS:
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} B"


def duration_text(seconds: float) -> str:
    """Seconds as "2 d 5 h", "3 h 20 min", "5 min" or "12 s"."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Labels and texts in two columns, one row a line."""
    width = max(len(label) for label, _ in rows)
    return "".join(f"{label:<{width}}  {text}\n" for label, text in rows)
