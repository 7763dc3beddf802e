"""The status line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

SEPARATOR = "  ·  "


def fitting(facts: Sequence[str], width: int) -> str:
    """As many of the leading `facts` as `width` cells hold; the first is cut if it must be."""
    line = ""
    for fact in facts:
        longer = line + SEPARATOR + fact if line else fact
        if cell_len(longer) <= width:
            line = longer
        elif not line:
            return Content(fact).truncate(max(width, 1), ellipsis=True).plain
    return line


class StatusLine(Widget):
    """Facts about the last result, the most important first; those that do not fit are left out."""

    facts: reactive[tuple[str, ...]] = reactive(())

    def render(self) -> Content:
        """Return the facts that fit the present width."""
        return Content(fitting(self.facts, self.content_size.width))
