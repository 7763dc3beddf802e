"""A text in a language that no pack has, seen by a user."""

from __future__ import annotations

from collections.abc import Sequence

from driven_app import running
from fake_engine import FakeEngine

from mltranslate.types import Detection
from mltranslate_tui.controller import Phase


class DutchEngine(FakeEngine):
    """Takes every text for Dutch, which it does not offer."""

    def detect(self, text: str) -> Sequence[Detection]:
        return [Detection(language="nl", confidence=0.99)]


async def test_it_is_named_and_cannot_be_pinned_or_swapped_to() -> None:
    async with running(DutchEngine()) as driven:
        await driven.paste("Ik weet het niet.")
        await driven.until(lambda: driven.main.controller.phase is Phase.DONE)
        assert driven.main_label("#detection") == "Dutch 99 %"
        await driven.pilot.press("f6")
        pair = driven.main.controller.pair
        assert pair is not None
        assert pair.source == "auto"
        await driven.pilot.press("f4")
        assert driven.main.controller.pair == pair
        said = [note.message for note in driven.app._notifications]
        assert said[-1] == "No pack translates into Dutch: F3 sets another."
