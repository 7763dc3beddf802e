import io
import logging
import re

import pytest
from rich.console import Console

from mltranslate_train.progress import open_progress


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def shown(text: str) -> str:
    """The last state of the bar, without control codes."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).strip().splitlines()[-1]


def report(step: int) -> dict[str, float]:
    return {"step": step, "loss": 3.25, "tokens_per_second": 2345.6}


def test_terminal_gets_a_bar_with_loss_speed_score_and_eta() -> None:
    out, clock = io.StringIO(), Clock()
    console = Console(file=out, force_terminal=True, width=100, get_time=clock)
    with open_progress(500, 100, console) as progress:
        progress.evaluated({"metric": "chrf", "mean": 41.5})
        # Reports come more rarely than rich expects, which must not cost the ETA.
        for step in (150, 200, 250, 300):
            clock.now += 100
            progress.trained(report(step))
    last = shown(out.getvalue())
    for part in ("300/500", "loss 3.250", "2,346 tok/s", "chrF 41.50", "0:06:40"):
        assert part in last


def test_bar_begins_where_the_last_run_ended() -> None:
    out = io.StringIO()
    with open_progress(500, 100, Console(file=out, force_terminal=True, width=100)):
        pass
    assert "100/500" in shown(out.getvalue())


def test_log_file_gets_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with open_progress(500, 100, Console(file=io.StringIO())) as progress:
        progress.trained(report(150))
        progress.evaluated({"metric": "chrf", "mean": 41.5})
    assert caplog.messages == ["step 150: loss 3.250, 2346 target tokens/s", "dev chrF 41.50"]
