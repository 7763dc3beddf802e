"""The language picker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from mltranslate.languages import Language
from mltranslate_tui.choices import AUTO, matching, variety_meant
from mltranslate_tui.screens.dialog import Dialog

_NAME_CELLS = 22
_CODE_CELLS = 8
_MOST_ROWS = 12

DETECT = Language(code=AUTO, name="Detect language", endonym="", script="Zyyy")
"""The first row of the source picker."""


class LanguagePicker(Dialog[str | None]):
    """Choose a language by typing a part of its name; returns its code, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("down", "move('cursor_down')", show=False, priority=True),
        Binding("up", "move('cursor_up')", show=False, priority=True),
        Binding("pagedown", "move('page_down')", show=False, priority=True),
        Binding("pageup", "move('page_up')", show=False, priority=True),
    ]

    def __init__(
        self, title: str, languages: Sequence[Language], chosen: str, *, varieties: bool = False
    ) -> None:
        """Offer `languages`, and any variety of them that is spelt out where `varieties` count."""
        super().__init__()
        self._varieties = varieties
        self._title = title
        self._languages = languages
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """Put a search field over a list."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._title
            yield Input(placeholder="Type a name or a code", select_on_focus=False)
            languages = OptionList(markup=False)
            languages.can_focus = False
            yield languages
            yield Static("Enter chooses · Esc cancels", classes="hint")

    def on_mount(self) -> None:
        """Show every language, with the chosen one highlighted."""
        self._show("")
        rows = self.query_one(OptionList)
        # A list that shrank with every letter would make the dialog jump.
        rows.styles.height = min(len(self._languages), _MOST_ROWS)
        codes = [language.code for language in self._languages]
        rows.highlighted = codes.index(self._chosen) if self._chosen in codes else 0

    @on(Input.Changed)
    def filter(self, event: Input.Changed) -> None:
        """Keep what matches."""
        self._show(event.value)

    @on(Input.Submitted)
    def choose(self) -> None:
        """Take the highlighted row."""
        rows = self.query_one(OptionList)
        if rows.highlighted is not None:
            self._take(rows.get_option_at_index(rows.highlighted))

    @on(OptionList.OptionSelected)
    def take_clicked(self, event: OptionList.OptionSelected) -> None:
        """Take the row that was clicked."""
        self._take(event.option)

    def action_move(self, movement: str) -> None:
        """Move the highlight while the cursor stays in the search field."""
        getattr(self.query_one(OptionList), f"action_{movement}")()

    def _take(self, option: Option) -> None:
        if option.id is not None:
            self.dismiss(option.id)

    def _show(self, query: str) -> None:
        rows = self.query_one(OptionList)
        rows.clear_options()
        found = matching(query, self._languages)
        if self._varieties and (variety := variety_meant(query, self._languages)):
            found.insert(0, variety)
        rows.add_options([self._row(language) for language in found])
        if found:
            rows.highlighted = 0
        else:
            rows.add_option(Option("No language matches", disabled=True))

    def _row(self, language: Language) -> Option:
        mark = "✓" if language.code == self._chosen else " "
        name = set_cell_size(language.name, _NAME_CELLS)
        code = set_cell_size("" if language.code == AUTO else language.code, _CODE_CELLS)
        return Option(f"{mark} {name}{code}{language.endonym}", id=language.code)
