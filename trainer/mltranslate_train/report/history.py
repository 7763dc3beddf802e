"""The course of a run, put together from the records of its metrics file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

_Item = TypeVar("_Item")

DEV_METRICS = ("chrf", "bleu", "perplexity", "bits_per_byte", "accuracy")
"""What an evaluation may have measured."""
_LOWER_IS_BETTER = ("perplexity", "bits_per_byte")
FIRST_EVENTS = ("start", "resume")
LAST_EVENTS = ("stop", "early-stop", "done", "averaged")


class TrainPoint(NamedTuple):
    """One training record."""

    step: int
    time: float
    """Seconds since the epoch."""
    elapsed: float
    """Seconds that the run had been at work; the pauses between its processes do not count."""
    target_tokens: int
    loss: float
    """Nats a target token, mean since the last record."""
    tokens_per_second: float
    learning_rate: float


class Sample(NamedTuple):
    """One translation of an evaluation."""

    dataset: str
    direction: str
    source: str
    output: str
    reference: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Dev scores at one step."""

    step: int
    elapsed: float
    metric: str
    """The metric that chooses the best weights: "chrf" or "bleu"."""
    mean: float
    """Mean of that metric over sets and directions."""
    scores: Mapping[str, Mapping[str, float]]
    """Metric -> "set:source-target" -> score."""
    samples: tuple[Sample, ...] = ()

    def score(self, metric: str) -> float:
        """Mean of a metric; not a number where it was not measured."""
        if metric == self.metric:
            return self.mean
        found = self.scores.get(metric, {})
        return sum(found.values()) / len(found) if found else math.nan


@dataclass(frozen=True, slots=True)
class Event:
    """A process of the run began or ended."""

    kind: str
    step: int
    time: float
    facts: Mapping[str, Any]
    """All of the record: max_steps, device, precision, threads, processes, parameters."""


@dataclass(slots=True)
class History:
    """Points, evaluations and events of a run, each by rising step.

    After a crash the steps behind the last checkpoint are trained again. What was recorded of
    them before is dropped as soon as the newer records say so.
    """

    points: list[TrainPoint] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    last_time: float = 0.0
    """Time of the newest record of any kind; 0 if there is none."""
    elapsed: float = 0.0
    gaps: list[float] = field(default_factory=list)
    """Seconds between neighbouring records of the process that wrote last."""
    unknown: int = 0
    """Records that were none of the three kinds, or lacked what these must have."""
    session: int = 0
    """Index of the first point that the newest process wrote."""

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in the next record of the file."""
        try:
            self._add(record)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            self.unknown += 1

    def _add(self, record: Mapping[str, Any]) -> None:
        time, step = _finite(record["time"]), int(record["step"])
        if "event" in record:
            self._add_event(Event(str(record["event"]), step, time, record))
        elif "loss" in record:
            self._add_point(step, time, record)
        else:
            self._add_evaluation(step, time, record)

    def _pass_time(self, time: float) -> None:
        if self.last_time:
            gap = max(0.0, time - self.last_time)
            self.elapsed += gap
            self.gaps.append(gap)
        self.last_time = max(self.last_time, time)

    def _add_event(self, event: Event) -> None:
        if event.kind in FIRST_EVENTS:
            kept = event.step if event.kind == "resume" else -1
            _drop(self.points, lambda point: point.step > kept)
            _drop(self.evaluations, lambda evaluation: evaluation.step > kept)
            self.session = len(self.points)
            self.gaps = []
            self.last_time = event.time
        elif event.kind == "averaged":  # nothing was at work until then
            self.last_time = max(self.last_time, event.time)
        else:
            self._pass_time(event.time)
        self.events.append(event)

    def _add_point(self, step: int, time: float, record: Mapping[str, Any]) -> None:
        numbers = [float(record[name]) for name in ("loss", "tokens_per_second", "learning_rate")]
        tokens = int(record["target_tokens"])
        self._pass_time(time)
        _drop(self.points, lambda point: point.step >= step)
        _drop(self.evaluations, lambda evaluation: evaluation.step >= step)
        self.session = min(self.session, len(self.points))
        self.points.append(TrainPoint(step, time, self.elapsed, tokens, *numbers))

    def _add_evaluation(self, step: int, time: float, record: Mapping[str, Any]) -> None:
        scores = {
            metric: {str(name): float(value) for name, value in record[metric].items()}
            for metric in DEV_METRICS
            if record.get(metric)
        }
        samples = tuple(_sample(sample) for sample in record.get("samples", ()))
        metric, mean = str(record.get("metric", "chrf")), float(record["mean"])
        self._pass_time(time)
        _drop(self.evaluations, lambda evaluation: evaluation.step >= step)
        self.evaluations.append(Evaluation(step, self.elapsed, metric, mean, scores, samples))

    @property
    def step(self) -> int:
        """The newest step that any record tells."""
        newest: Sequence[TrainPoint | Evaluation | Event]
        newest = [*self.points[-1:], *self.evaluations[-1:], *self.events[-1:]]
        return max((item.step for item in newest), default=0)

    @property
    def ending(self) -> Event | None:
        """The event that ended the newest process, if it told that it ended.

        Where a run tells that it stopped early and that it is done, the former says more.
        """
        last = self.events[-1] if self.events else None
        if last is None or last.kind not in LAST_EVENTS or last.time < self.last_time:
            return None
        before = self.events[-2] if len(self.events) > 1 else last
        return before if before.kind == "early-stop" else last

    def fact(self, name: str) -> Any:
        """What the newest event that has it says; None if no event does."""
        return next((e.facts[name] for e in reversed(self.events) if name in e.facts), None)

    @property
    def metric(self) -> str:
        """The metric that the run goes by; "chrf" before its first evaluation."""
        return self.evaluations[-1].metric if self.evaluations else "chrf"

    @property
    def metrics(self) -> list[str]:
        """The metrics that were measured."""
        return sorted({metric for item in self.evaluations for metric in item.scores})

    def best(self, metric: str) -> Evaluation | None:
        """The evaluation with the best score, the first among equals."""
        scored = [item for item in self.evaluations if math.isfinite(item.score(metric))]
        choose = min if metric in _LOWER_IS_BETTER else max
        return choose(scored, key=lambda item: item.score(metric), default=None)

    def steps_per_second(self, window: int = 50) -> float | None:
        """Speed over the last records of the newest process, evaluations included."""
        points = self.points[self.session :][-window:]
        if len(points) < 2 or points[-1].time <= points[0].time:
            return None
        return (points[-1].step - points[0].step) / (points[-1].time - points[0].time)


def _drop(items: list[_Item], undone: Callable[[_Item], bool]) -> None:
    while items and undone(items[-1]):
        items.pop()


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _sample(sample: Mapping[str, Any]) -> Sample:
    names = ("set", "direction", "source", "output", "reference")
    return Sample(*(str(sample.get(name, "")) for name in names))
