"""The two text areas."""

from __future__ import annotations

from typing import NamedTuple

from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import Location, Selection

from mltranslate_tui.widgets.words import WordArea

EDITOR_CHARACTERS = 250_000
"""Longest text that the editor takes: beyond, one keystroke costs a noticeable part of a second."""

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in (9, 10, 13)}


def printable(text: str) -> str:
    """Leave out control characters, which a terminal would obey, and halves of characters."""
    return text.translate(_CONTROLS).encode("utf-8", "ignore").decode("utf-8")


class Place(NamedTuple):
    """A place in a text: its line, the share of the line before it, and its row on the screen."""

    line: int
    share: float
    row: int


class SourceArea(WordArea):
    """The editor; it knows whether the last change was a paste."""

    class TooLong(Message):
        """A paste was refused because the text would have had so many characters."""

        def __init__(self, characters: int) -> None:
            super().__init__()
            self.characters = characters

    def __init__(self) -> None:
        super().__init__(
            id="source",
            soft_wrap=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
            placeholder="Type or paste text here",
        )
        self._pasted = False

    @property
    def place(self) -> Place:
        """Where the user writes; if that is scrolled away, what he probably reads.

        That is the first visible row at the beginning of the text, the last one at its end, and
        one in between elsewhere.
        """
        top, (width, height) = self.scroll_offset.y, self.scrollable_content_region.size
        location = self.cursor_location
        row = self.wrapped_document.location_to_offset(location).y
        if not top <= row < top + height:
            gone = top / max(self.max_scroll_y, 1)
            row = top + round(gone * (height - 1))
            location = self.wrapped_document.offset_to_location(Offset(round(gone * width), row))
        line, column = location
        return Place(line, column / max(len(self.document[line]), 1), row - top)

    def take_pasted(self) -> bool:
        """Whether something was pasted since the last call."""
        pasted, self._pasted = self._pasted, False
        return pasted

    def put(self, text: str) -> None:
        """Replace the whole text in a way that undo brings back."""
        self.replace(text, (0, 0), self.document.end)
        self.move_cursor(self.document.end)

    async def _on_paste(self, event: events.Paste) -> None:
        # Textual calls the base class's handler as well unless it is told not to.
        event.prevent_default()
        event.stop()
        self._paste(event.text)

    def action_paste(self) -> None:
        """Paste what was last copied inside the app."""
        self._paste(self.app.clipboard)

    def _paste(self, text: str) -> None:
        text = printable(text)
        characters = len(self.text) - len(self.selected_text) + len(text)
        if characters > EDITOR_CHARACTERS:
            self.post_message(self.TooLong(characters))
            return
        self._pasted = True
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)
            self.focus()


class TargetArea(WordArea):
    """The translation: read-only, and cheap to let grow."""

    def __init__(self) -> None:
        super().__init__(
            id="target",
            soft_wrap=True,
            tab_behavior="focus",
            read_only=True,
            show_cursor=False,
            highlight_cursor_line=False,
            placeholder="The translation appears here",
        )
        self._place = Place(0, 0.0, 0)
        self._placed = 0.0
        self._wanted: Location = (0, 0)
        """Where the cursor was before a text came that may not reach so far."""
        self._put = self._wanted
        """Where it was put instead."""

    def follow(self, place: Place) -> None:
        """Scroll to what translates `place`: lines of the translation are those of the source."""
        line = min(place.line, self.document.line_count - 1)
        # A translation that has not come so far is followed to its end.
        share = place.share if line == place.line else 1.0
        column = round(share * len(self.document[line]))
        row = self.wrapped_document.location_to_offset((line, column)).y
        lowest = self.scrollable_content_region.height - 1
        self.scroll_to(y=row - min(place.row, lowest), animate=False)
        self._place, self._placed = place, self.scroll_y

    def on_resize(self) -> None:
        """Keep the place in view when the lines are broken otherwise."""
        if self._in_place:
            # The base class's handler, which breaks the lines, comes after this one.
            self.call_next(self.follow, self._place)

    @property
    def _in_place(self) -> bool:
        """Whether the user has not scrolled since `follow` did."""
        return self.scroll_y == min(self._placed, self.max_scroll_y)

    def show(self, text: str) -> None:
        """Show `text`, scrolled to where the present text is, or to the place that it follows."""
        shown, in_place = self.text, self._in_place
        if text == shown:
            return
        if shown and text.startswith(shown):
            early = self.cursor_location == self._put != self._wanted
            self.insert(text[len(shown) :], self.document.end, maintain_selection_offset=True)
            if early:
                self._return()
        else:
            self._load(text)
            # Textual redraws only where the text takes up another number of lines than before.
            self.refresh()
        if in_place:
            self.follow(self._place)

    def enter(self, location: Location) -> None:
        """Put the cursor there, and scroll to it unless a click has brought the focus.

        That click comes after the focus, and is on what was seen when it was made.
        """
        self.set_reactive(TextArea.selection, Selection.cursor(location))
        self.record_cursor_width()
        self.refresh()
        self.call_later(self.scroll_cursor_visible)

    def _load(self, text: str) -> None:
        """Replace the text; the cursor stays where it is, or as near to that as there is text."""
        if self.cursor_location != self._put:
            self._wanted = self.cursor_location
        # Textual would put it to the beginning, and scroll there, but for a hidden one, which it
        # leaves where there may be no text any more.
        self.set_reactive(TextArea.selection, Selection.cursor((0, 0)))
        self.load_text(text)
        self._return()

    def _return(self) -> None:
        self._put = self.clamp_visitable(self._wanted)
        self.enter(self._put)
