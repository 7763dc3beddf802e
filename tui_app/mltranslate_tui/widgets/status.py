"""The status line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

SEPARATOR, TIGHT = "  ·  ", " · "


def fitting(facts: Sequence[str], width: int) -> str:
    """As many of the leading `facts` as `width` cells hold; the first is cut if it must be."""
    for count in range(len(facts), 0, -1):
        for separator in (SEPARATOR, TIGHT):
            line = separator.join(facts[:count])
            if cell_len(line) <= width:
                return line
    return Content(facts[0]).truncate(max(width, 1), ellipsis=True).plain if facts else ""


class StatusLine(Widget):
    """Facts about the last result, the most important first; those that do not fit are left out.

    The mouse shows all of them. On the right stands what is true of the place of the cursor.
    """

    facts: reactive[tuple[str, ...]] = reactive(())
    aside: reactive[str] = reactive("")

    def watch_facts(self) -> None:
        """Put everything into the tooltip."""
        self.tooltip = Content(SEPARATOR.join((*self.facts, *filter(None, [self.aside]))))

    watch_aside = watch_facts

    def render(self) -> Content:
        """Return the aside, and the facts that fit beside it."""
        width = self.content_size.width
        if not self.aside:
            return Content(fitting(self.facts, width))
        aside = Content(self.aside).truncate(max(width // 2, 1), ellipsis=True).plain
        left = fitting(self.facts, width - cell_len(aside) - len(SEPARATOR))
        return Content(left + " " * (width - cell_len(left) - cell_len(aside)) + aside)
