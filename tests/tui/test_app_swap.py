"""What F4 and F9 do while the translation on the screen is not that of the text."""

from __future__ import annotations

from driven_app import Driven, running
from fake_engine import FakeEngine
from textual.widgets.text_area import Selection

from mltranslate.types import Detection
from mltranslate_tui.choices import Offer, Pair
from mltranslate_tui.controller import Draft, Phase
from mltranslate_tui.messages import Translated
from mltranslate_tui.widgets.areas import SourceArea, TargetArea


class FrenchEngine(FakeEngine):
    """Takes every text for French."""

    def detect(self, text: str) -> list[Detection]:
        return [Detection(language="fr", confidence=0.99)]


def notes(app: Driven) -> list[tuple[str, str]]:
    return [(note.severity, note.message) for note in app.app._notifications]


def pair(app: Driven) -> Pair | None:
    return app.main.controller.pair


async def half_done(app: Driven) -> None:
    """Type what is translated in part, and then no further."""
    app.engine.partials = (Draft(done=3, total=12, text="[en] gut"),)
    app.engine.gate.clear()
    await app.paste("guten morgen")
    await app.until(lambda: app.target == "[en] gut")


async def held(app: Driven) -> None:
    """Type on with live mode off, so that the translation is that of an older text."""
    await app.type("guten")
    await app.translated("[en] guten")
    await app.pilot.press("f8")
    await app.type(" xyz")
    await app.until(lambda: app.main.controller.phase is Phase.HELD)


async def test_half_a_translation_is_not_swapped_into_the_editor() -> None:
    async with running() as app:
        await half_done(app)
        before = pair(app)
        await app.pilot.press("f4")
        assert app.source.text == "guten morgen"
        assert pair(app) == before
        assert notes(app) == [("warning", "Nothing swapped: no finished translation of this text.")]
        app.engine.gate.set()
        await app.translated("[en] guten morgen")
        await app.pilot.press("f4")
        assert app.source.text == "[en] guten morgen"


async def test_the_translation_of_an_older_text_is_not_swapped_into_the_editor() -> None:
    async with running() as app:
        await held(app)
        await app.pilot.press("f4")
        assert app.source.text == "guten xyz"
        assert len(notes(app)) == 1


async def test_the_translation_into_another_language_is_not_swapped_into_the_editor() -> None:
    async with running() as app:
        await app.type("guten")
        await app.translated("[en] guten")
        app.engine.gate.clear()
        app.main._take_target("es")
        await app.pilot.press("f4")
        assert app.source.text == "guten"
        assert app.target == "[en] guten"


async def test_a_translation_that_is_asked_for_again_for_its_links_can_be_swapped() -> None:
    async with running() as app:
        await app.type("guten morgen")
        await app.translated("[en] guten morgen")
        app.engine.gate.clear()
        await app.pilot.press("ctrl+g")
        assert app.main.controller.phase is Phase.WORKING
        await app.pilot.press("f9")
        assert [severity for severity, _ in notes(app)] == ["information"]
        await app.pilot.press("f4")
        assert app.source.text == "[en] guten morgen"


async def test_a_letter_that_the_app_has_not_come_to_yet_counts() -> None:
    async with running() as app:
        await app.type("guten")
        await app.translated("[en] guten")
        number = app.main.controller._number
        translation = app.main._translation
        assert translation is not None
        with app.source.prevent(SourceArea.Changed):
            app.source.insert(" x")
        app.main.translated(Translated(number, translation, 0.01))
        await app.pilot.press("f4")
        assert app.source.text == "guten x"
        assert len(notes(app)) == 1


async def test_a_refused_swap_leaves_the_progress_on_the_screen() -> None:
    async with running() as app:
        await half_done(app)
        shown = app.label("#notice")
        assert shown.endswith("25 %")
        await app.pilot.press("f4")
        assert app.label("#notice") == shown


async def test_there_is_nothing_to_swap_where_all_is_translated_into_one_language() -> None:
    engine = FakeEngine()
    engine.offer = Offer(("en", "de"), ("en",))
    async with running(engine) as app:
        before = pair(app)
        await app.pilot.press("f4")
        assert pair(app) == before
        assert notes(app) == [("warning", "No pack translates into another language.")]


async def test_swapping_nothing_leaves_detection_on_or_exchanges_what_is_pinned() -> None:
    async with running() as app:
        await app.pilot.press("f4")
        assert pair(app) == Pair(source="auto", target="de", spare="en")
        assert not notes(app)
    async with running(source="de") as app:
        await app.pilot.press("f4")
        swapped = pair(app)
        assert swapped is not None
        assert (swapped.source, swapped.target) == ("en", "de")


async def test_swapping_a_text_without_a_language_leaves_detection_on() -> None:
    async with running() as app:
        await app.type("123")
        await app.until(lambda: app.label("#detection").startswith("No language"))
        await app.pilot.press("f4")
        assert app.source.text == "123"
        assert pair(app) == Pair(source="auto", target="de", spare="en")


async def test_a_language_is_not_swapped_to_where_nothing_is_translated_from_or_into_it() -> None:
    for offer, said in (
        (
            Offer(("en", "de", "fr"), ("en", "de")),
            "No pack translates into French: F3 sets another.",
        ),
        (Offer(("fr", "de"), ("en", "fr")), "No pack translates from English: F2 sets another."),
    ):
        engine = FrenchEngine()
        engine.offer = offer
        async with running(engine) as app:
            await app.type("bon")
            await app.translated("[en] bon")
            before = pair(app)
            await app.pilot.press("f4")
            assert pair(app) == before
            assert app.source.text == "bon"
            assert notes(app) == [("warning", said)]


async def test_copying_half_a_translation_says_so() -> None:
    async with running() as app:
        await half_done(app)
        await app.pilot.press("f9")
        assert app.app.clipboard == "[en] gut"
        assert notes(app) == [("warning", "8 characters copied, but it is not finished.")]


async def test_copying_the_translation_of_an_older_text_says_so() -> None:
    async with running() as app:
        await held(app)
        await app.pilot.press("f9")
        assert app.app.clipboard == "[en] guten"
        said = "10 characters copied, but from before the last change."
        assert notes(app) == [("warning", said)]
        app.main.query_one(TargetArea).selection = Selection((0, 0), (0, 1))
        await app.pilot.press("f9")
        assert notes(app)[-1] == ("information", "1 character copied.")
