"""Progress of a run: a live bar on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Where the loop reports to."""

    def update(self, record: dict[str, Any]) -> None:
        """Show a metrics record."""

    def evaluated(self, chrf: float) -> None:
        """Show the newest dev score."""


class _Lines:
    def update(self, record: dict[str, Any]) -> None:
        log.info(
            "step %d: loss %.3f, %.0f target tokens/s",
            record["step"], record["loss"], record["tokens_per_second"],
        )  # fmt: skip

    def evaluated(self, chrf: float) -> None:
        log.info("dev chrF %.2f", chrf)


class _Bar:
    def __init__(self, bar: Bar, steps: int, done: int) -> None:
        self._bar = bar
        self._task = bar.add_task(
            "", total=steps, completed=done, loss=float("nan"), speed=0.0, chrf="–"
        )

    def update(self, record: dict[str, Any]) -> None:
        self._bar.update(
            self._task,
            completed=record["step"],
            loss=record["loss"],
            speed=record["tokens_per_second"],
        )

    def evaluated(self, chrf: float) -> None:
        self._bar.update(self._task, chrf=f"{chrf:.2f}")


@contextmanager
def open_progress(steps: int, done: int = 0, console: Console | None = None) -> Iterator[Progress]:
    """A bar with loss, tokens a second, last dev chrF and ETA; log lines without a terminal.

    `done` of the `steps` were done by earlier runs; `console` is the error output if not given.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TextColumn("{task.fields[speed]:,.0f} tok/s"),
        TextColumn("chrF {task.fields[chrf]}"),
        TimeRemainingColumn(),
    )
    # Reports may be minutes apart: the speed behind the ETA is that of the last hour.
    with Bar(*columns, console=console, speed_estimate_period=3600) as bar:
        yield _Bar(bar, steps, done)
