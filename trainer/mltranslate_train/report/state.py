"""Whether a run is at work, and how that is known."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from statistics import median

from mltranslate_train.report.history import Event, History
from mltranslate_train.report.wording import count, duration

PATIENCE = 600.0
"""Seconds without a record after which a run counts as silent while its rhythm is not known."""

_SLOWER = 3.0
_LEAST_PATIENCE = 30.0
_RHYTHM = 50


class Phase(enum.Enum):
    """What a run is doing, as far as its file tells."""

    WAITING = "waiting"
    RUNNING = "running"
    SILENT = "silent"
    STOPPED = "stopped"
    STOPPED_EARLY = "stopped early"
    FINISHED = "finished"
    AVERAGED = "averaged"


@dataclass(frozen=True, slots=True)
class State:
    """A phase, and one clause that says how it is known."""

    phase: Phase
    because: str

    @property
    def ended(self) -> bool:
        """Whether the run said that its process has ended."""
        ends = (Phase.STOPPED, Phase.STOPPED_EARLY, Phase.FINISHED, Phase.AVERAGED)
        return self.phase in ends


def judge(history: History, now: float, max_steps: int | None) -> State:
    """State of a run at the time `now`, in seconds since the epoch.

    A run that announces its end is believed. One that only falls silent may have been killed, or
    may be in a step or an evaluation that is far slower than those before it: both are shown as
    silence, with its length beside the rhythm that the run had.
    """
    if ending := history.ending:
        return _ended(ending)
    if not history.last_time:
        return State(Phase.WAITING, "no record yet")
    if history.points and max_steps and history.points[-1].step >= max_steps:
        return State(Phase.FINISHED, f"step {count(max_steps)} is the last of the recipe")
    return _by_age(history, max(0.0, now - history.last_time))


def _ended(event: Event) -> State:
    if event.kind == "done":
        return State(Phase.FINISHED, f"it said so after step {count(event.step)}")
    if event.kind == "early-stop":
        said = f"no better dev score for long enough by step {count(event.step)}"
        return State(Phase.STOPPED_EARLY, said)
    if event.kind == "averaged":
        return State(Phase.AVERAGED, "the mean of two runs, as best/model.json tells")
    return State(Phase.STOPPED, f"saved by a signal after step {count(event.step)}, can go on")


def _by_age(history: History, age: float) -> State:
    gaps = history.gaps[-_RHYTHM:]
    if not gaps:
        phase = Phase.RUNNING if age <= PATIENCE else Phase.SILENT
        return State(phase, f"began {duration(age)} ago, nothing since")
    rhythm = f"one comes every {duration(median(gaps))}"
    # The slowest gap is an evaluation's, where there are any.
    if age <= max(_LEAST_PATIENCE, _SLOWER * max(gaps)):
        return State(Phase.RUNNING, f"last record {duration(age)} ago, {rhythm}")
    return State(Phase.SILENT, f"no record for {duration(age)}, though {rhythm}")
