"""A source language that was chosen, and texts that seem to be in another one."""

from __future__ import annotations

import dataclasses

from driven_app import Driven, running
from fake_engine import FakeEngine

from mltranslate.types import Detection


class UnsureEngine(FakeEngine):
    """Detects the same languages as ever, and is less sure of them."""

    def detect(self, text: str) -> list[Detection]:
        return [dataclasses.replace(one, confidence=0.9) for one in super().detect(text)[:1]]


async def pinned_german(app: Driven) -> None:
    """Type German, keep its language, and clear the text."""
    await app.type("guten")
    await app.translated("[en] guten")
    await app.pilot.press("f6", "ctrl+n")
    await app.until(lambda: not app.target)


async def test_pin_outlives_the_text_and_a_text_in_another_language_is_told() -> None:
    async with running() as app:
        await pinned_german(app)
        assert app.label("#source-language") == "German ▾"
        assert app.label("#detection") == ""
        await app.type("hello")
        await app.until(lambda: app.label("#detection") == "Looks like English: F6 unpins")
        assert app.main.query_one("#detection").has_class("-warning")
        await app.translated("[en] hello")
        assert app.engine.calls[-1] == ("hello", "de", "en")
        await app.pilot.press("f6")
        await app.until(lambda: app.label("#source-language") == "English, detected ▾")
        assert app.label("#detection").startswith("English 9")
        assert not app.main.query_one("#detection").has_class("-warning")


async def test_text_in_the_pinned_language_is_told_nothing() -> None:
    async with running() as app:
        await pinned_german(app)
        await app.type("hello")
        await app.until(lambda: app.label("#detection"))
        await app.type(" guten morgen")
        await app.until(lambda: app.label("#detection") == "")


async def test_guess_that_is_not_sure_is_kept_to_itself() -> None:
    async with running(UnsureEngine(), source="de") as app:
        await app.type("hello")
        await app.translated("[en] hello")
        assert app.label("#detection") == ""
