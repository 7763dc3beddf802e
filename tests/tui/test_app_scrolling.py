"""The translation is scrolled to what the user is reading or writing in the source."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from driven_app import Driven, running
from fake_engine import FakeEngine

from mltranslate.types import Translation
from mltranslate_tui.controller import Draft
from mltranslate_tui.widgets.areas import TargetArea

COUNT = 200


class WordyEngine(FakeEngine):
    """Says every line three times over, so that the translation needs more rows than the source."""

    def _answer(self, text: str, source: str, target: str) -> Translation:
        answer = super()._answer(text, source, target)
        return dataclasses.replace(answer, text=wordy(text))


def wordy(text: str) -> str:
    return "\n".join(" ".join([line] * 3) for line in text.split("\n"))


def visible(area: TargetArea) -> list[int]:
    """The lines of the translation that are on the screen, each as often as it has rows."""
    rows = area.wrapped_document._offset_to_line_info[area.scroll_offset.y :]
    return [line for line, _ in rows[: area.scrollable_content_region.height]]


@asynccontextmanager
async def reading(count: int = COUNT, separator: str = "\n") -> AsyncIterator[Driven]:
    """The app with so many lines pasted and translated; the cursor is at their end."""
    text = separator.join(f"guten morgen {number}" for number in range(count))
    async with running(WordyEngine()) as app:
        await app.paste(text)
        await app.translated(wordy(text))
        await app.pilot.pause()
        yield app


def right(app: Driven) -> TargetArea:
    return app.main.query_one(TargetArea)


def at_end(area: TargetArea) -> Callable[[], bool]:
    return lambda: area.max_scroll_y > 0 and area.is_vertical_scroll_end


@pytest.mark.parametrize(
    ("count", "separator"),
    [
        pytest.param(COUNT, "\n", id="many lines"),
        pytest.param(COUNT, " ", id="one line"),
        pytest.param(10, "\n", id="a source that needs no scrolling"),
    ],
)
async def test_end_of_the_translation_is_seen_while_the_end_is_written(
    count: int, separator: str
) -> None:
    async with reading(count, separator) as app:
        await app.until(at_end(right(app)))
        await app.type(" wie geht es")
        await app.translated(wordy(app.source.text))
        await app.until(at_end(right(app)))


async def test_translation_goes_where_the_cursor_goes() -> None:
    async with reading() as app:
        app.source.move_cursor((0, 0))
        await app.until(lambda: right(app).scroll_offset.y == 0)
        app.source.move_cursor((120, 0))
        await app.until(lambda: 120 in visible(right(app)))
        await app.type("!")
        await app.translated(wordy(app.source.text))
        assert 120 in visible(right(app))


async def test_translation_is_scrolled_with_the_source() -> None:
    async with reading() as app:
        height = app.source.scrollable_content_region.height
        for top in (100, 50):
            app.source.scroll_to(y=top, animate=False)
            await app.pilot.pause()
            assert set(visible(right(app))) <= set(range(top, top + height))
        app.source.scroll_home(animate=False)
        await app.until(lambda: right(app).scroll_offset.y == 0)
        app.source.scroll_end(animate=False)
        await app.until(at_end(right(app)))


async def test_translation_that_the_user_has_scrolled_stays_until_he_goes_on() -> None:
    async with reading() as app:
        engine = app.engine
        engine.gate.clear()
        await app.type("!")
        right(app).scroll_to(y=7, animate=False)
        engine.gate.set()
        await app.translated(wordy(app.source.text))
        await app.pilot.pause()
        assert right(app).scroll_offset.y == 7
        await app.pilot.press("left")
        await app.until(lambda: COUNT - 1 in visible(right(app)))


async def test_end_stays_visible_when_the_terminal_gets_another_size() -> None:
    async with reading(COUNT, " ") as app:
        for size in ((60, 20), (120, 36), (80, 24)):
            await app.pilot.resize_terminal(*size)
            await app.until(at_end(right(app)))
            await app.pilot.pause()
            assert at_end(right(app))()


async def test_draft_that_says_nothing_new_leaves_the_translation_whole() -> None:
    async with reading() as app:
        before = app.target
        app.engine.gate.clear()
        app.engine.partials = (Draft(done=1, total=COUNT, text=before[:50]),)
        await app.type("!")
        await app.until(lambda: "%" in app.main_label("#notice"))
        assert app.target == before
        await app.until(at_end(right(app)))  # the notice takes a row of the pane
