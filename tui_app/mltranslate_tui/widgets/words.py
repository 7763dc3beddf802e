"""A text area in which words can be marked."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from rich.text import Text
from textual.widgets import TextArea
from textual.widgets.text_area import Location

from mltranslate_tui.links import Range


class WordArea(TextArea):
    """A text with marks on the word that is looked at, or on those that are linked with it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"text-area--word", "text-area--linked"}

    _marks: Mapping[int, tuple[str, Sequence[Range]]] | None = None
    """By line: what it says, and which columns of it are marked."""
    _kind = ""

    @property
    def index(self) -> int:
        """The character of the text that the cursor is on."""
        line, column = self.cursor_location
        return self.start_of(line) + column

    def start_of(self, line: int) -> int:
        """Return the first character of a line, counted in the text."""
        return self._starts()[line]

    def location_of(self, index: int) -> Location:
        """Return the line and the column of a character of the text."""
        starts = self._starts()
        line = bisect.bisect_right(starts, index, hi=self.document.line_count) - 1
        return line, index - starts[line]

    def mark(self, words: Sequence[Range], kind: Literal["word", "linked"] = "word") -> None:
        """Mark these words, ranges of characters, and no others."""
        marks = self._by_line(words) if words else None
        if (marks, kind) == (self._marks, self._kind) or marks is self._marks is None:
            return
        self._marks, self._kind = marks, kind
        # Textual keeps the lines that it has drawn.
        self.notify_style_update()
        self.refresh()

    def get_line(self, line_index: int) -> Text:
        """Return a line with its marks; one that has changed since has none."""
        line = super().get_line(line_index)
        if self._marks is None or line_index not in self._marks:
            return line
        text, words = self._marks[line_index]
        if line.plain == text:
            style = self.get_component_rich_style(f"text-area--{self._kind}", partial=True)
            for start, end in words:
                line.stylize(style, start, end)
        return line

    def _by_line(self, words: Sequence[Range]) -> dict[int, tuple[str, list[Range]]]:
        found: dict[int, tuple[str, list[Range]]] = {}
        for start, end in words:
            line, column = self.location_of(start)
            _, columns = found.setdefault(line, (self.document[line], []))
            columns.append((column, column + end - start))
        return found

    def _starts(self) -> list[int]:
        """The first character of every line, counted in the text."""
        gap = len(self.document.newline)
        return list(
            itertools.accumulate((len(line) + gap for line in self.document.lines), initial=0)
        )
