"""The help screen."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from mltranslate_tui.screens.dialog import Dialog

_KEY_CELLS = 18

KEYS = (
    ("F2", "Source language, by name or code"),
    ("F3", "Target language, by name, code or variety (zh-Hant)"),
    ("F4  Ctrl+R", "Swap languages and texts"),
    ("F5  Ctrl+Enter", "Translate now"),
    ("F6", "Pin the detected language; again: the runner-up"),
    ("F8  Ctrl+L", "Live mode on or off"),
    ("F9  Ctrl+O", "Copy the translation"),
    ("Ctrl+G", "Links: which words come from which"),
    ("Ctrl+N", "Clear; Ctrl+Z brings the text back"),
    ("Tab  Shift+Tab", "Next or previous field"),
    ("Ctrl+T", "Light or dark"),
    ("Ctrl+P", "All commands and themes"),
    ("Ctrl+Q", "Quit"),
)
"""Keys and what they do."""

NOTES = """\
Text is translated while you type, on this computer: nothing is sent anywhere. \
Below your text stand the detected language, how sure that is, and the runner-up; below \
the translation, warnings. The last line tells the route, the model packs, the device and \
precision really used, and the time. Copying goes through the terminal (OSC 52), which may \
forbid it; Shift and the mouse select with the terminal itself. Terms are translated as \
glossary.tsv in the settings folder says, or the file that --glossary names."""
"""What the keys do not tell."""


class HelpScreen(Dialog[None]):
    """Keys, and how to read the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,enter", "dismiss(None)", "Close"),
    ]

    def compose(self) -> ComposeResult:
        """Put a table of keys over a few sentences."""
        with Vertical(classes="dialog help") as dialog:
            dialog.border_title = "Help"
            with VerticalScroll():
                yield Static(_key_table())
                yield Static(NOTES, classes="notes", markup=False)
            yield Static("↑ ↓ scroll · Esc closes", classes="hint")


def _key_table() -> Content:
    rows = [
        Content.assemble((set_cell_size(keys, _KEY_CELLS), "$accent"), meaning)
        for keys, meaning in KEYS
    ]
    return Content("\n").join(rows)
