"""A run's folder, read without torch: what it was told to do, and what it did."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mltranslate.errors import DataError, reason
from mltranslate_train.report.history import History
from mltranslate_train.report.state import State, judge
from mltranslate_train.report.tail import Tail

METRICS, RECIPE, DATA = "metrics.jsonl", "recipe.toml", "data.json"
ABOUT, EVALUATION = "best/model.json", "evaluation.json"


@dataclass(slots=True)
class RunFolder:
    """One run as it is on the disk; `refresh` takes in what is new."""

    path: Path
    history: History = field(default_factory=History)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """Tables of recipe.toml; empty if there is none."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """best/model.json; empty before the first evaluation."""
    damaged: int = 0
    """Lines of the metrics file that hold no record."""
    _tail: Tail = field(init=False)
    _stamps: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tail = Tail(self.path / METRICS)

    @property
    def name(self) -> str:
        """The recipe's name, or the folder's."""
        return str(self.recipe.get("name") or self.path.resolve().name)

    @property
    def max_steps(self) -> int | None:
        """The step at which the run will end, by its newest event or else its recipe."""
        said = self.history.fact("max_steps") or self.option("train", "max_steps")
        return said if isinstance(said, int) and said > 0 else None

    def option(self, section: str, key: str) -> Any:
        """A value of the recipe; None if it is not there."""
        table = self.recipe.get(section)
        return table.get(key) if isinstance(table, Mapping) else None

    def state(self, now: float | None = None) -> State:
        """What the run is doing at the time `now`, which is this moment if not given."""
        return judge(self.history, time.time() if now is None else now, self.max_steps)

    def seconds_left(self) -> float | None:
        """Estimate of the time to the last step; None where it cannot be told."""
        speed = self.history.steps_per_second()
        if not speed or not self.max_steps:
            return None
        return max(0, self.max_steps - self.history.step) / speed

    def refresh(self) -> tuple[bool, bool]:
        """Read what is new, as (anything new, there is more to read).

        Raises:
            DataError: the metrics file can no longer be read.
        """
        try:
            anew, records, more = self._tail.read()
        except OSError as error:
            raise _unreadable(self._tail.path, error) from error
        if anew:
            self.history = History()
        for record in records:
            self.history.add(record)
        self.damaged = self._tail.damaged + self.history.unknown
        beside = [
            self._reread(RECIPE, "recipe", tomllib.loads), self._reread(ABOUT, "about", json.loads)
        ]  # fmt: skip
        return bool(records) or anew or any(beside), more

    def _reread(self, name: str, attribute: str, parse: Callable[[str], Any]) -> bool:
        path = self.path / name
        try:
            stamp = path.stat().st_mtime
            if self._stamps.get(name) == stamp:
                return False
            table = read_table(path, parse)
        except FileNotFoundError:
            return False
        self._stamps[name] = stamp
        setattr(self, attribute, table)
        return True

    def summary(self) -> Mapping[str, Any]:
        """data.json: pairs by origin, what was dropped; empty if there is none."""
        return self._optional(DATA)

    def evaluation(self) -> Mapping[str, Any]:
        """evaluation.json: what `evaluate` measured last; empty if there is none."""
        return self._optional(EVALUATION)

    def _optional(self, name: str) -> Mapping[str, Any]:
        try:
            return read_table(self.path / name, json.loads)
        except FileNotFoundError:
            return {}


def read_table(path: Path, parse: Callable[[str], Any]) -> Mapping[str, Any]:
    """A file that holds one table; another content counts as an empty one.

    A run that is at work may be writing it at this moment.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: the file cannot be read.
    """
    try:
        table = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError:
        return {}
    return table if isinstance(table, Mapping) else {}


def _unreadable(path: Path, error: OSError) -> DataError:
    fix = "Permit reading it, or give another run"
    return DataError(f"{path} cannot be read", why=reason(error), fix=fix)


def open_runs(paths: Sequence[Path]) -> list[RunFolder]:
    """Runs whose metrics have been read as far as they go, in the order given.

    Raises:
        DataError: a folder has no metrics file that can be read.
    """
    runs = [RunFolder(path) for path in dict.fromkeys(paths)]
    for run in runs:
        if not (run.path / METRICS).is_file():
            raise DataError(
                f"{run.path} has no {METRICS}",
                why="it is no run, or has not trained a step" if run.path.is_dir() else "no folder",
                fix="Give the folder that was --out of `mltranslate-train run`",
            )
        while run.refresh()[1]:
            pass
    return runs


def newest_runs(root: Path, most: int) -> list[Path]:
    """Folders under `root` with metrics, the one that wrote last in front.

    Raises:
        DataError: there is none.
    """
    found = sorted(root.glob(f"*/{METRICS}"), key=lambda path: path.stat().st_mtime, reverse=True)
    if not found:
        raise DataError(
            f"no run under {root}", why=f"no folder in it has a {METRICS}",
            fix="Name the folder of a run, or start one with `mltranslate-train run`",
        )  # fmt: skip
    return [path.parent for path in found[:most]]


def unique_names(runs: Sequence[RunFolder]) -> list[str]:
    """Names of runs for a legend; those that share one are told apart by their folders."""
    names = [run.name for run in runs]
    folders = [run.path.name for run in runs]
    return [
        name
        if names.count(name) == 1
        else f"{name} ({folder if folders.count(folder) == 1 else run.path})"
        for name, folder, run in zip(names, folders, runs, strict=True)
    ]
