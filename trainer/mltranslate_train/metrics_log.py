"""What a run tells of itself: RUN/metrics.jsonl, the terminal, and TensorBoard if wanted."""

from __future__ import annotations

import importlib.util
import json
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import torch
from torch import Tensor

from mltranslate.errors import ConfigError, DivergenceError
from mltranslate_train.checkpoint import on_disk
from mltranslate_train.config import TrainConfig
from mltranslate_train.distributed import World
from mltranslate_train.progress import open_progress

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

METRICS, TENSORBOARD = "metrics.jsonl", "tensorboard"

Record = dict[str, Any]
"""One line of metrics.jsonl without its time; docs/training.md has the keys."""


class Report(Protocol):
    """Where the loop reports to."""

    def trained(self, record: Record) -> None:
        """Take loss, speed and learning rate since the last report."""

    def evaluated(self, record: Record) -> None:
        """Take the newest dev scores."""

    def happened(self, record: Record) -> None:
        """Take note that the run started, stopped or ended."""


class Meter:
    """Loss, tokens and time since the last report; the loss stays on its device until then."""

    def __init__(self, device: torch.device) -> None:
        self.seconds = 0.0
        """Time that the steps took; the loop adds it."""
        self._tokens = 0
        self._loss = torch.zeros((), dtype=torch.float64, device=device)

    def add(self, loss: Tensor, tokens: int) -> None:
        """Count a step: the summed loss of this process, and the tokens of all."""
        self._loss += loss
        self._tokens += tokens

    def take(self, world: World) -> Record:
        """Mean loss a token and tokens a second, of all processes, since the last call.

        Raises:
            DivergenceError: the loss is no finite number.
        """
        loss = float(world.summed(self._loss)) / self._tokens
        if not math.isfinite(loss):
            raise DivergenceError(
                "training diverged",
                why=f"the loss is {loss}",
                fix="Lower train.learning_rate; the same command resumes",
            )
        record = {"loss": loss, "tokens_per_second": self._tokens / max(1e-9, self.seconds)}
        self._loss.zero_()
        self._tokens, self.seconds = 0, 0.0
        return record


class JsonLines:
    """The file metrics.jsonl; a line that a crash cut off is removed when it is opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with on_disk("the metrics", path):
            self._file: BinaryIO = path.open("ab", buffering=0)
            self._cut(path)

    @staticmethod
    def _cut(path: Path) -> None:
        if not path.is_file():
            return
        whole = path.read_bytes().rfind(b"\n") + 1
        if whole < path.stat().st_size:
            with path.open("rb+") as damaged:
                damaged.truncate(whole)

    def trained(self, record: Record) -> None:
        """Add a line; raises TrainingError if the disk does not take it."""
        with on_disk("the metrics", self._path):
            line = json.dumps({"time": time.time(), **record}, ensure_ascii=False)
            self._file.write(line.encode() + b"\n")

    evaluated = happened = trained

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TensorBoard:
    """Scalars for TensorBoard, in a folder of the run."""

    def __init__(self, writer: SummaryWriter) -> None:
        self._writer = writer

    def trained(self, record: Record) -> None:
        """Write loss, tokens a second and learning rate."""
        for name in ("loss", "tokens_per_second", "learning_rate"):
            self._add(f"train/{name}", record[name], record)

    def evaluated(self, record: Record) -> None:
        """Write the scores of every set and direction, and the mean that chooses."""
        for metric, scores in record.items():
            for name, value in scores.items() if isinstance(scores, dict) else ():
                self._add(f"{metric}/{name}", value, record)
        self._add("dev/mean", record["mean"], record)

    def happened(self, record: Record) -> None:
        """Nothing to draw."""

    def _add(self, name: str, value: float, record: Record) -> None:
        self._writer.add_scalar(name, value, record["step"])


class Reports:
    """Several places to report to, or none."""

    def __init__(self, places: list[Report]) -> None:
        self._places = places

    def trained(self, record: Record) -> None:
        """Report to all places."""
        for place in self._places:
            place.trained(record)

    def evaluated(self, record: Record) -> None:
        """Report to all places."""
        for place in self._places:
            place.evaluated(record)

    def happened(self, record: Record) -> None:
        """Report to all places."""
        for place in self._places:
            place.happened(record)


@contextmanager
def open_reports(run: Path, config: TrainConfig, done: int, main: bool) -> Iterator[Report]:
    """Everywhere that a run reports to after `done` steps; only the `main` process does.

    Raises:
        ConfigError: train.tensorboard without the package.
        TrainingError: metrics.jsonl cannot be written.
    """
    if not main:
        yield Reports([])
        return
    with ExitStack() as stack:
        places: list[Report] = []
        if config.tensorboard:
            writer = open_tensorboard(run / TENSORBOARD, done)
            stack.callback(writer.close)
            places.append(TensorBoard(writer))
        lines = JsonLines(run / METRICS)
        stack.callback(lines.close)
        places += [lines, stack.enter_context(open_progress(config.max_steps, done))]
        yield Reports(places)


def check_tensorboard(config: TrainConfig) -> None:
    """Raise ConfigError, with advice, where TensorBoard is asked for and missing."""
    if config.tensorboard and importlib.util.find_spec("tensorboard") is None:
        raise ConfigError(
            "train.tensorboard needs a package that is missing",
            why="there is no tensorboard here",
            fix="Install it with pip install tensorboard, or leave train.tensorboard out",
        )


def open_tensorboard(folder: Path, done: int) -> SummaryWriter:
    """A writer of event files."""
    from torch.utils.tensorboard import SummaryWriter

    # Steps after a checkpoint that were lost to a crash are drawn anew.
    return SummaryWriter(str(folder), purge_step=done + 1)
