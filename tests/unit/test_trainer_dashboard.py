"""The dashboard under Textual's pilot, over runs that are written while it looks on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from textual.content import Content
from textual.widgets import Static
from textual_plot.plot_widget import LinePlot, PlotWidget, ScatterPlot
from toy_metrics import course, evaluation, event, lines, point, write_course

from mltranslate_train.dashboard import screen
from mltranslate_train.dashboard.app import Dashboard
from mltranslate_train.dashboard.charts import COLOURS, Chart
from mltranslate_train.dashboard.facts import fact_lines, progress_line, run_strip
from mltranslate_train.dashboard.help import HelpScreen
from mltranslate_train.dashboard.samples import Samples, printable
from mltranslate_train.dashboard.screen import RunsScreen
from mltranslate_train.dashboard.ticks import labels, nice
from mltranslate_train.report.folder import open_runs

SIZES = ((80, 24), (120, 36))
PATIENCE = 60.0


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    now = time.time()
    shift = now - course(2000)[-1]["time"] - 2
    live = [{**record, "time": record["time"] + shift} for record in course(2000, maximum=5000)]
    return [
        write_course(tmp_path / "live", live, name="live-run"),
        write_course(tmp_path / "done", course(1200, end="done"), name="done-run"),
        write_course(tmp_path / "odd", course(50, maximum=900), name="odd-run"),
    ]


def dashboard(paths: list[Path], *, compare: bool = False) -> Dashboard:
    return Dashboard(open_runs(paths), compare=compare)


def shown(app: Dashboard) -> list[str]:
    """The lines on the screen, as a user reads them."""
    width = app.size.width
    rows = [strip.text for strip in app.screen._compositor.render_strips()]
    assert all(len(row) <= width for row in rows)
    return rows


def curves(app: Dashboard, name: str) -> list[LinePlot | ScatterPlot]:
    plot = app.screen_stack[0].query_one(f"#{name}", Chart).query_one(PlotWidget)
    return list(plot._datasets)


async def until(pilot: Any, condition: Callable[[], bool]) -> None:
    """Wait for a state; a defect is one that never comes."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, "it never came"
        await asyncio.sleep(0.02)
        await pilot.pause()


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("size", SIZES)
async def test_every_part_is_on_the_screen(
    runs: list[Path], size: tuple[int, int], colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    app = dashboard(runs, compare=True)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = "\n".join(shown(app))
        for expected in (
            "live-run ▶", "done-run ✓", "odd-run ?", "▶ running  last record",
            "one comes every 10 s", "40 %  step 2,000 of 5,000", "at work", "3.5k tok/s",
            "lr 1.00e-03", "cpu bf16", "2 threads", "11.2M parameters", "loss 2.003 by steps",
            "dev chrF 34.59, best 34.59 at 2,000", "evaluation 10 of 10, step 2,000",
            "chrF 34.59", "dev:en-de 35.6", "source", "A dog, step 2000.", "Ein Hund | 2000.",
            "reference", "Ein *Hund*.", "Quit", "Help", "left",
        ):  # fmt: skip
            assert expected in text
        assert any("\u2800" < letter <= "\u28ff" for letter in text), "braille curves"
        assert ("tokens/s 3.5k" in text.replace("target ", "")) == (size == (120, 36))
        drawn = curves(app, "loss")
        if colour:
            assert [type(curve) for curve in drawn] == [LinePlot, ScatterPlot, LinePlot]
            styles = [curve.line_style for curve in drawn if isinstance(curve, LinePlot)]
            assert styles == [COLOURS[1], COLOURS[0]]  # the current run's comes on top
        else:
            assert [type(curve) for curve in drawn] == [ScatterPlot, ScatterPlot, LinePlot]


async def test_keys_change_runs_curves_and_views(runs: list[Path]) -> None:
    app = dashboard(runs)
    async with app.run_test(size=(100, 32)) as pilot:
        await pilot.pause()

        def state() -> str:
            return str(app.screen.query_one("#state", Static).content)

        def highlighted() -> str:
            strip = app.screen.query_one("#strip", Static).content
            assert isinstance(strip, Content)
            (span,) = (span for span in strip.spans if span.style == "bold reverse")
            return strip.plain[span.start : span.end].strip()

        assert len(curves(app, "loss")) == 1
        assert highlighted() == "live-run"
        await pilot.press("space", "tab")
        assert highlighted() == "done-run"
        assert "done-run" in state()
        assert "✓ finished  it said so after step 1,200" in state()
        assert len(curves(app, "loss")) == 2
        await pilot.press("left", "space", "right")
        assert len(curves(app, "loss")) == 1
        before = curves(app, "loss")[0].y
        await pilot.press("l")
        assert curves(app, "loss")[0].y == pytest.approx(np.log10(before))
        await pilot.press("l", "s")
        assert np.abs(np.diff(curves(app, "loss")[0].y)).max() < np.abs(np.diff(before)).max()
        await pilot.press("x")
        assert curves(app, "loss")[0].x[-1] == pytest.approx(246 / 3600, rel=0.05)
        chrf = curves(app, "score")[0].y[-1]
        await pilot.press("m")
        assert curves(app, "score")[0].y[-1] == pytest.approx(chrf * 0.375)
        await pilot.press("4")
        visible = [chart.id for chart in app.screen.query(Chart) if chart.display]
        assert visible == ["rate"]
        assert not app.screen.query_one(Samples).display
        await pilot.press("v")
        assert app.screen.query_one(Samples).region.height > 20
        await pilot.press("escape", "tab", "tab")
        assert "live-run" in state()
        assert all(chart.display for chart in app.screen.query(Chart))
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("q")
        assert isinstance(app.screen, RunsScreen)
        await pilot.press("q")
    assert app.return_code == 0


async def test_samples_scroll_back_and_follow_again(
    runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "EVERY", 0.1)
    app = dashboard(runs[:1])
    async with app.run_test(size=(80, 24)) as pilot:
        samples = app.screen.query_one(Samples)
        await pilot.press("up", "up")
        assert samples.border_title == "evaluation 8 of 10, step 1,600"
        append(runs[0], evaluation(2200, time.time(), 36.0))
        await until(pilot, lambda: "8 of 11" in str(samples.border_title))
        await pilot.press(*["up"] * 11)
        assert samples.border_title == "evaluation 1 of 11, step 200"
        await pilot.press(*["down"] * 11)
        assert samples.border_title == "evaluation 11 of 11, step 2,200"
        append(runs[0], evaluation(2400, time.time(), 37.0))
        await until(pilot, lambda: "12 of 12, step 2,400" in str(samples.border_title))
        await pilot.press("pagedown")
        await until(pilot, lambda: samples.scroll_y > 0 or samples.max_scroll_y == 0)


def append(run: Path, *records: dict[str, Any]) -> None:
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(lines(list(records)))


async def test_run_is_followed_through_growth_crash_and_end(
    runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "EVERY", 0.1)
    path = runs[0]
    app = dashboard([path])
    async with app.run_test(size=(80, 24)) as pilot:

        def head(name: str) -> str:
            return str(app.screen.query_one(f"#{name}", Static).content)

        now = time.time()
        whole = json.dumps(point(2050, now)).encode()
        with (path / "metrics.jsonl").open("ab") as file:
            file.write(whole[:30])
        await pilot.pause(0.1)
        assert "step 2,000 of" in head("progress")
        with (path / "metrics.jsonl").open("ab") as file:
            file.write(whole[30:] + b"\n")
        await until(pilot, lambda: "step 2,050 of" in head("progress"))
        append(path, event("resume", 1000, now, max_steps=1500), point(1050, now + 1))
        await until(pilot, lambda: "70 %  step 1,050 of 1,500" in head("progress"))
        assert curves(app, "loss")[0].x[-1] == 1050
        append(path, event("early-stop", 1050, now + 2))
        await until(pilot, lambda: "stopped early" in head("state"))
        assert "left" not in head("progress")
        (path / "metrics.jsonl").write_bytes(lines(course(100, maximum=900)))
        await until(pilot, lambda: "step 100 of 900" in head("progress"))
        assert "? silent" in head("state")


async def test_run_without_a_record_and_a_strange_one_can_be_shown(tmp_path: Path) -> None:
    strange = [{"time": 1.0, "step": 1, "loss": float("nan"), "tokens_per_second": float("inf"),
                "learning_rate": 0.0, "target_tokens": 1}]  # fmt: skip
    for name, records in (("empty", []), ("strange", strange)):
        path = write_course(tmp_path / name, records)
        (path / "metrics.jsonl").open("ab").write(b"no JSON\n")
        app = dashboard([path])
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("l", "s", "x", "m", "v", "up", "space", "tab")
            text = "\n".join(shown(app))
        assert "unreadable lines: 1" in text


async def test_ten_thousand_records_are_drawn_as_few_points(tmp_path: Path) -> None:
    path = write_course(tmp_path / "long", [point(step, step) for step in range(1, 10_001)])
    app = dashboard([path])
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        drawn = curves(app, "loss")[0]
        assert len(drawn.x) < 500
        assert (drawn.x[0], drawn.x[-1]) == (1, 10_000)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 9))
def test_marks_lie_on_the_axis_and_are_not_too_many(low: float, span: float, most: int) -> None:
    marks = nice(low, low + span, most)
    assert len(marks) <= most
    assume(span > 1e-6 * abs(low))  # narrower axes have no number for every mark
    assert all(low - span / 1e3 <= mark <= low + span * 1.001 for mark in marks)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2.0, 4.0, 6.0], ["2", "4", "6"]),
        ([2.5, 3.0], ["2.5", "3.0"]),
        ([0.0, 5000.0, 10000.0], ["0", "5k", "10k"]),
        ([5000.0], ["5000"]),
        ([1e6, 1.5e6], ["1.0M", "1.5M"]),
        ([0.0, 0.0005, 0.001], ["0", "5e-4", "1e-3"]),
        ([], []),
    ],
)
def test_marks_are_labelled_briefly(values: list[float], expected: list[str]) -> None:
    assert labels(values) == expected


def test_long_facts_fit_the_width(runs: list[Path]) -> None:
    (run,) = open_runs(runs[:1])
    for cells in (20, 40, 78, 118):
        facts = fact_lines(run, cells).plain.split("\n")
        assert all(len(line) <= max(cells, len("11.2M parameters")) for line in facts)
        assert len(progress_line(run, run.state(), max(cells, 60)).plain) == max(cells, 60)


def test_current_run_is_always_on_the_strip(tmp_path: Path) -> None:
    paths = [
        write_course(tmp_path / f"r{n}", course(50), name=f"a-long-name-{n}") for n in range(9)
    ]
    runs = open_runs(paths)
    states = [run.state() for run in runs]
    for current in range(9):
        strip = run_strip(runs, states, current, {0}, 40).plain[:40]
        assert f"a-long-name-{current}" in strip


@given(st.text())
def test_samples_cannot_move_the_cursor(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text)) == len(text)
