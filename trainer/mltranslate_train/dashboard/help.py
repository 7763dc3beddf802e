"""The help screen of the dashboard."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

_KEY_CELLS = 14

KEYS = (
    ("Tab ← →", "Next or previous run"),
    ("Space", "Draw the current run beside the others, or not"),
    ("↑ ↓", "Older or newer evaluation"),
    ("PgUp PgDn", "Scroll its samples"),
    ("l", "Logarithmic or linear curves"),
    ("s", "Smooth the curves over 1, 10, 50 or 200 records"),
    ("x", "Curves over steps, or over hours at work"),
    ("m", "chrF or BLEU"),
    ("1 2 3 4 5", "Only loss, score, speed, learning rate or samples"),
    ("v  Esc", "Next view; all of it"),
    ("? F1", "This help"),
    ("q", "Quit; the run goes on"),
)
"""Keys and what they do."""

NOTES = """\
Everything is read from the run's folder, once a second; the run does not notice. A run that is \
silent may have been killed, or be in a slow evaluation: the state says how long it has been \
silent, and how often a record came before. Time at work leaves out the pauses between stop and \
resume. The time left follows the last fifty records. Curves show the lowest and the highest \
record of every column. After a crash the steps since the checkpoint come again, and only the \
newer record of a step counts."""
"""What the keys do not tell."""


class HelpScreen(ModalScreen[None]):
    """Keys, and how to read the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,enter,q", "dismiss(None)", "Close"),
    ]

    def compose(self) -> ComposeResult:
        """Put a table of keys over a few sentences."""
        rows = [
            Content.assemble((keys.ljust(_KEY_CELLS), "bold $accent"), meaning)
            for keys, meaning in KEYS
        ]
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "Esc closes"
            yield Static(Content("\n").join(rows))
            yield Static(NOTES, classes="notes", markup=False)
