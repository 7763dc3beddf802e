"""The two panes: a head with the language, a text area, and a foot that tells about the text."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from mltranslate_tui import wording
from mltranslate_tui.controller import Controller, Phase
from mltranslate_tui.widgets.areas import SourceArea, TargetArea
from mltranslate_tui.widgets.chip import Chip
from mltranslate_tui.widgets.notice import Notice, NoticeLine


class SourcePane(Vertical):
    """The user's text; below it the detected language and the length."""

    DEFAULT_CLASSES = "pane"

    def compose(self) -> ComposeResult:
        """Lay out head, editor and foot."""
        with Horizontal(classes="head"):
            yield Chip(
                "",
                "screen.pick_source",
                widget_id="source-language",
                tooltip="Language to translate from (F2)",
                focusable=True,
            )
            yield Static(classes="gap")
            yield Chip(
                "Clear", "screen.clear", widget_id="clear", tooltip="Empty both panes (Ctrl+N)"
            )
        yield SourceArea()
        with Horizontal(classes="foot"):
            yield Static("", id="detection", markup=False)

    def draw(self, controller: Controller) -> None:
        """Bring the labels in line with the state."""
        label = wording.source_label(controller.pair, controller.detected)
        self.query_one("#source-language", Chip).update(f"{label} ▾")
        doubt = controller.doubt
        line = self.query_one("#detection", Static)
        line.update(
            wording.doubt(doubt) if doubt else wording.detection_line(controller.detections)
        )
        line.set_class(doubt is not None, "-warning")
        self.border_subtitle = wording.characters(len(controller.text))


class TargetPane(Vertical):
    """The translation; below it what its reader should know."""

    DEFAULT_CLASSES = "pane"

    def compose(self) -> ComposeResult:
        """Lay out head, translation and foot."""
        with Horizontal(classes="head"):
            yield Chip(
                "⇄", "screen.swap", widget_id="swap", tooltip="Swap languages and texts (F4)"
            )
            yield Chip(
                "",
                "screen.pick_target",
                widget_id="target-language",
                tooltip="Language to translate to (F3)",
                focusable=True,
            )
            yield Static(classes="gap")
            yield Chip(
                "Copy",
                "screen.copy_translation",
                widget_id="copy",
                tooltip="Copy the translation (F9)",
            )
        yield TargetArea()
        with Horizontal(classes="foot"):
            yield NoticeLine()

    def draw(self, controller: Controller, notice: Notice) -> None:
        """Bring the labels in line with the state; an outdated translation is dimmed."""
        self.query_one("#target-language", Chip).update(
            f"{wording.target_label(controller.pair)} ▾"
        )
        self.query_one(NoticeLine).say(notice)
        self.border_subtitle = wording.characters(len(self.query_one(TargetArea).text))
        outdated = controller.phase in {Phase.HELD, Phase.FAILED}
        self.query_one(TargetArea).set_class(outdated, "-outdated")
