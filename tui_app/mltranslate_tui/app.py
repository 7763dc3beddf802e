"""The terminal app: themes, style sheets and the main screen put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from mltranslate_tui import themes
from mltranslate_tui.choices import AUTO
from mltranslate_tui.controller import Engine
from mltranslate_tui.engine import PipelineEngine
from mltranslate_tui.screens.translate import TranslateScreen


class TranslatorApp(App[None]):
    """The app around one engine, which `start` makes in the engine thread."""

    TITLE = "mltranslate"
    CSS_PATH = ["styles/translate.tcss", "styles/dialogs.tcss"]  # noqa: RUF012 - declared by Textual
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "toggle_theme", "Light or dark", show=False),
        Binding("ctrl+q", "quit", "Quit", tooltip="Leave the app", priority=True),
    ]

    def __init__(
        self, start: Callable[[], Engine], *, source: str = AUTO, target: str | None = None
    ) -> None:
        super().__init__()
        self._start = start
        self._wished = (source, target)
        self.register_theme(themes.DARK)
        self.register_theme(themes.LIGHT)
        if "TEXTUAL_THEME" not in os.environ:
            self.theme = themes.DARK.name

    def get_default_screen(self) -> Screen[None]:
        """Return the screen with the two panes."""
        source, target = self._wished
        return TranslateScreen(self._start, source=source, target=target)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Textual's commands and those of the main screen."""
        yield from super().get_system_commands(screen)
        if isinstance(screen, TranslateScreen):
            yield SystemCommand("Swap", "Exchange languages and texts", screen.action_swap)
            yield SystemCommand("Copy", "Copy the translation", screen.action_copy_translation)
            yield SystemCommand("Clear", "Empty both panes", screen.action_clear)
            yield SystemCommand("Live", "Translate while typing", screen.action_toggle_live)
            yield SystemCommand(
                "Links", "Show which words come from which", screen.action_toggle_links
            )
            yield SystemCommand("From", "Choose the source language", screen.action_pick_source)
            yield SystemCommand("To", "Choose the target language", screen.action_pick_target)
            yield SystemCommand("Go", "Translate now", screen.action_translate_now)
            yield SystemCommand("Pin", "Pin the detected language", screen.action_pin_source)
            yield SystemCommand("Help", "Show all keys", screen.action_help)
            yield SystemCommand("Light or dark", "Change the theme", self.action_toggle_theme)

    def get_key_display(self, binding: Binding) -> str:
        """Write function keys as they are printed on keyboards."""
        shown = super().get_key_display(binding)
        return shown.upper() if shown[1:].isdecimal() else shown

    def action_toggle_theme(self) -> None:
        """Change between the light and the dark theme."""
        self.theme = themes.other(self.theme)


def main(
    pack: str | None = None,
    device: str = "auto",
    target: str | None = None,
    source: str = AUTO,
    threads: int | None = None,
    glossary: str | None = None,
) -> int:
    """Run the app until the user quits; returns the exit code of the process."""

    def start() -> Engine:
        return PipelineEngine(pack, device, threads, glossary)

    app = TranslatorApp(start, source=source, target=target)
    app.run()
    return app.return_code or 0
