"""The app over several packs."""

from driven_app import running
from fake_engine import FakeEngine
from textual.widgets import OptionList

from mltranslate.errors import DeviceError, LanguageError, PackError
from mltranslate_tui.choices import Offer
from mltranslate_tui.screens.picker import LanguagePicker
from mltranslate_tui.screens.problem import ProblemScreen


async def test_all_packs_are_offered_and_the_ones_in_use_are_named() -> None:
    engine = FakeEngine()
    engine.packs = ("core 1.0.0", "small 0.2.0", "mine 0.1.0")
    engine.left_out = ("/packs/bad [1]: no manifest.json",)
    engine.used = "core 1.0.0 + small 0.2.0"
    async with running(engine) as app:
        assert app.status == ("Ready", "3 packs", "6 languages")
        (note,) = app.app._notifications
        assert (note.title, note.message) == ("A pack is left out", engine.left_out[0])
        await app.type("guten")
        await app.translated("[en] guten")
        assert app.status[:2] == ("German → English", "core + small")
        await app.pilot.press("ctrl+n")
        await app.until(lambda: app.status[0] == "Ready")


async def test_only_what_is_translated_from_or_into_is_offered() -> None:
    engine = FakeEngine()
    engine.offer = Offer(("en", "de", "sv"), ("en", "de"))
    async with running(engine) as app:
        shown = []
        for key in ("f2", "f3"):
            await app.pilot.press(key)
            await app.until(lambda: isinstance(app.app.screen, LanguagePicker))
            rows = app.app.screen.query_one(OptionList)
            shown.append([row.id for row in rows.options])
            await app.pilot.press("escape")
            await app.until(lambda: app.app.screen is app.main)
        assert shown == [["auto", "en", "de", "sv"], ["en", "de"]]


async def test_a_language_without_a_way_does_not_stop_the_typing() -> None:
    engine = FakeEngine()
    engine.failure = LanguageError("there is no translation from French (fr)")
    async with running(engine, target="de") as app:
        await app.type("bon")
        await app.until(lambda: app.label("#notice") == "There is no translation from French (fr)")
        assert app.app.screen is app.main


async def test_a_model_that_fails_leaves_those_of_other_packs() -> None:
    engine = FakeEngine()
    engine.packs = ("core 1.0.0", "small 0.2.0")
    engine.load_failure = PackError("core is damaged", fix="Remove it")
    async with running(engine, loaded=False) as app:
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        assert app.label(".what") == "Core is damaged."
        await app.pilot.press("escape")
        await app.until(lambda: app.status == ("Core is damaged", "2 packs", "6 languages"))
        await app.type("guten")
        await app.translated("[en] guten")
        await app.pilot.press("ctrl+n")
        await app.until(lambda: app.status[0] == "Ready")


async def test_a_device_that_cannot_be_used_stops_all_packs_until_f5() -> None:
    engine = FakeEngine()
    engine.packs = ("core 1.0.0", "small 0.2.0")
    engine.load_failure = DeviceError("CUDA cannot be used")
    async with running(engine, loaded=False) as app:
        await app.until(lambda: bool(app.app.screen.query("#retry")))
        assert app.status == ("CUDA cannot be used",)
        engine.load_failure = None
        await app.pilot.press("f5")
        await app.until(lambda: app.status[0] == "Ready")


async def test_languages_chosen_while_the_engine_is_down_outlive_the_next_start() -> None:
    engine = FakeEngine()
    engine.load_failure = PackError("no pack")
    async with running(engine, loaded=False, target="klingon") as app:
        await app.until(lambda: bool(app.app.screen.query("#retry")))
        engine.load_failure = None
        while isinstance(app.app.screen, ProblemScreen):
            app.app.screen.dismiss(False)
            await app.pilot.pause()
        app.main._take_source("de")
        app.main._take_target("zh-Hant")
        await app.pilot.press("f5")
        await app.until(lambda: app.status[0] == "Ready")
        assert app.app.screen is app.main
        assert app.label("#source-language") == "German ▾"
        assert app.label("#target-language") == "Traditional Chinese ▾"


async def test_languages_that_the_next_start_does_not_offer_are_left() -> None:
    engine = FakeEngine()
    engine.load_failure = PackError("no pack")
    async with running(engine, loaded=False) as app:
        await app.until(lambda: bool(app.app.screen.query("#retry")))
        app.main._take_target("fr")
        engine.load_failure = None
        engine.offer = Offer(("en", "de"), ("en", "de"))
        await app.pilot.press("f5")
        await app.until(lambda: app.status[0] == "Ready")
        assert app.label("#target-language") == "English ▾"
