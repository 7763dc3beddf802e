"""What is in sight in low windows, what may be pasted, and how well text can be read."""

from __future__ import annotations

import pytest
from driven_app import Driven, running
from textual.binding import Binding
from textual.color import Color
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, OptionList

from mltranslate.errors import DeviceError
from mltranslate_tui.app import TranslatorApp
from mltranslate_tui.screens.problem import ProblemScreen
from mltranslate_tui.screens.translate import TranslateScreen
from mltranslate_tui.widgets.areas import EDITOR_CHARACTERS, TargetArea

LOW = [(80, 16), (60, 15), (40, 10)]


def inside(part: Widget, whole: Widget) -> bool:
    return part.region.height > 0 and part.region in whole.content_region


@pytest.mark.parametrize("size", LOW)
async def test_the_highlighted_language_and_the_hint_are_in_sight(size: tuple[int, int]) -> None:
    async with running(size=size) as app:
        await app.pilot.press("f2", *["down"] * 6)
        await app.pilot.pause()
        dialog = app.app.screen.query_one(".dialog")
        rows = app.app.screen.query_one(OptionList)
        hint = app.app.screen.query_one(".hint")
        assert inside(rows, dialog)
        assert inside(hint, dialog)
        assert rows.region.bottom <= hint.region.y
        assert rows.highlighted == 6
        assert rows.scroll_y <= 6 < rows.scroll_y + rows.region.height


@pytest.mark.parametrize("size", LOW)
async def test_a_problem_is_read_to_its_end_and_its_buttons_stay(size: tuple[int, int]) -> None:
    error = DeviceError("no device " * 10, why="a reason " * 20, fix="a way out " * 10)
    async with running(size=size) as app:
        app.app.push_screen(ProblemScreen(error, retry=True))
        await app.until(lambda: app.app.screen.query(".fix"))
        await app.pilot.pause()
        dialog = app.app.screen.query_one(".dialog")
        text = app.app.screen.query_one(VerticalScroll)
        buttons = app.app.screen.query(Button)
        await app.until(lambda: all(inside(button, dialog) for button in buttons))
        assert text.region.bottom <= app.app.screen.query_one(".buttons").region.y
        await app.pilot.press("down", *["pagedown"] * 6)
        await app.until(lambda: text.scroll_y == text.max_scroll_y)
        assert app.app.screen.query_one(".fix").region.bottom <= text.region.bottom
        await app.pilot.press("up", *["pageup"] * 6)
        await app.until(lambda: text.scroll_y == 0)


@pytest.mark.parametrize("size", [(80, 24), *LOW])
async def test_live_mode_is_in_sight(size: tuple[int, int]) -> None:
    async with running(size=size) as app:
        live = app.main.query_one("#live")
        assert live.region.width
        assert live.region.y == 0
        assert live.region.right <= size[0]
        await app.pilot.click("#live")
        assert app.label("#live") == "○ Live off"


async def test_the_apps_own_clipboard_is_pasted_like_that_of_the_terminal() -> None:
    async with running() as app:
        app.app.copy_to_clipboard("gu\x1bten\x00")
        await app.pilot.press("ctrl+v")
        assert app.source.text == "guten"
        app.app.copy_to_clipboard("x" * EDITOR_CHARACTERS)
        await app.pilot.press("ctrl+v")
        await app.until(lambda: isinstance(app.app.screen, ProblemScreen))
        assert app.source.text == "guten"


def luminance(color: Color) -> float:
    shares = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in color.normalized
    ]
    return sum(
        share * weight for share, weight in zip(shares, (0.2126, 0.7152, 0.0722), strict=True)
    )


def faint(app: Driven) -> list[str]:
    """Texts on the screen with less than 4.5:1 to their ground."""
    found = []
    for widget in app.main.walk_children(Widget):
        if widget.children:
            continue
        for row in range(widget.size.height):
            for text, style, _ in widget.render_line(row):
                if style is None or style.color is None or style.bgcolor is None:
                    continue
                both = [luminance(Color.from_rich_color(c)) for c in (style.color, style.bgcolor)]
                if any(map(str.isalnum, text)) and (max(both) + 0.05) / (min(both) + 0.05) < 4.5:
                    found.append(text)
    return found


@pytest.mark.parametrize("theme", ["mltranslate-dark", "mltranslate-light"])
async def test_every_text_can_be_read(theme: str) -> None:
    async with running() as app:
        app.app.theme = theme
        await app.pilot.pause()
        assert not faint(app)
        await app.type("guten")
        await app.translated("[en] guten")
        await app.pilot.press("f8")
        await app.type("e")
        await app.until(lambda: app.main.query_one(TargetArea).has_class("-outdated"))
        await app.pilot.pause()
        assert not faint(app)


async def test_the_command_palette_has_whatever_has_a_key() -> None:
    async with running() as app:
        commands = app.app.get_system_commands(app.main)
        done = {getattr(one.callback, "__name__", "") for one in commands}
        for key in (*TranslateScreen.BINDINGS, *TranslatorApp.BINDINGS):
            assert isinstance(key, Binding)
            assert f"action_{key.action.removeprefix('app.')}" in done
