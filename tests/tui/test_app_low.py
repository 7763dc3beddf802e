"""Low windows, in which dialogs keep in sight what the keys act on."""

from __future__ import annotations

import pytest
from driven_app import running
from fake_engine import FakeEngine
from textual.widgets import Button, OptionList, Static

from mltranslate_tui.screens.picker import LanguagePicker
from mltranslate_tui.screens.problem import ProblemScreen
from mltranslate_tui.widgets.areas import EDITOR_CHARACTERS

LOW = [(80, 16), (60, 15), (40, 10)]


@pytest.mark.parametrize("size", LOW)
async def test_the_chosen_row_and_the_hint_of_the_picker_are_in_sight(
    size: tuple[int, int],
) -> None:
    async with running(FakeEngine(), size=size) as app:
        await app.pilot.press("f2")
        await app.until(lambda: isinstance(app.app.screen, LanguagePicker))
        rows = app.app.screen.query_one(OptionList)
        await app.until(lambda: rows.option_count and rows.size.height)
        for _ in range(rows.option_count):
            await app.pilot.press("down")
        await app.pilot.pause()
        assert rows.highlighted is not None
        seen = range(round(rows.scroll_offset.y), round(rows.scroll_offset.y) + rows.size.height)
        assert rows.highlighted in seen
        dialog = app.app.screen.query_one(".dialog")
        assert rows.region in dialog.region
        assert app.app.screen.query_one(".hint").region in dialog.region
        assert dialog.region in app.app.screen.region


@pytest.mark.parametrize("size", LOW)
async def test_the_buttons_of_a_problem_are_in_sight_and_its_text_scrolls(
    size: tuple[int, int],
) -> None:
    async with running(FakeEngine(), size=size) as app:
        app.app.copy_to_clipboard("x" * (EDITOR_CHARACTERS + 1))
        await app.pilot.press("ctrl+v")
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        screen = app.app.screen
        await app.until(lambda: screen.query(Button) and screen.query_one("#close").region.height)
        dialog = screen.query_one(".dialog")
        assert screen.query_one("#close").region in dialog.region
        assert dialog.region in screen.region
        text = screen.query_one("VerticalScroll")
        for _ in range(30):
            await app.pilot.press("down")
        await app.until(lambda: text.scroll_y == text.max_scroll_y)
        assert screen.query_one(".fix", Static).region.bottom <= dialog.region.bottom


async def test_a_paste_inside_the_app_has_the_same_limit_and_no_control_characters() -> None:
    async with running(FakeEngine()) as app:
        app.app.copy_to_clipboard("a\x1b[31mb\x00c")
        await app.pilot.press("ctrl+v")
        await app.until(lambda: app.source.text)
        assert app.source.text.isprintable()
        before = app.source.text
        app.app.copy_to_clipboard("x" * EDITOR_CHARACTERS)
        await app.pilot.press("ctrl+v")
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        assert app.source.text == before


async def test_live_is_told_in_a_low_window() -> None:
    async with running(FakeEngine(), size=(60, 15)) as app:
        live = app.main.query_one("#live")
        await app.until(lambda: live.region.height)
        assert live.region in app.main.region
