"""The main screen: two panes, and the wiring between the user, the controller and the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from mltranslate.errors import InputError, LanguageError, MltError
from mltranslate.languages import Language, describe
from mltranslate.types import Translation
from mltranslate_tui import choices, messages, wording
from mltranslate_tui.choices import AUTO, Offer, Pair
from mltranslate_tui.controller import Controller, Draft, Engine, Phase, Slot, is_edit
from mltranslate_tui.screens.help import HelpScreen
from mltranslate_tui.screens.picker import DETECT, LanguagePicker
from mltranslate_tui.screens.problem import ProblemScreen
from mltranslate_tui.widgets.areas import EDITOR_CHARACTERS, SourceArea, TargetArea
from mltranslate_tui.widgets.chip import Chip
from mltranslate_tui.widgets.keys import KeyRow
from mltranslate_tui.widgets.linking import Linking
from mltranslate_tui.widgets.notice import Notice
from mltranslate_tui.widgets.panes import SourcePane, TargetPane
from mltranslate_tui.widgets.status import StatusLine
from mltranslate_tui.worker import serve

BUSY_AFTER = 0.25
"""Seconds before "Translating…" is shown: a faster answer would only make it flicker."""


class TranslateScreen(Screen[None]):
    """Source and target side by side, or one above the other where the terminal is narrow."""

    AUTO_FOCUS = "#source"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (72, "-wide")]  # noqa: RUF012 - declared by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 - declared by Textual
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        Binding("f2", "pick_source", "From", tooltip="Choose the source language"),
        Binding("f3", "pick_target", "To", tooltip="Choose the target language"),
        Binding("f4,ctrl+r", "swap", "Swap", tooltip="Swap languages and texts"),
        Binding("f5,ctrl+enter", "translate_now", "Go", tooltip="Translate now"),
        # Before the editor, which would select a line.
        Binding("f6", "pin_source", "Pin", show=False, priority=True),
        Binding("f8,ctrl+l", "toggle_live", "Live", tooltip="Translate while typing, or on F5"),
        Binding("f9,ctrl+o", "copy_translation", "Copy", tooltip="Copy the translation"),
        Binding("ctrl+n", "clear", "Clear", show=False),
        Binding("ctrl+g", "toggle_links", "Links", tooltip="Show which words come from which"),
        Binding("ctrl+q", "app.quit", "Quit"),
    ]

    def __init__(self, start: Callable[[], Engine], *, source: str, target: str | None) -> None:
        super().__init__()
        self._start = start
        self._wished = (source, target)
        self._slot = Slot()
        self.controller = Controller(self._slot, self._schedule)
        self._offer = Offer((), ())
        self._packs: tuple[str, ...] = ()
        self._state = "Loading the model…"
        """What the status line says while there is no result; empty once the model is ready."""
        self._ready = "Ready"
        """What it says then; the fault of the first model, until another one has translated."""
        self._down = False
        """Whether the engine thread has ended because the engine could not be started."""
        self._translation: Translation | None = None
        self._made: tuple[str, Pair | None, str] | None = None
        """What was translated, the languages, and what was shown of it."""
        self._edited = -1, False
        """The number of a job, and whether it is about an edit of what was translated before."""
        self._able = True
        """Whether the pack that made the translation links words."""
        self._draft: Draft | None = None
        self._slow = False
        """Whether the answer is late enough to say that it is being made."""
        self._busy: Timer | None = None
        self._failure = ""

    # Building and ending

    def compose(self) -> ComposeResult:
        """Lay out the bar, the panes, the status line and the keys."""
        with Horizontal(id="bar"):
            yield Static("mltranslate", id="brand")
            yield Static("offline translation", id="tagline")
            yield Chip(
                "", "screen.toggle_live", widget_id="live", tooltip="Translate while typing (F8)"
            )
        with Container(id="panes"):
            yield SourcePane()
            yield TargetPane()
        yield StatusLine(id="status")
        yield KeyRow(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Paint first, then start the engine."""
        source, target = self.query_one(SourceArea), self.query_one(TargetArea)
        self._linking = Linking(source, target)
        self._draw()
        self.watch(source, "scroll_y", self.source_moved, init=False)
        for area in (source, target):
            self.watch(area, "selection", self._looked, init=False)
            self.watch(area, "has_focus", self._looked, init=False)
        self.call_after_refresh(self._run_engine)

    def on_unmount(self) -> None:
        """Stop the engine, so that its thread ends and the program can."""
        self._slot.close()

    @work(thread=True, exclusive=True, exit_on_error=False, group="engine")
    def _run_engine(self) -> None:
        serve(self._slot, self._start, self.post_message, self._wished)

    def _schedule(self, delay: float, call: Callable[[], None]) -> Timer:
        def due() -> None:
            call()
            self._await_answer()

        return self.set_timer(delay, due)

    # What the engine says

    @on(messages.EngineOpened)
    def engine_opened(self, message: messages.EngineOpened) -> None:
        """Offer the languages of all packs, and tell which packs cannot be used."""
        self._offer = message.offer
        self._packs = message.packs
        for left_out in message.left_out:
            self.notify(left_out, title="A pack is left out", severity="warning", markup=False)
        chosen = self.controller.pair
        # At another start, what was chosen meanwhile counts, not what was wished for at first.
        if chosen is None or not message.offer.has(chosen):
            if message.refusal is not None:
                self._complain(message.refusal)
            self.controller.choose(message.pair)
        self._await_answer()

    @on(messages.EngineReady)
    def engine_ready(self) -> None:
        """Say so."""
        self._state = ""
        self._draw()

    @on(messages.ModelFailed)
    def model_failed(self, message: messages.ModelFailed) -> None:
        """Tell why; texts that need another model can be translated."""
        self._ready = wording.failure(message.error)
        self._complain(message.error)

    @on(messages.EngineFailed)
    def engine_failed(self, message: messages.EngineFailed) -> None:
        """Tell why there is no translator, and offer to try again."""
        self._state = wording.failure(message.error)
        self._down = True
        self._draw()
        self.app.push_screen(ProblemScreen(message.error, retry=True), self._try_again)

    @on(messages.Detected)
    def detected(self, message: messages.Detected) -> None:
        """Show the language while the translation is still being made."""
        if self.controller.note_detected(message.number, message.detections):
            self._draw()

    @on(messages.Partial)
    def partial(self, message: messages.Partial) -> None:
        """Show the sentences that are done, and how the next one begins."""
        if self.controller.is_current(message.number):
            self._draft = message.draft
            target, begun = self.query_one(TargetArea), message.draft.text
            # What is already shown stays whole while a part of it is being translated again.
            covered = self._is_edited(message.number) and len(begun) <= len(target.text)
            if not (covered or target.text.startswith(begun)):
                target.show(begun)
            self._draw()

    def _is_edited(self, number: int) -> bool:
        """Whether the translation that is shown is of nearly the text that this job is about."""
        last, pair = self._translation, self.controller.pair
        if last is None or pair is None or last.target != pair.target:
            return False
        if last.text != self.query_one(TargetArea).text:
            return False
        if self._edited[0] != number:
            text = self.query_one(SourceArea).text
            self._edited = number, is_edit(last.source_text, text)
        return self._edited[1]

    @on(messages.Translated)
    def translated(self, message: messages.Translated) -> None:
        """Show the answer, unless the text has changed since."""
        if self.controller.is_current(message.number):
            # While it is awaited, nothing asks for links where its cursor happens to be.
            self.query_one(TargetArea).show(message.translation.text)
        if self.controller.note_translated(message.number, message.seconds, message.linked):
            self._translation, self._able = message.translation, message.links
            # The editor may be ahead of the text that this is about.
            self._made = self.controller.text, self.controller.pair, self.query_one(TargetArea).text
            self._failure, self._ready = "", "Ready"
            self._settle()
            self._look()

    @on(messages.Stopped)
    def stopped(self, message: messages.Stopped) -> None:
        """Type ahead of a slow model less eagerly."""
        self.controller.note_stopped(message.seconds)

    @on(messages.TranslationFailed)
    def translation_failed(self, message: messages.TranslationFailed) -> None:
        """Tell once what is wrong; repeated on every keystroke it would be in the way."""
        if not self.controller.note_failed(message.number):
            return
        known, self._failure = self._failure, wording.failure(message.error)
        self._settle()
        # A language without a way is told below the translation: with every letter another one may
        # be detected.
        if known != self._failure and not isinstance(message.error, LanguageError):
            self._complain(message.error)

    # What the user does

    @on(SourceArea.Changed, "#source")
    def text_changed(self) -> None:
        """Stop the old translation and ask for a new one."""
        source = self.query_one(SourceArea)
        self.controller.links_at = self._linking.place
        self.controller.edit(source.text, at_once=source.take_pasted())
        self._await_answer()

    @on(SourceArea.SelectionChanged, "#source")
    def source_moved(self) -> None:
        """Show the translation of what the user writes or reads."""
        self.query_one(TargetArea).follow(self.query_one(SourceArea).place)

    @on(SourceArea.TooLong)
    def paste_refused(self, message: SourceArea.TooLong) -> None:
        """Point to the tool for long texts."""
        self._complain(
            InputError(
                "This text is too long for the editor",
                why=f"it would have {message.characters:,} characters, "
                f"and the editor takes {EDITOR_CHARACTERS:,}",
                fix="Translate the file from the shell: mltranslate text --to LANG < FILE",
            )
        )

    def action_help(self) -> None:
        """Explain the keys."""
        self.app.push_screen(HelpScreen())

    def action_pick_source(self) -> None:
        """Choose the source language."""
        if (pair := self.controller.pair) is not None:
            rows = [DETECT, *_by_name(self._offer.sources)]
            picker = LanguagePicker("Translate from", rows, pair.source)
            self.app.push_screen(picker, self._take_source)

    def action_pin_source(self) -> None:
        """Keep the detected language; pressed again, take the runner-up, then detect again."""
        code = self.controller.next_source
        if code is None:
            self.notify("No language is detected yet.", severity="warning")
        elif code not in (AUTO, *self._offer.sources):
            self.notify(wording.no_source(code), severity="warning")
            code = None
        self._take_source(code)

    def action_pick_target(self) -> None:
        """Choose the target language."""
        if (pair := self.controller.pair) is not None:
            # A variety that is asked for has a row while it stays chosen.
            rows = _by_name(dict.fromkeys((*self._offer.targets, pair.asked)))
            picker = LanguagePicker("Translate to", rows, pair.asked, varieties=True)
            self.app.push_screen(picker, self._take_target)

    def action_swap(self) -> None:
        """Exchange the languages and the texts."""
        old = self.controller.pair
        if old is None:
            return
        pair = choices.swapped(old, self.controller.detected)
        if not self._offer.has(pair):
            self.notify(wording.unoffered(pair, self._offer), severity="warning")
            return
        if pair.source == AUTO or not self.query_one(SourceArea).text.strip():
            self.controller.choose(pair)
        elif self._finished:
            self._exchange(pair)
        else:
            said = "Nothing swapped: no finished translation of this text."
            self.notify(said, severity="warning")
            return
        self._await_answer()

    def _exchange(self, pair: Pair) -> None:
        """Take the translation as the text, and show the text in its place."""
        source, target = self.query_one(SourceArea), self.query_one(TargetArea)
        text, translation = source.text, target.text
        source.put(translation)
        self.controller.links_at = self._linking.place
        self.controller.restate(translation, pair)
        target.show(text)

    def action_translate_now(self) -> None:
        """Translate without waiting, in live mode or not; start an engine that had failed."""
        self.controller.force()
        self._try_again(True)
        self._await_answer()

    def action_toggle_live(self) -> None:
        """Translate while typing, or only when asked to."""
        self.controller.set_live(not self.controller.live)
        self._await_answer()

    def action_toggle_links(self) -> None:
        """Show which words come from which, or no longer."""
        self._linking.on = not self._linking.on
        self._look()

    def action_copy_translation(self) -> None:
        """Copy the translation, or the selected part of it, to the terminal's clipboard."""
        target = self.query_one(TargetArea)
        text = target.selected_text or target.text
        if not text:
            self.notify("There is no translation to copy yet.", severity="warning")
            return
        self.app.copy_to_clipboard(text)
        said = f"{wording.characters(len(text))} copied"
        if target.selected_text or self._finished:
            self.notify(f"{said}.", timeout=2)
        elif self._made is not None and self._made[2] == text:
            self.notify(f"{said}, but from before the last change.", severity="warning")
        else:
            self.notify(f"{said}, but it is not finished.", severity="warning")

    def action_clear(self) -> None:
        """Empty both panes; undo brings the source back."""
        source = self.query_one(SourceArea)
        source.put("")
        source.focus()

    # Helpers

    @property
    def _finished(self) -> bool:
        """Whether what is shown is a whole translation of this text with these languages.

        It may be made again at the same time, for its links.
        """
        text, shown = self.query_one(SourceArea).text, self.query_one(TargetArea).text
        return bool(shown) and self._made == (text, self.controller.pair, shown)

    def _take_source(self, code: str | None) -> None:
        if code is not None and self.controller.pair is not None:
            self.controller.choose(choices.with_source(self.controller.pair, code))
            self._await_answer()

    def _take_target(self, code: str | None) -> None:
        if code is not None and self.controller.pair is not None:
            target = choices.asked_target(code, self._offer.targets)
            self.controller.choose(choices.with_target(self.controller.pair, *target))
            self._await_answer()

    def _looked(self) -> None:
        """Follow the cursor, or the focus."""
        if self._linking.on:
            self._look()

    def _look(self) -> None:
        """Show the links of the word under the cursor; ask for them if they are not there."""
        controller = self.controller
        # A text that has just been changed is asked for with its change. A terminal that is left
        # takes the focus away and gives it back.
        if self.app.app_focus and controller.text == self.query_one(SourceArea).text:
            if controller.look(self._linking.place):
                self._await_answer()
            else:
                self._draw_links()

    def _try_again(self, wanted: bool | None) -> None:
        if wanted and self._down:
            self._down = False
            self._state = "Loading the model…"
            self._draw()
            self._run_engine()

    def _go_on(self, wanted: bool | None) -> None:
        if wanted:
            self.action_translate_now()

    def _complain(self, error: MltError) -> None:
        self.app.push_screen(ProblemScreen(error), self._go_on)

    def _await_answer(self) -> None:
        """Draw the new state; a request that is not answered soon is called "Translating…"."""
        self._stop_waiting()
        phase = self.controller.phase
        if phase is Phase.EMPTY:
            self._translation = None
            self._failure = ""
            self.query_one(TargetArea).show("")
        elif phase is Phase.WORKING:
            self._busy = self.set_timer(BUSY_AFTER, self._say_busy)
        self._draw()

    def _say_busy(self) -> None:
        self._slow = True
        self._draw()

    def _settle(self) -> None:
        self._stop_waiting()
        self._draw()

    def _stop_waiting(self) -> None:
        self._draft = None
        self._slow = False
        if self._busy is not None:
            self._busy.stop()
            self._busy = None

    def _draw(self) -> None:
        """Bring every label in line with the state."""
        controller = self.controller
        live = self.query_one("#live", Chip)
        live.update("● Live" if controller.live else "○ Live off")
        live.set_class(controller.live, "-on")
        self.query_one(SourcePane).draw(controller)
        self.query_one(TargetPane).draw(controller, self._notice())
        self.query_one(StatusLine).facts = self._facts()
        self._draw_links()

    def _draw_links(self) -> None:
        """Mark the words that belong together; none while the translation is outdated."""
        result = self._translation if self.controller.phase is Phase.DONE else None
        self.query_one(StatusLine).aside = self._linking.draw(result, able=self._able)

    def _facts(self) -> tuple[str, ...]:
        if self._state:
            return (self._state,)
        if self._translation is None:
            return (self._ready, *wording.offer(self._packs, self._offer.languages))
        return wording.facts(self._translation)

    def _notice(self) -> Notice:
        phase, pair = self.controller.phase, self.controller.pair
        if phase is Phase.FAILED:
            return Notice(self._failure, "error")
        if phase is Phase.HELD:
            return Notice("Live is off: F5 translates", "hint")
        if self._draft is not None:
            return Notice(wording.progress_line(self._draft), "hint")
        if self._slow:
            return Notice(self._state or "Translating…", "error" if self._down else "hint")
        if self._translation is None or pair is None:
            return Notice("", "hint")
        return Notice("\n".join(wording.cautions(self._translation, pair)), "warning")


def _by_name(codes: Iterable[str]) -> list[Language]:
    return sorted(map(describe, codes), key=lambda language: language.name)
