"""A problem, told in three parts."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Button, Static

from mltranslate.errors import MltError
from mltranslate_tui import wording
from mltranslate_tui.screens.dialog import Dialog

CALM = 0.5
"""Seconds without typing after which Enter is for the dialog."""


class ProblemScreen(Dialog[bool]):
    """What went wrong, why, and what to do; returns True when the user wants another try.

    It may come while the user types: letters go on to where they went before.
    """

    AUTO_FOCUS = ""
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
        self._calm: Timer | None = None

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

    def on_mount(self) -> None:
        """Wait until the user has stopped typing."""
        self._await_calm()

    def on_key(self, event: events.Key) -> None:
        """Hand on what is typed; Enter as well, as long as no button has the focus."""
        if event.is_printable or (event.key == "enter" and self.focused is None):
            # Stopped, it goes no further where it is of no use, and does not come back from there.
            event.stop()
            self.set_focus(None)
            self._await_calm()
            stack = reversed(self.app.screen_stack)
            below = next(screen for screen in stack if not isinstance(screen, ProblemScreen))
            if below.focused is not None:
                below.focused.post_message(event)

    def action_move(self, movement: str) -> None:
        """Scroll the text while a button has the focus."""
        getattr(self.query_one(VerticalScroll), f"action_{movement}")()

    @on(Button.Pressed)
    def close(self, event: Button.Pressed) -> None:
        """Go back to the text."""
        self.dismiss(event.button.id == "retry")

    def _await_calm(self) -> None:
        if self._calm is not None:
            self._calm.stop()
        self._calm = self.set_timer(CALM, self._listen)

    def _listen(self) -> None:
        if self.focused is None:
            self.query(Button).first().focus()
