"""The app under Textual's pilot, with an engine that answers when the test lets it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fake_engine import FakeEngine
from textual import events
from textual.pilot import Pilot
from textual.widgets import Static

from mltranslate_tui.app import TranslatorApp
from mltranslate_tui.controller import Phase
from mltranslate_tui.screens.translate import TranslateScreen
from mltranslate_tui.widgets.areas import SourceArea, TargetArea
from mltranslate_tui.widgets.status import StatusLine

PATIENCE = 60.0
"""Seconds after which a state that never comes fails the test; reached only by a defect."""


class Driven:
    """An app under test, and what a user would see of it."""

    def __init__(self, app: TranslatorApp, pilot: Pilot[None], engine: FakeEngine) -> None:
        self.app = app
        self.pilot = pilot
        self.engine = engine

    @property
    def main(self) -> TranslateScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, TranslateScreen)
        return screen

    @property
    def source(self) -> SourceArea:
        return self.main.query_one(SourceArea)

    @property
    def target(self) -> str:
        return self.main.query_one(TargetArea).text

    @property
    def status(self) -> tuple[str, ...]:
        return self.main.query_one(StatusLine).facts

    def label(self, selector: str) -> str:
        return str(self.app.screen.query_one(selector, Static).content)

    def main_label(self, selector: str) -> str:
        return str(self.main.query_one(selector, Static).content)

    async def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "the awaited state never came"
            await self.pilot.pause(0.005)

    async def type(self, text: str) -> None:
        await self.pilot.press(*(("space" if char == " " else char) for char in text))

    async def paste(self, text: str) -> None:
        self.source.post_message(events.Paste(text))
        await self.until(lambda: len(self.source.text) >= len(text))

    async def translated(self, text: str) -> None:
        await self.until(lambda: self.target == text and self.main.controller.phase is Phase.DONE)


@asynccontextmanager
async def running(
    engine: FakeEngine | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    loaded: bool = True,
    source: str = "auto",
    target: str | None = "en",
) -> AsyncIterator[Driven]:
    engine = engine or FakeEngine()
    app = TranslatorApp(lambda: engine, source=source, target=target)
    async with app.run_test(size=size) as pilot:
        driven = Driven(app, pilot, engine)
        try:
            if loaded:
                await driven.until(lambda: driven.status[0] == "Ready")
            yield driven
        finally:
            engine.gate.set()
            engine.loading.set()
