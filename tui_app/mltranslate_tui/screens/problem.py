"""A problem, told in three parts."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Static

from mltranslate.errors import MltError
from mltranslate_tui import wording
from mltranslate_tui.screens.dialog import Dialog


class ProblemScreen(Dialog[bool]):
    """What went wrong, why, and what to do; returns True when the user wants another try."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "Close"),
        Binding("f5,ctrl+enter", "dismiss(True)", "Try again"),
        Binding("down", "move('scroll_down')", show=False),
        Binding("up", "move('scroll_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
    ]

    def __init__(self, error: MltError, *, retry: bool = False) -> None:
        super().__init__()
        self._error = error
        self._retry = retry

    def compose(self) -> ComposeResult:
        """Lay out the error's parts and the buttons."""
        with Vertical(classes="dialog problem") as dialog:
            dialog.border_title = "Something is wrong"
            with VerticalScroll(can_focus=False):
                yield Static(wording.sentence(self._error.what), classes="what", markup=False)
                if self._error.why:
                    yield Static(wording.sentence(self._error.why), classes="why", markup=False)
                if self._error.fix:
                    yield Static(wording.sentence(self._error.fix), classes="fix", markup=False)
            with Horizontal(classes="buttons"):
                if self._retry:
                    yield Button("Try again (F5)", id="retry", variant="primary", compact=True)
                yield Button("Close", id="close", compact=True)

    def action_move(self, movement: str) -> None:
        """Scroll the text while a button has the focus."""
        getattr(self.query_one(VerticalScroll), f"action_{movement}")()

    @on(Button.Pressed)
    def close(self, event: Button.Pressed) -> None:
        """Go back to the text."""
        self.dismiss(event.button.id == "retry")
