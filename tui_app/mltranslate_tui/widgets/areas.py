"""The two text areas."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import TextArea

EDITOR_CHARACTERS = 250_000
"""Longest text that the editor takes: beyond, one keystroke costs a noticeable part of a second."""

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in (9, 10, 13)}


def printable(text: str) -> str:
    """Leave out control characters, which a terminal would obey, and halves of characters."""
    return text.translate(_CONTROLS).encode("utf-8", "ignore").decode("utf-8")


class SourceArea(TextArea):
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

    def take_pasted(self) -> bool:
        """Whether something was pasted since the last call."""
        pasted, self._pasted = self._pasted, False
        return pasted

    def put(self, text: str) -> None:
        """Replace the whole text in a way that undo brings back."""
        self.replace(text, (0, 0), self.document.end)
        self.move_cursor(self.document.end)

    async def _on_paste(self, event: events.Paste) -> None:
        text = printable(event.text)
        characters = len(self.text) - len(self.selected_text) + len(text)
        # Textual calls the base class's handler as well unless it is told not to.
        event.prevent_default()
        event.stop()
        if characters > EDITOR_CHARACTERS:
            self.post_message(self.TooLong(characters))
            return
        self._pasted = True
        await super()._on_paste(events.Paste(text))

    def action_paste(self) -> None:
        """Paste what was last copied inside the app."""
        self._pasted = True
        super().action_paste()


class TargetArea(TextArea):
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

    def show(self, text: str) -> None:
        """Show `text`; one that continues the present text is appended, so scrolling stays put."""
        shown = self.text
        if text == shown:
            return
        if shown and text.startswith(shown):
            self.insert(text[len(shown) :], self.document.end, maintain_selection_offset=True)
        else:
            self.load_text(text)
            # Textual redraws only where the text takes up another number of lines than before.
            self.refresh()
