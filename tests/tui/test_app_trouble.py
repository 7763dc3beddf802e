"""What the app says of trouble, and how the user goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from driven_app import PATIENCE, Driven, running
from fake_engine import FakeEngine
from textual.screen import Screen
from textual.widgets import Button, Input

from mltranslate.errors import DeviceError, PackError
from mltranslate_tui.app import TranslatorApp
from mltranslate_tui.engine import PipelineEngine
from mltranslate_tui.screens import problem as problem_screen
from mltranslate_tui.screens.help import KEYS, NOTES
from mltranslate_tui.screens.picker import LanguagePicker
from mltranslate_tui.screens.problem import CALM, ProblemScreen


async def problem(app: Driven, but: Screen[object] | None = None) -> Screen[object]:
    """Wait for a dialog, other than `but`, that is all there."""

    def shown() -> bool:
        screen = app.app.screen
        other = isinstance(screen, ProblemScreen) and screen is not but
        return other and bool(screen.query(".what"))

    await app.until(shown)
    return app.app.screen


async def test_f5_in_the_dialog_tries_again_with_a_mended_glossary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "glossary.tsv"
    own.write_text("one column\n", encoding="utf-8")
    monkeypatch.setattr("mltranslate_tui.engine.user_glossary", lambda: own)
    engine = FakeEngine()

    def start() -> FakeEngine:
        PipelineEngine(None, "cpu", 1)  # reads the glossary
        return engine

    app = TranslatorApp(start, target="en")
    async with app.run_test() as pilot:
        driven = Driven(app, pilot, engine)
        first = await problem(driven)
        assert str(own) in driven.label(".what")
        assert driven.label(".why")[0].isupper()
        await pilot.press("f5")  # still faulty: the dialog is back
        assert await problem(driven, but=first) is not first
        own.write_text("Haus\thouse\n", encoding="utf-8")
        await pilot.press("f5")
        await driven.until(lambda: driven.status[0] == "Ready")
        assert app.screen is driven.main


async def test_f5_in_the_dialog_of_a_failed_translation_translates_again() -> None:
    engine = FakeEngine()
    engine.failure = DeviceError("the device is lost", why="it was unplugged", fix="use the CPU")
    async with running(engine) as app:
        await app.type("a")
        await problem(app)
        parts = [app.label(part) for part in (".what", ".why", ".fix")]
        assert parts == ["The device is lost.", "It was unplugged.", "Use the CPU."]
        engine.failure = None
        await app.pilot.press("f5")
        await app.until(lambda: app.app.screen is app.main)
        await app.until(lambda: app.target.endswith("a"))


async def test_what_is_typed_into_a_dialog_that_has_just_come_is_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stops_after(seconds: float) -> None:
        monkeypatch.setattr(problem_screen, "CALM", seconds)

    engine = FakeEngine()
    engine.load_failure = PackError("no pack")
    engine.loading.clear()
    stops_after(PATIENCE)  # however slowly the keys come
    async with running(engine, loaded=False) as app:
        await app.type("guten")
        engine.loading.set()
        dialog = await problem(app)
        await app.pilot.press(*" morgen", "enter")
        assert app.source.text == "guten morgen\n"
        assert app.app.screen is dialog
        # Once the typing has stopped, Enter is for the dialog, and a letter for the text again.
        stops_after(0.01)
        await app.pilot.press("w")
        await app.until(lambda: isinstance(dialog.focused, Button))
        stops_after(PATIENCE)
        await app.pilot.press("i")
        assert app.source.text == "guten morgen\nwi"
        assert dialog.focused is None
        stops_after(0.01)
        await app.pilot.press("r")
        await app.until(lambda: isinstance(dialog.focused, Button))
        engine.load_failure = None
        await app.pilot.press("enter")
        await app.translated("[en] guten morgen\nwir")


async def test_a_button_that_was_chosen_with_tab_keeps_the_focus() -> None:
    engine = FakeEngine()
    engine.load_failure = PackError("no pack")
    async with running(engine, loaded=False) as app:
        dialog = await problem(app)
        await app.pilot.press("tab", "tab")
        await app.pilot.pause(CALM + 0.1)
        assert dialog.focused is dialog.query_one("#close")


async def test_what_is_typed_into_dialogs_over_a_picker_is_a_search() -> None:
    engine = FakeEngine()
    engine.load_failure = PackError("no pack")
    engine.loading.clear()
    async with running(engine, loaded=False, target="klingon") as app:
        await problem(app)
        await app.pilot.press("escape", "f3")
        await app.until(lambda: isinstance(app.app.screen, LanguagePicker))
        search = app.app.screen.query_one(Input)
        engine.loading.set()
        await problem(app)
        app.main._complain(PackError("another"))
        await app.until(lambda: app.app.screen.query(".what") and app.label(".what") == "Another.")
        await app.pilot.press(*"deu", "enter")
        assert search.value == "deu"
        assert isinstance(app.app.screen, ProblemScreen)


def test_help_tells_of_names_codes_varieties_and_the_glossary() -> None:
    told = dict(KEYS)
    assert all("name" in told[key] and "code" in told[key] for key in ("F2", "F3"))
    assert "variety" in told["F3"]
    assert "glossary.tsv" in NOTES
