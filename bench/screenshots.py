"""Takes the pictures of the app in docs/img, with the packs that ship.

    python bench/screenshots.py [--out FOLDER]

Each is what the app really shows after these keys; the milliseconds in it are those of one call.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import events

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tui_app")]

from mltranslate_tui import themes  # noqa: E402
from mltranslate_tui.app import TranslatorApp  # noqa: E402
from mltranslate_tui.controller import Phase  # noqa: E402
from mltranslate_tui.engine import PipelineEngine  # noqa: E402
from mltranslate_tui.screens.translate import TranslateScreen  # noqa: E402
from mltranslate_tui.widgets.areas import SourceArea  # noqa: E402

SHORT = "Guten Morgen! Wo ist der nächste Bahnhof?"
PATIENCE = 30.0
"""Seconds that a translation may take, the model's loading included."""
LONG = f"{SHORT}\nIch habe heute keine Zeit, aber morgen können wir uns treffen."


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: the window, what was typed, and which keys followed."""

    name: str
    size: tuple[int, int]
    text: str
    keys: tuple[str, ...] = ()
    light: bool = False


PICTURES = (
    Picture("app-80x24", (80, 24), SHORT),
    Picture("app-picker-80x24", (80, 24), SHORT, ("f3",)),
    Picture("app-links-80x24", (80, 24), LONG, ("ctrl+g", *["left"] * 38)),
    Picture("app-light-120x36", (120, 36), LONG, light=True),
)


async def take(picture: Picture, out: Path) -> None:
    """Run the app until its translation is done, press the keys, and write the picture."""
    app = TranslatorApp(lambda: PipelineEngine(None, "cpu", None), target="en")
    async with app.run_test(size=picture.size) as pilot:
        if picture.light:
            app.theme = themes.LIGHT.name
        main = app.screen_stack[0]
        assert isinstance(main, TranslateScreen)
        # Twice, as the first call is slower than those that a user waits for.
        for _ in range(2):
            source = main.query_one(SourceArea)
            source.clear()
            source.post_message(events.Paste(picture.text))
            async with asyncio.timeout(PATIENCE):
                while main.controller.phase is not Phase.DONE or source.text != picture.text:
                    await pilot.pause(0.05)
        await pilot.press(*picture.keys)
        await pilot.pause(0.5)
        app.save_screenshot(f"{picture.name}.svg", str(out))


def main(arguments: Sequence[str] | None = None) -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description="Take the pictures of the app.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "img", help="(docs/img)")
    options = parser.parse_args(arguments)
    os.environ.pop("NO_COLOR", None)
    for picture in PICTURES:
        asyncio.run(take(picture, options.out))


if __name__ == "__main__":
    main()
