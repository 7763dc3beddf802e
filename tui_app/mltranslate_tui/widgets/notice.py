"""What is said below the translation, in as few rows as there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

_MOST_ROWS = 4
_MORE = " … +{} more"


class Notice(NamedTuple):
    """Sentences, one a line, the most important first; and how loudly they are said."""

    text: str
    severity: Literal["hint", "warning", "error"]


def fitted(sentences: Sequence[str], width: int, rows: int) -> list[str]:
    """Rows of `width` cells with as many whole `sentences` as fit, and the number of the others.

    The first one is cut where not even that fits.
    """
    for count in range(len(sentences), 0, -1):
        end = _MORE.format(len(sentences) - count) if count < len(sentences) else ""
        lines = _wrapped("\n".join(sentences[:count]) + end, width)
        if len(lines) <= rows:
            return lines
    return _cut(sentences[0], len(sentences) - 1, width, rows) if sentences else []


def _cut(sentence: str, others: int, width: int, rows: int) -> list[str]:
    end = _MORE.format(others).lstrip() if others else "…"
    *whole, last = _wrapped(sentence, width)[:rows]
    begun = Content(last).truncate(max(width - cell_len(end), 0)).plain.rstrip()
    return [*whole, Content(begun + end).truncate(width).plain]


def _wrapped(text: str, width: int) -> list[str]:
    return [line.plain for line in Content(text).wrap(width)]


class NoticeLine(Static):
    """A notice in at most four rows, in a low window in one; the mouse shows all of it."""

    def __init__(self) -> None:
        super().__init__("", id="notice", markup=False)

    def say(self, notice: Notice) -> None:
        """Show this notice."""
        self.update(notice.text)
        self.tooltip = Content(notice.text) if notice.text else None
        self.set_classes(f"-{notice.severity}")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as there is something to say."""
        return len(self._rows(width)) if width else 0

    def render(self) -> Content:
        """Return what fits."""
        width = self.content_size.width
        return Content("\n".join(self._rows(width)) if width else "")

    def _rows(self, width: int) -> list[str]:
        low = self.screen.has_class("-short")
        return fitted(str(self.content).splitlines(), width, 1 if low else _MOST_ROWS)
