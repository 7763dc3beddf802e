"""The whole app under Textual's pilot, with an engine that answers when the test lets it."""

from __future__ import annotations

import asyncio
import functools
import re
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from driven_app import PATIENCE, Driven, running
from fake_engine import FakeEngine
from textual import events
from textual.widgets import Input, OptionList

from mltranslate.errors import DeviceError, PackError
from mltranslate.types import CancelToken, Caution, Detection, Translation
from mltranslate_tui.app import TranslatorApp
from mltranslate_tui.controller import Draft, DraftCallback, Phase
from mltranslate_tui.screens.help import HelpScreen
from mltranslate_tui.screens.picker import LanguagePicker
from mltranslate_tui.screens.problem import ProblemScreen
from mltranslate_tui.widgets.areas import EDITOR_CHARACTERS, TargetArea
from mltranslate_tui.widgets.panes import SourcePane, TargetPane
from mltranslate_tui.worker import PARTIAL_EVERY

# Starting


async def test_first_paint_and_typing_come_before_the_model() -> None:
    engine = FakeEngine()
    engine.loading.clear()
    async with running(engine, loaded=False) as app:
        await app.until(lambda: app.status == ("Loading the model…",))
        await app.type("guten")
        assert app.source.text == "guten"
        assert app.source.has_focus
        engine.loading.set()
        await app.translated("[en] guten")


async def test_target_follows_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    async with running(target=None) as app:
        assert app.label("#target-language") == "French ▾"


async def test_unknown_target_is_refused_in_words() -> None:
    async with running(target="klingon", loaded=False) as app:
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        await app.pilot.press("escape")
        assert app.main.controller.pair is not None


async def test_source_that_is_the_target_is_refused_in_words() -> None:
    async with running(source="German", target="de", loaded=False) as app:
        await app.until(lambda: bool(app.app.screen.query(".what")))
        assert isinstance(app.app.screen, ProblemScreen)
        assert app.label(".what") == "Source and target are both German."
        assert app.main.controller.pair is not None


async def test_detection_may_be_asked_for_in_any_case() -> None:
    async with running(source="Auto") as app:
        assert app.main.controller.pair is not None
        assert app.main.controller.pair.source == "auto"


async def test_language_names_are_understood_as_options() -> None:
    async with running(target="German", source="fra") as app:
        assert app.label("#target-language") == "German ▾"
        assert app.label("#source-language") == "French ▾"


# Translating


async def test_typed_text_is_translated_and_explained() -> None:
    async with running() as app:
        await app.type("guten morgen")
        await app.translated("[en] guten morgen")
        assert app.label("#source-language") == "German, detected ▾"
        assert re.fullmatch(r"German 9\d %, or \w+ \d %", app.label("#detection"))
        assert app.status == ("German → English", "small-test 1.0.0", "CPU int8", "34 ms")
        assert app.main.query_one(SourcePane).border_subtitle == "12 characters"


async def test_newer_text_cancels_the_running_translation() -> None:
    engine = FakeEngine()
    engine.gate.clear()
    async with running(engine, target="de") as app:
        await app.type("a")
        await app.until(engine.started.is_set)
        await app.type("b")
        await app.until(lambda: engine.cancelled == ["a"])
        engine.gate.set()
        await app.translated("[de] ab")


async def test_only_the_latest_text_is_translated() -> None:
    engine = FakeEngine()
    engine.gate.clear()
    stubborn = threading.Event()
    engine.busy = lambda: stubborn.wait(PATIENCE) and None
    async with running(engine, target="de") as app:
        await app.type("a")
        await app.until(engine.started.is_set)
        for text in ("ab", "abc", "abcd"):
            app.source.put(text)
            await app.pilot.pause()
        engine.gate.set()
        stubborn.set()
        await app.translated("[de] abcd")
        assert [text for text, _, _ in engine.calls] == ["a", "abcd"]


class DeafEngine(FakeEngine):
    """Finishes what it began, cancelled or not, as a decoder in its last step does."""

    def translate(
        self,
        text: str,
        *,
        source: str | Detection,
        target: str,
        cancel: CancelToken,
        progress: DraftCallback,
        linked: range | None = None,
    ) -> Translation:
        self.started.set()
        assert self.gate.wait(PATIENCE)
        time.sleep(PARTIAL_EVERY)
        progress(Draft(done=1, total=2, text=f"draft of {text}"))
        return self._answer(text, "en", target)


async def test_an_answer_that_comes_too_late_is_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(TargetArea, "show", lambda _, text: shown.append(text))
    engine = DeafEngine()
    engine.gate.clear()
    async with running(engine, target="de") as app:
        await app.type("a")
        await app.until(engine.started.is_set)
        await app.type("b")
        await app.until(lambda: app.main.controller.text == "ab")
        engine.gate.set()
        await app.until(lambda: app.main.controller.phase is Phase.DONE)
        assert "[de] ab" in shown
        assert {"[de] a", "draft of a"}.isdisjoint(shown)


async def test_clearing_the_text_clears_the_translation() -> None:
    async with running() as app:
        await app.type("guten")
        await app.translated("[en] guten")
        await app.pilot.press("ctrl+n")
        await app.until(lambda: app.target == "")
        assert app.source.text == ""
        assert app.label("#detection") == ""
        await app.pilot.press("ctrl+z")
        await app.translated("[en] guten")


async def test_live_mode_off_waits_for_the_key() -> None:
    async with running() as app:
        await app.pilot.press("f8")
        assert app.label("#live") == "○ Live off"
        await app.type("guten")
        await app.until(lambda: app.label("#detection"))
        assert app.label("#notice") == "Live is off: F5 translates"
        assert not app.engine.calls
        await app.pilot.press("f5")
        await app.translated("[en] guten")


async def test_slow_answer_is_announced() -> None:
    engine = FakeEngine()
    engine.gate.clear()
    async with running(engine) as app:
        await app.type("a")
        await app.until(lambda: app.label("#notice") == "Translating…")


async def test_partial_results_grow_and_are_counted() -> None:
    engine = FakeEngine()
    engine.gate.clear()
    engine.partials = (
        Draft(done=1, total=3, text="one. "),
        Draft(done=2, total=3, text="one. two. "),
    )
    async with running(engine) as app:
        await app.paste("eins. zwei. drei.")
        await app.until(lambda: app.target == "one. two. ")
        assert app.label("#notice").endswith(" 66 %")
        engine.gate.set()
        await app.translated("eins. zwei. drei.")
        assert app.label("#notice") == "Already in English: F4 translates into German"


@asynccontextmanager
async def held(engine: FakeEngine) -> AsyncIterator[Driven]:
    """An app that shows a translation, and gets no further one but drafts."""
    async with running(engine) as app:
        await app.paste("guten morgen und guten abend")
        await app.translated("[en] guten morgen und guten abend")
        engine.gate.clear()
        yield app
        engine.gate.set()
        await app.translated(f"[en] {app.source.text}")


async def test_what_is_shown_stays_while_a_part_of_it_is_translated_again() -> None:
    engine = FakeEngine()
    async with held(engine) as app:
        shown = app.target
        engine.partials = (Draft(done=1, total=3, text="but"),)
        await app.type("x")
        await app.until(lambda: app.label("#notice").endswith(" 33 %"))
        assert app.target == shown
        engine.partials = (Draft(done=2, total=3, text=f"but then {shown}"),)
        await app.type("y")
        await app.until(lambda: app.target.startswith("but then"))


def shows(app: Driven, text: str) -> bool:
    return app.target == text


async def test_drafts_of_another_text_take_the_place_of_what_is_shown_and_of_each_other() -> None:
    engine = FakeEngine()
    async with held(engine) as app:
        for text, draft in (
            ("hallo ihr alle", "quite another beginning"),
            ("guten morgen und guten abend x", "the right one"),
        ):
            engine.partials = (Draft(done=1, total=3, text=draft),)
            app.source.text = text
            await app.until(functools.partial(shows, app, draft))


async def test_warnings_are_words() -> None:
    engine = FakeEngine()
    engine.warnings = (Caution.LOOP,)
    async with running(engine) as app:
        await app.type("guten")
        await app.until(lambda: "repeats itself" in app.label("#notice"))


# Languages


async def test_picker_filters_and_chooses() -> None:
    async with running() as app:
        await app.type("guten")
        await app.pilot.press("f3")
        await app.until(lambda: isinstance(app.app.screen, LanguagePicker))
        await app.type("espan")
        rows = app.app.screen.query_one(OptionList)
        await app.until(lambda: rows.option_count == 1)
        assert rows.get_option_at_index(0).id == "es"
        await app.pilot.press("enter")
        await app.translated("[es] guten")
        assert app.label("#target-language") == "Spanish ▾"


async def test_picker_moves_with_the_arrows_and_cancels() -> None:
    async with running() as app:
        await app.pilot.press("f2")
        await app.until(lambda: isinstance(app.app.screen, LanguagePicker))
        rows = app.app.screen.query_one(OptionList)
        assert rows.get_option_at_index(0).id == "auto"
        await app.pilot.press("down", "down")
        assert rows.highlighted == 2
        assert app.app.screen.query_one(Input).has_focus
        await app.pilot.press("escape")
        assert app.main.controller.pair is not None
        assert app.main.controller.pair.source == "auto"


async def test_picker_without_a_match_chooses_nothing() -> None:
    async with running() as app:
        await app.pilot.press("f3")
        await app.type("qqq")
        await app.pilot.press("enter")
        assert isinstance(app.app.screen, LanguagePicker)


async def test_source_can_be_pinned_with_the_mouse() -> None:
    async with running(size=(100, 30)) as app:
        await app.pilot.click("#source-language")
        await app.until(lambda: isinstance(app.app.screen, LanguagePicker))
        # A click into a list that is not laid out yet goes elsewhere.
        await app.until(lambda: any(rows.size.height for rows in app.app.screen.query(OptionList)))
        await app.pilot.pause()
        await app.pilot.click(OptionList, offset=(4, 4))
        await app.until(lambda: app.app.screen is app.main)
        assert app.label("#source-language") == "French ▾"


async def test_one_key_pins_the_source_then_takes_the_runner_up() -> None:
    async with running() as app:
        await app.pilot.press("f6")
        assert app.main_label("#source-language") == "Detect language ▾"
        await app.type("morgen")
        await app.translated("[en] morgen")
        shown = []
        for _ in range(3):
            await app.pilot.press("f6")
            await app.translated("[en] morgen")
            shown.append(app.main_label("#source-language"))
        assert shown[:2] == ["German ▾", "French ▾"]
        await app.until(lambda: app.main_label("#source-language") == "German, detected ▾")
        assert [source for _, source, _ in app.engine.calls][-3:] == ["de", "fr", "de"]


async def test_swap_exchanges_languages_and_texts() -> None:
    async with running() as app:
        await app.type("guten")
        await app.translated("[en] guten")
        await app.pilot.press("f4")
        assert app.source.text == "[en] guten"
        await app.translated("[de] [en] guten")
        assert app.label("#source-language") == "English ▾"
        assert app.label("#target-language") == "German ▾"


async def test_swap_of_text_already_in_the_target_language_changes_the_target() -> None:
    async with running() as app:
        await app.type("hello")
        await app.until(lambda: app.label("#notice").startswith("Already in English"))
        await app.pilot.press("ctrl+r")
        await app.translated("[de] hello")
        assert app.source.text == "hello"


# Copying


async def test_copy_sends_the_translation_to_the_clipboard() -> None:
    async with running() as app:
        await app.type("guten")
        await app.translated("[en] guten")
        await app.pilot.press("f9")
        assert app.app.clipboard == "[en] guten"


async def test_copy_of_nothing_says_so() -> None:
    async with running() as app:
        await app.pilot.click("#copy")
        assert app.app.clipboard == ""
        assert [note.severity for note in app.app._notifications] == ["warning"]


# Trouble


async def test_missing_pack_is_explained_and_can_be_tried_again() -> None:
    engine = FakeEngine()
    engine.load_failure = PackError("No pack", why="the folder is empty", fix="Install one")
    async with running(engine, loaded=False) as app:
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        assert app.label(".why") == "The folder is empty."
        await app.pilot.pause()
        engine.load_failure = None
        await app.pilot.click("#retry")
        await app.until(lambda: app.status[0] == "Ready")


async def test_engine_that_failed_can_be_started_later() -> None:
    engine = FakeEngine()
    engine.load_failure = PackError("no pack")
    async with running(engine, loaded=False) as app:
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        await app.pilot.press("escape")
        await app.type("guten")
        await app.until(lambda: app.label("#notice") == "No pack")
        engine.load_failure = None
        await app.pilot.press("f5")
        await app.translated("[en] guten")


async def test_failure_is_shown_once_and_typing_goes_on() -> None:
    engine = FakeEngine()
    engine.failure = DeviceError("The device is lost", why="it was unplugged", fix="Use the CPU")
    async with running(engine) as app:
        await app.type("a")
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        await app.pilot.press("escape")
        await app.type("b")
        await app.until(lambda: app.main.controller.phase is Phase.FAILED)
        assert app.app.screen is app.main
        assert app.label("#notice") == "The device is lost"
        engine.failure = None
        await app.type("c")
        await app.translated("abc")


async def test_unforeseen_error_does_not_end_the_app() -> None:
    engine = FakeEngine()
    engine.failure = RuntimeError("boom")
    async with running(engine) as app:
        await app.type("a")
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        assert "boom" in app.label(".why")


async def test_paste_beyond_the_limit_is_refused() -> None:
    async with running() as app:
        app.source.post_message(events.Paste("x" * (EDITOR_CHARACTERS + 1)))
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        assert app.source.text == ""


async def test_pasted_control_characters_are_left_out() -> None:
    async with running() as app:
        app.source.post_message(events.Paste("gu\x1bten\x00"))
        await app.until(lambda: app.source.text)
        assert app.source.text == "guten"


# Long texts


@pytest.mark.parametrize("separator", ["\n", " "], ids=["lines", "one-line"])
async def test_long_paste_leaves_the_keyboard_alive(separator: str) -> None:
    engine = FakeEngine()
    engine.gate.clear()
    text = separator.join(["Guten Morgen, wie geht es dir heute?"] * 2800)
    assert len(text) > 100_000
    async with running(engine) as app:
        await app.paste(text)
        await app.until(engine.started.is_set)
        await app.type("abc")
        assert app.source.text.endswith("abc")
        await app.pilot.press("f1")
        assert isinstance(app.app.screen, HelpScreen)
        await app.pilot.press("escape")
        engine.gate.set()
        await app.translated(f"[en] {text}abc")


# Looks


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_panes_stand_side_by_side(size: tuple[int, int]) -> None:
    async with running(size=size) as app:
        left = app.main.query_one(SourcePane).region
        right = app.main.query_one(TargetPane).region
        assert left.y == right.y
        assert left.right <= right.x
        assert abs(left.width - right.width) <= 1
        assert app.main.query_one("Footer").region.bottom == size[1]


async def test_panes_are_stacked_where_it_is_narrow() -> None:
    async with running(size=(60, 24)) as app:
        above = app.main.query_one(SourcePane).region
        below = app.main.query_one(TargetPane).region
        assert above.x == below.x
        assert above.bottom <= below.y


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (60, 20)])
async def test_every_key_in_the_footer_is_whole(size: tuple[int, int]) -> None:
    async with running(size=size) as app:
        await app.until(lambda: app.main.query("FooterKey"))
        for key in app.main.query("FooterKey"):
            assert key.region.right <= size[0]


@pytest.mark.parametrize("size", [(20, 6), (1, 1), (200, 60)])
async def test_odd_sizes_do_no_harm(size: tuple[int, int]) -> None:
    async with running(size=size) as app:
        await app.type("guten")
        await app.translated("[en] guten")


@pytest.mark.parametrize("theme", ["mltranslate-light", "ansi-dark", "ansi-light"])
async def test_themes(theme: str) -> None:
    async with running() as app:
        app.app.theme = theme
        await app.pilot.press("f3")
        await app.pilot.pause()
        assert "Arabic" in app.app.export_screenshot()


async def test_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running() as app:
        assert app.app.no_color
        await app.type("guten")
        await app.translated("[en] guten")


async def test_theme_key_changes_light_and_dark() -> None:
    async with running() as app:
        await app.pilot.press("ctrl+t")
        assert not app.app.current_theme.dark
        await app.pilot.press("ctrl+t")
        assert app.app.current_theme.dark


# Leaving


async def test_quitting_stops_the_translation_and_ends_the_thread() -> None:
    engine = FakeEngine()
    engine.gate.clear()
    app = TranslatorApp(lambda: engine, target="de")
    async with app.run_test() as pilot:
        await pilot.press("a")
        await Driven(app, pilot, engine).until(engine.started.is_set)
        await pilot.press("ctrl+q")
    while not engine.cancelled:
        await asyncio.sleep(0.005)
    assert engine.cancelled == ["a"]
