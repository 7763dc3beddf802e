"""What is said below the translation, where there is room for it and where there is not."""

from __future__ import annotations

import time

import pytest
from driven_app import running
from fake_engine import FakeEngine
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from mltranslate.types import Caution
from mltranslate_tui.widgets.notice import NoticeLine, fitted

FOUR = (Caution.SPLIT, Caution.PLACED, Caution.NUMBERS, Caution.LOW_CONFIDENCE)
TWO = ["A number is missing here: compare", "It repeats itself: do not trust it"]


def test_sentences_that_fit_are_whole() -> None:
    assert fitted(TWO, 36, 4) == TWO
    assert fitted(TWO, 20, 4) == [
        "A number is missing",
        "here: compare",
        "It repeats itself:",
        "do not trust it",
    ]
    assert fitted([], 36, 4) == []


def test_those_that_do_not_fit_are_counted() -> None:
    assert fitted(TWO, 50, 1) == [f"{TWO[0]} … +1 more"]
    assert fitted(TWO, 20, 3) == ["A number is missing", "here: compare … +1", "more"]
    assert fitted([*TWO, "Third"], 36, 2) == [f"{TWO[0]} …", "+2 more"]


def test_a_sentence_without_room_is_cut() -> None:
    assert fitted(TWO, 36, 1) == ["A number is missing here: c… +1 more"]
    assert fitted(TWO[:1], 20, 1) == ["A number is missing…"]


@given(
    sentences=st.lists(st.text("ab 天\u0301-", min_size=1), max_size=4),
    width=st.integers(1, 50),
    rows=st.integers(1, 5),
)
def test_never_more_than_there_is_room_for(sentences: list[str], width: int, rows: int) -> None:
    lines = fitted(sentences, width, rows)
    assert len(lines) <= rows
    # A wide character takes two cells whatever the room.
    assert all(cell_len(line) <= max(width, 2) for line in lines)


def test_long_sentences_take_no_time() -> None:
    begun = time.process_time()
    fitted(["x" * 100_000, "a b" * 30_000] * 2, 36, 4)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (40, 10)])
async def test_the_gravest_warning_is_first_and_the_mouse_shows_all(size: tuple[int, int]) -> None:
    engine = FakeEngine()
    async with running(engine, size=size, target="de") as app:
        engine.warnings = FOUR
        await app.paste("a")
        await app.translated("[de] a")
        line = app.main.query_one(NoticeLine)
        await app.until(lambda: line.region.height)
        rows = [line.render_line(row).text.rstrip() for row in range(line.region.height)]
        said = str(line.content).splitlines()
        assert rows[0].startswith("A number is missing")
        assert len(rows) == (1 if size[1] < 16 else 4)
        assert rows == said if len(rows) == 4 else rows[0].endswith(" +3 more")
        assert line.region in line.parent.region  # type: ignore[union-attr]
        assert isinstance(line.tooltip, Content)
        assert line.tooltip.plain.splitlines() == said
        assert len(said) == len(FOUR)
