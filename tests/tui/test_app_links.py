"""Words that belong together are marked in both texts."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from driven_app import Driven, running
from fake_engine import FakeEngine
from rich.style import Style
from textual import events

from mltranslate.types import Translation
from mltranslate_tui.blocks import around
from mltranslate_tui.controller import Draft, Phase
from mltranslate_tui.widgets.areas import TargetArea
from mltranslate_tui.widgets.status import StatusLine
from mltranslate_tui.widgets.words import WordArea

TEXT = "guten morgen, wie\ngeht es"
LONG = "\n".join(f"guten morgen {number}" for number in range(200))


def target(app: Driven) -> TargetArea:
    return app.main.query_one(TargetArea)


def aside(app: Driven) -> str:
    return app.main.query_one(StatusLine).aside


def styled(area: WordArea, wanted: str) -> list[str]:
    """What is drawn with these attributes, from top to bottom."""
    found = []
    for y in range(area.size.height):
        for text, style, _ in area.render_line(y):
            attributes = style or Style()
            if attributes.bold and getattr(attributes, wanted):
                found.append(text)
    return found


def marked(app: Driven) -> tuple[list[str], list[str]]:
    """The words that are marked: underlined in the one text, reversed in the other."""
    here, there = app.source, target(app)
    if there.has_focus:
        return styled(there, "underline"), styled(here, "reverse")
    return styled(here, "underline"), styled(there, "reverse")


@asynccontextmanager
async def linking(engine: FakeEngine | None = None, text: str = TEXT) -> AsyncIterator[Driven]:
    """The app with links on and a text translated; the cursor is hidden, as it blinks."""
    async with running(engine) as app:
        app.source.cursor_blink = target(app).cursor_blink = False
        await app.pilot.press("ctrl+g")
        await app.paste(text)
        await app.until(lambda: app.main.controller.phase is Phase.DONE and app.target)
        yield app


async def look(app: Driven, line: int, column: int) -> None:
    app.source.move_cursor((line, column))
    await app.pilot.pause()


async def asked_on_line_100(app: Driven) -> int:
    """Go to line 100 of the translation of `LONG`, and return how often links were asked for."""
    target(app).focus()
    await app.until(lambda: target(app).cursor_location[0] == 199)
    target(app).move_cursor((100, 8))
    await app.until(lambda: aside(app) == "morgen ↔ morgen")
    return len(app.engine.asked_links)


async def test_the_word_under_the_cursor_and_its_translation_are_marked() -> None:
    async with linking() as app:
        await look(app, 0, 8)
        assert "".join(marked(app)[0]) == "morgen"
        assert marked(app)[1] == ["morgen"]
        assert aside(app) == "morgen ↔ morgen"
        await look(app, 1, 0)
        assert marked(app)[1] == ["geht"]


async def test_no_links_are_asked_for_while_they_are_off() -> None:
    async with running() as app:
        await app.type("guten")
        await app.translated("[en] guten")
        await look(app, 0, 2)
        assert set(app.engine.asked_links) == {None}
        assert (marked(app), aside(app)) == (([], []), "")
        await app.pilot.press("ctrl+g")
        await app.until(lambda: aside(app) == "guten ↔ guten")
        await app.pilot.press("ctrl+g")
        await app.pilot.pause()
        assert (marked(app), aside(app)) == (([], []), "")
        asked = len(app.engine.asked_links)
        await app.type("e")
        await app.until(lambda: len(app.engine.asked_links) > asked)
        assert app.engine.asked_links[-1] is None


async def test_the_command_palette_has_them() -> None:
    async with running() as app:
        commands = {one.title: one.callback for one in app.app.get_system_commands(app.main)}
        commands["Links"]()
        assert aside(app) == "Links on"


async def test_links_follow_the_typing_and_go_with_what_they_were_of() -> None:
    engine = FakeEngine()
    async with linking(engine, "guten") as app:
        await app.until(lambda: aside(app) == "guten ↔ guten")
        engine.gate.clear()
        await app.type(" m")
        await app.until(lambda: app.main.controller.phase is Phase.WORKING)
        assert (marked(app), aside(app)) == (([], []), "Links on")
        engine.gate.set()
        await app.translated("[en] guten m")
        await app.until(lambda: aside(app) == "m ↔ m")


async def test_a_line_that_changes_loses_its_marks_at_once() -> None:
    async with linking() as app:
        await look(app, 0, 8)
        area = app.source
        area.insert("x", (0, 0))
        assert styled(area, "underline") == []


async def test_the_translation_has_a_cursor_while_it_has_the_focus() -> None:
    async with linking() as app:
        await look(app, 1, 1)
        assert not target(app).show_cursor
        target(app).focus()
        await app.until(lambda: target(app).has_focus)
        await app.pilot.pause()
        assert target(app).show_cursor
        # It begins where the source's is.
        assert target(app).cursor_location == (1, 0)
        assert marked(app)[1] == ["geht"]
        assert aside(app) == "geht ↔ geht"
        target(app).move_cursor((0, 6))
        await app.until(lambda: aside(app) == "guten ↔ guten")
        assert marked(app)[1] == ["guten"]
        app.source.focus()
        await app.until(lambda: aside(app) == "geht ↔ geht")
        assert not target(app).show_cursor


async def test_a_click_on_a_word_of_the_translation_is_followed() -> None:
    async with linking() as app:
        await look(app, 1, 1)
        await app.pilot.click(TargetArea, offset=(14, 1))
        await app.until(lambda: aside(app) == "morgen ↔ morgen")
        assert marked(app)[1] == ["morgen"]


async def test_a_click_on_a_scrolled_translation_is_on_the_word_that_is_seen_there() -> None:
    async with linking(text=LONG) as app:
        area = target(app)
        await app.until(lambda: area.is_vertical_scroll_end and area.max_scroll_y)
        area.scroll_to(y=0, animate=False)
        await app.until(lambda: area.scroll_y == 0)
        await app.pilot.click(TargetArea, offset=(9, 3))
        await app.until(lambda: area.has_focus)
        await app.pilot.pause()
        assert (area.cursor_location[0], area.scroll_offset.y) == (2, 0)
        await app.until(lambda: aside(app) == "morgen ↔ morgen")
        assert area.scroll_offset.y == 0


async def test_keys_lead_to_the_place_of_the_source_though_it_is_scrolled_away() -> None:
    async with linking(text=LONG) as app:
        area = target(app)
        await app.until(lambda: area.is_vertical_scroll_end and area.max_scroll_y)
        await app.until(lambda: aside(app) == "199 ↔ 199")
        area.scroll_to(y=0, animate=False)
        await app.until(lambda: area.scroll_y == 0)
        asked = len(app.engine.asked_links)
        area.focus()
        await app.until(lambda: area.cursor_location[0] == 199 and area.is_vertical_scroll_end)
        await app.pilot.pause()
        assert len(app.engine.asked_links) == asked
        assert aside(app) == "199 ↔ 199"


async def test_a_shorter_translation_has_the_cursor_within_it() -> None:
    async with linking(text="guten\nmorgen\nwie\ngeht") as app:
        target(app).focus()
        await app.until(lambda: target(app).cursor_location == (3, 0))
        app.source.focus()
        await app.until(lambda: not target(app).show_cursor)
        await app.pilot.press("ctrl+n")
        await app.until(lambda: not app.target)
        assert target(app).cursor_location == (0, 0)
        target(app).focus()
        await app.pilot.press("left")
        assert target(app).cursor_location == (0, 0)


@pytest.mark.parametrize(
    ("key", "begins", "line"), [("f5", "[en]", 198), ("f6", "[en]", 198), ("f4", "[de]", 199)]
)
async def test_one_change_is_one_request(key: str, begins: str, line: int) -> None:
    async with linking(text=LONG) as app:
        await app.until(lambda: aside(app) == "199 ↔ 199")
        target(app).focus()
        await app.until(lambda: target(app).cursor_location[0] == 199)
        target(app).move_cursor((198, 8))
        await app.until(lambda: aside(app) == "morgen ↔ morgen")
        asked = len(app.engine.asked_links)
        await app.pilot.press(key)
        await app.until(lambda: app.target.startswith(begins) and " ↔ " in aside(app))
        await app.pilot.pause()
        assert len(app.engine.asked_links) == asked + 1
        assert target(app).cursor_location[0] == line


async def test_the_cursor_stays_on_its_line_in_another_language() -> None:
    engine = FakeEngine()
    async with linking(engine, text=LONG) as app:
        asked = await asked_on_line_100(app)
        app.main._take_target("fr")
        await app.until(lambda: app.target.startswith("[fr]") and " ↔ " in aside(app))
        await app.pilot.pause()
        assert len(engine.asked_links) == asked + 1
        assert target(app).cursor_location == (100, 8)
        assert 0 <= 100 - target(app).scroll_offset.y < target(app).size.height


async def test_the_cursor_waits_for_a_draft_to_come_to_its_line() -> None:
    engine = FakeEngine()
    async with linking(engine, text=LONG) as app:
        asked = await asked_on_line_100(app)
        engine.partials = (Draft(done=9, total=len(LONG), text="[fr] guten morgen 0\n"),)
        engine.gate.clear()
        app.main._take_target("fr")
        await app.until(lambda: app.target == engine.partials[0].text)
        assert target(app).cursor_location == (1, 0)
        engine.gate.set()
        await app.until(lambda: " ↔ " in aside(app))
        await app.pilot.pause()
        assert len(engine.asked_links) == asked + 1
        assert target(app).cursor_location == (100, 8)


async def test_leaving_the_terminal_and_coming_back_asks_nothing() -> None:
    async with linking(text=LONG) as app:
        await look(app, 0, 1)
        await app.until(lambda: aside(app) == "guten ↔ guten")
        target(app).focus()
        await app.until(lambda: target(app).show_cursor)
        target(app).move_cursor((199, 8))
        await app.until(lambda: aside(app) == "morgen ↔ morgen")
        asked = len(app.engine.asked_links)
        app.app.post_message(events.AppBlur())
        await app.until(lambda: not target(app).has_focus)
        await app.pilot.pause()
        app.app.post_message(events.AppFocus())
        await app.until(lambda: target(app).has_focus)
        await app.pilot.pause()
        assert len(app.engine.asked_links) == asked
        assert (aside(app), marked(app)[1]) == ("morgen ↔ morgen", [])
        assert target(app).cursor_location == (199, 8)
        assert "".join(styled(target(app), "underline")) == "morgen"


async def test_a_word_without_a_link_is_told() -> None:
    class Sparse(FakeEngine):
        def _links(self, answer, linked):  # type: ignore[no-untyped-def]
            return list(super()._links(answer, linked))[:1]

    async with linking(Sparse()) as app:
        await look(app, 1, 1)
        assert aside(app) == "No link here"
        await look(app, 0, 13)
        assert aside(app) == "Links on"
        assert marked(app) == ([], [])


class Pivoting(FakeEngine):
    def _answer(self, text: str, source: str, target: str) -> Translation:
        answer = super()._answer(text, source, target)
        return dataclasses.replace(answer, route=(source, "es", target))


async def test_why_there_are_no_links_stands_in_the_status_line() -> None:
    async with linking(Pivoting()) as app:
        assert aside(app) == "No links through Spanish"
    async with linking(text="hello") as app:
        assert aside(app) == "No links: not translated"
    unable = FakeEngine()
    unable.can_link = False
    async with linking(unable) as app:
        assert aside(app) == "No links from this pack"
        asked = len(unable.asked_links)
        await look(app, 0, 1)
        await look(app, 1, 1)
        await app.pilot.pause()
        assert len(unable.asked_links) == asked
        assert marked(app) == ([], [])


async def test_of_a_long_text_only_the_part_around_the_cursor_is_linked() -> None:
    text = LONG
    async with linking(text=text) as app:
        await app.until(lambda: aside(app) == "199 ↔ 199")
        assert app.engine.asked_links[-1] == around(text, len(text))
        await look(app, 0, 1)
        await app.until(lambda: aside(app) == "guten ↔ guten")
        assert app.engine.asked_links[-1] == around(text, 0)
        asked = len(app.engine.asked_links)
        await look(app, 2, 8)
        assert aside(app) == "morgen ↔ morgen"
        assert len(app.engine.asked_links) == asked
        target(app).focus()
        await app.until(lambda: target(app).cursor_location == (2, 6))
        target(app).move_cursor((199, 8))
        await app.until(lambda: aside(app) == "morgen ↔ morgen")
        assert target(app).cursor_location == (199, 8)
        assert app.engine.asked_links[-1] == around(text, len(text))


async def test_wide_characters_and_wrapped_lines_are_marked_in_their_places() -> None:
    text = "guten 我今天没有时间。" * 12 + " 天 morgen"
    async with linking(text=text) as app:
        await look(app, 0, len(text) - 8)
        assert aside(app) == "天 ↔ 天"
        assert marked(app)[1] == ["天"]


async def test_marks_are_seen_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with linking() as app:
        await look(app, 0, 8)
        assert marked(app)[1] == ["morgen"]


@pytest.mark.parametrize("theme", ["mltranslate-light", "ansi-dark", "textual-dark"])
async def test_marks_outlive_a_change_of_the_theme(theme: str) -> None:
    async with linking() as app:
        await look(app, 0, 8)
        app.app.theme = theme
        await app.pilot.pause()
        assert marked(app)[1] == ["morgen"]


@pytest.mark.parametrize("size", [(20, 6), (1, 1)])
async def test_odd_sizes_do_no_harm(size: tuple[int, int]) -> None:
    async with running(size=size) as app:
        await app.pilot.press("ctrl+g")
        await app.type("guten")
        await app.translated("[en] guten")
        assert aside(app) == "guten ↔ guten"
