"""The dashboard as an app: one screen, and Textual's themes."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App
from textual.screen import Screen

from mltranslate_train.dashboard.screen import RunsScreen
from mltranslate_train.report.folder import RunFolder


class Dashboard(App[None]):
    """Follows runs that were opened; with `compare` draws the curves of all of them at once."""

    TITLE = "mltranslate-train watch"
    CSS_PATH = "dashboard.tcss"
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, runs: Sequence[RunFolder], *, compare: bool = False) -> None:
        super().__init__()
        self._runs, self._compare = runs, compare

    def get_default_screen(self) -> Screen[None]:
        """Return the screen with the curves."""
        return RunsScreen(self._runs, compare=self._compare)
