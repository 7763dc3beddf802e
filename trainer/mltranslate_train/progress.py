"""Progress of a run: a live bar on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

log = logging.getLogger(__name__)

_NAMES = {"chrf": "chrF", "bleu": "BLEU", "perplexity": "perplexity"}


class Lines:
    """Log lines, for a file or a pipe."""

    def trained(self, record: dict[str, Any]) -> None:
        """Log loss and speed."""
        log.info(
            "step %d: loss %.3f, %.0f target tokens/s",
            record["step"], record["loss"], record["tokens_per_second"],
        )  # fmt: skip

    def evaluated(self, record: dict[str, Any]) -> None:
        """Log the score that chooses the best weights."""
        log.info("dev %s %.2f", _NAMES[record["metric"]], record["mean"])

    def happened(self, record: dict[str, Any]) -> None:
        """Log it in words."""
        log.info(in_words(record))


class LiveBar:
    """A bar that is drawn again and again, for a terminal."""

    def __init__(self, bar: Bar, steps: int, done: int) -> None:
        self._bar = bar
        self._task = bar.add_task(
            "", total=steps, completed=done, loss=float("nan"), speed=0.0, score="–"
        )

    def trained(self, record: dict[str, Any]) -> None:
        """Show step, loss and speed."""
        self._bar.update(
            self._task,
            completed=record["step"],
            loss=record["loss"],
            speed=record["tokens_per_second"],
        )

    def evaluated(self, record: dict[str, Any]) -> None:
        """Show the score that chooses the best weights."""
        score = f"{_NAMES[record['metric']]} {record['mean']:.2f}"
        self._bar.update(self._task, score=score)

    def happened(self, record: dict[str, Any]) -> None:
        """Log it in words."""
        log.info(in_words(record))


def in_words(record: dict[str, Any]) -> str:
    """A sentence about an event of a run."""
    step = record["step"]
    processes = f", {record['processes']} processes" if record["processes"] > 1 else ""
    device = f"{record['device']} in {record['precision']}, {record['threads']} threads{processes}"
    sentences = {
        "start": f"training on {device}",
        "resume": f"resuming after step {step} on {device}",
        "stop": f"saved after step {step}; the same command resumes",
        "early-stop": f"stopped after step {step}: the dev score no longer rises",
        "done": f"trained {step} steps",
    }
    return sentences[record["event"]]


@contextmanager
def open_progress(
    steps: int, done: int = 0, console: Console | None = None
) -> Iterator[Lines | LiveBar]:
    """A bar with loss, tokens a second, last dev score and ETA; log lines without a terminal.

    `done` of the `steps` were done by earlier runs; `console` is the error output if not given.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TextColumn("{task.fields[speed]:,.0f} tok/s"),
        TextColumn("{task.fields[score]}"),
        TimeRemainingColumn(),
    )
    # Reports may be minutes apart: the speed behind the ETA is that of the last hour.
    with Bar(*columns, console=console, speed_estimate_period=3600) as bar:
        yield LiveBar(bar, steps, done)
