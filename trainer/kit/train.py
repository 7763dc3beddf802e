"""One piece of a training run on a machine that is there for minutes.

The trainer runs in a process of its own, which is stopped before the time is over, and started
again should it fail; weights are brought out after every checkpoint.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.numpy

from kit import weights
from kit.pieces import unpack
from kit.speed import choose
from mltranslate_train.checkpoint import AVERAGE, LAST, MODEL, STATE, newest
from mltranslate_train.config import Recipe, load_recipe
from mltranslate_train.data.prepare import RECIPE
from mltranslate_train.metrics_log import METRICS

log = logging.getLogger(__name__)

_SAVE_SECONDS = 110.0
"""Between two checkpoints."""
_UNKNOWN_STEP = 1.0
"""Seconds that a step may take where nothing could be measured."""
_CHECK_SECONDS = {"eager": 120.0, "compiled": 150.0}
"""After which the measuring of a mode is given up."""
_STARTS = 4
"""Most starts of the trainer in a piece."""
_START_UP = 30.0
"""Seconds from the start of a call to its first step, about."""
DIVERGED = 20
"""Exit code of `steps` alone, for a divergence: a full disk is no reason to train more slowly."""
_POLL = 0.5
_PREFETCH = 128
"""Batches made ahead: enough for the time that drawing the next pool takes."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PARTS = (1, 2, 4)
"""Into how many batches a step is divided, should a larger one fail."""

Found = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked of a piece."""

    folders: tuple[Path, ...]
    """Where the pieces of data are."""
    store: Path
    """Outlasts the piece: unpacked data, the run, and what was measured."""
    out: Path
    """Gets weights, metrics and the report."""
    minutes: float
    """From `started` to the end."""
    left: int
    """Pieces of as many minutes that will follow."""
    reserve: float
    """Seconds at the end for the last checkpoint and for bringing the weights out."""
    decay: float
    """Share of the whole run's time over which the learning rate falls to zero."""
    sets: tuple[str, ...]
    """Overrides of the recipe, as `mltranslate-train run` takes them."""
    started: float = field(default_factory=time.monotonic)

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.store / "run"

    @property
    def time_left(self) -> float:
        """Seconds until the trainer must be told to stop."""
        return self.started + 60 * self.minutes - self.reserve - time.monotonic()


class Piece:
    """The work of one piece."""

    def __init__(self, plan: Plan, command: Sequence[str]) -> None:
        """`command` starts this program anew, with a sub-command to follow."""
        self._plan, self._command = plan, list(command)
        self._stopping = False
        self._brought = -1
        """Step whose weights are out."""
        self._late = False
        """Whether measuring took too long."""
        self._failures: list[str] = []
        self._report: Found = {}
        self._before: Found = {}
        """Totals at the start."""

    def work(self) -> int:
        """Train until the time is over; gives 0 if there are weights at the end, else 1."""
        before = [signal.signal(number, self._stop) for number in _SIGNALS]
        try:
            return self._work()
        finally:
            for number, handler in zip(_SIGNALS, before, strict=True):
                signal.signal(number, handler)

    def _work(self) -> int:
        self._plan.out.mkdir(parents=True, exist_ok=True)
        there = unpack(list(self._plan.folders), self._plan.store, self._plan.run)
        log.info("data: %s, after %.0f s", ", ".join(there), self._spent())
        self._report = {"pieces": there, "sets": self._plan.sets}
        self._before = self._totals()
        choice = self._choice()
        self._train(choice)
        self._bring_out()
        self._finish(choice)
        return 0 if self._brought >= 0 else 1

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _spent(self) -> float:
        return time.monotonic() - self._plan.started

    def _choice(self) -> Found:
        """What was measured on this machine, eager or compiled, and the rule's verdict."""
        if self._chosen.is_file():
            known: Found = json.loads(self._chosen.read_text(encoding="utf-8"))
            return known
        for parts in _PARTS:
            sets = self._divided(parts)
            if (eager := self._measured("eager", sets)) or self._late or self._stopping:
                break
        compiled, verdict, reason = None, False, "eager: train.compile=false was asked for"
        if "train.compile=false" not in self._plan.sets:
            compiled = self._measured("compiled", sets)
            verdict, reason = choose(eager, compiled)
        choice = {
            "compile": verdict, "reason": reason, "sets": sets, "eager": eager,
            "compiled": compiled, "slower": 1.0,
            # The run's own recipe takes over every rate that it was trained with.
            "learning_rate": self._recipe().train.learning_rate,
        }  # fmt: skip
        log.info("self-check: %s", json.dumps(choice, indent=1))
        log.info("%s; after %.0f s", reason, self._spent())
        if not self._stopping:
            self._remember(choice)
        return choice

    @property
    def _chosen(self) -> Path:
        return self._plan.store / "choice.json"

    def _remember(self, choice: Found) -> None:
        """Keep it for the calls to come."""
        self._chosen.write_text(json.dumps(choice), encoding="utf-8")

    def _divided(self, parts: int) -> list[str]:
        """Overrides for the same steps in smaller batches; none for one part."""
        if parts == 1:
            return []
        config = self._recipe().train
        log.info("steps in %d parts", parts)
        return [
            f"train.batch_tokens={config.batch_tokens // parts}",
            f"train.accumulation={config.accumulation * parts}",
        ]

    def _recipe(self) -> Recipe:
        return load_recipe(self._plan.run / RECIPE, self._sets())

    def _measured(self, mode: str, sets: list[str]) -> Found | None:
        if self._stopping:
            return None
        file = self._plan.store / f"speed-{mode}.json"
        file.unlink(missing_ok=True)
        sets = [*self._sets(), *sets, f"train.compile={str(mode == 'compiled').lower()}"]
        command = [*self._command, "speed", str(self._plan.run), str(file), *_as_options(sets)]
        patience = min(_CHECK_SECONDS[mode], max(1.0, self._plan.time_left / 3))
        if problem := self._checked(command, patience):
            log.warning("the %s steps of the self-check failed: %s", mode, problem)
            self._failures.append(f"self-check, {mode}: {problem}")
            return None
        found: Found = json.loads(file.read_text(encoding="utf-8"))
        return found

    def _checked(self, command: Sequence[str], patience: float) -> str:
        """Run a part of the self-check; gives why it came to nothing, if it did."""
        deadline = time.monotonic() + patience
        with subprocess.Popen(command, env=_environment()) as check:  # noqa: S603 - our own program
            while check.poll() is None:
                if self._stopping or time.monotonic() > deadline:
                    check.kill()
                    self._late = not self._stopping
                    return f"not done after {patience:.0f} s" if self._late else "told to stop"
                with suppress(subprocess.TimeoutExpired):
                    check.wait(_POLL)
            return f"exit code {check.returncode}" if check.returncode else ""

    def _sets(self) -> list[str]:
        """Overrides for a run that ends by time, on a machine that has no dev sets."""
        fixed = ["train.max_steps=1000000000", "train.decay_steps=0", "train.patience=0"]
        return [*fixed, "evaluate.dev=[]", f"train.prefetch={_PREFETCH}", *self._plan.sets]

    def _train(self, choice: Found) -> None:
        measured = choice["compiled" if choice["compile"] else "eager"] or {}
        every = max(1, round(_SAVE_SECONDS / measured.get("step_seconds", _UNKNOWN_STEP)))
        for _ in range(_STARTS):
            # What was asked for comes last, and counts.
            sets = [f"train.save_every={every}", *self._sets(), *choice["sets"]]
            sets.append(f"train.compile={str(choice['compile']).lower()}")
            if choice["slower"] < 1:
                rate = choice["learning_rate"] * choice["slower"]
                sets.append(f"train.learning_rate={rate}")
            code = self._attend(sets)
            if code in (0, 130) or self._stopping or self._plan.time_left < _START_UP:
                return
            choice["compile"] = False
            choice["slower"] /= 2 if code == DIVERGED else 1
            self._remember(choice)
            what = f"the trainer ended with exit code {code} after {self._spent():.0f} s"
            log.warning("%s; eager now, learning rate times %g", what, choice["slower"])
            self._failures.append(what)

    def _times(self) -> list[str]:
        """Options that tell the trainer when to end, and how much time other calls will have."""
        plan = self._plan
        each = max(1.0, 60 * plan.minutes - plan.reserve - _START_UP)
        until = plan.started + 60 * plan.minutes - plan.reserve
        values = {"--until": until, "--later": plan.left * each, "--decay": plan.decay}
        return [word for name, value in values.items() for word in (name, f"{value:.3f}")]

    def _attend(self, sets: list[str]) -> int:
        """Run the trainer until it ends or the time is over; gives its exit code."""
        log.info("training after %.0f s with %s", self._spent(), " ".join(sets))
        command = [*self._command, "steps", str(self._plan.run), *self._times()]
        command += _as_options(sets)
        # In a group of its own: Ctrl-C on a terminal reaches us alone, and the trainer once.
        with subprocess.Popen(  # noqa: S603 - our own program
            command, env=_environment(), process_group=0
        ) as trainer:
            told = False
            while trainer.poll() is None:
                time.sleep(_POLL)
                if not told and (self._stopping or self._plan.time_left < 0):
                    log.info("stopping the trainer after %.0f s", self._spent())
                    trainer.send_signal(signal.SIGTERM)
                    told = True
                if told and self._plan.time_left < -0.6 * self._plan.reserve:
                    trainer.kill()
                self._bring_out()
            return trainer.returncode

    def _totals(self) -> Found:
        folder = newest(self._plan.run / LAST)
        if folder is None:
            return {}
        state: Found = json.loads((folder / STATE).read_text(encoding="utf-8"))["totals"]
        return state

    def _bring_out(self) -> None:
        """Write weights and metrics of the last checkpoint to the output, if it is a new one."""
        try:
            totals = self._totals()
            if totals.get("step", -1) <= self._brought:
                return
            folder = self._plan.run / LAST
            tensors = safetensors.numpy.load_file(folder / MODEL)
            tensors |= safetensors.numpy.load_file(folder / AVERAGE)
        except OSError:  # the trainer is just replacing it
            return
        try:
            files = weights.write_files(weights.packed(tensors, totals), self._plan.out)
            self._copy_metrics()
        except OSError as error:  # training goes on; the next checkpoint is tried again
            log.warning("weights of step %d cannot be written: %s", totals["step"], error)
            return
        self._brought = totals["step"]
        log.info("weights of step %d are out, in %d files", self._brought, len(files))

    def _copy_metrics(self) -> None:
        if (metrics := self._plan.run / METRICS).is_file():
            shutil.copyfile(metrics, self._plan.out / METRICS)

    def _finish(self, choice: Found) -> None:
        self._copy_metrics()
        totals = self._totals()
        self._report |= {
            "choice": choice, "failures": self._failures, "totals": totals,
            "seconds": round(self._spent(), 1), "speed": self._speed(choice),
        }  # fmt: skip
        text = json.dumps(self._report, indent=1)
        (self._plan.out / "piece.json").write_text(text, encoding="utf-8")
        log.info("report: %s", text)

    def _speed(self, choice: Found) -> Found:
        """Steps, tokens and seconds of this call, their rate, and its share of the matrix rate."""
        file = self._plan.run / METRICS
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        records = [json.loads(line) for line in lines]
        begins = [n for n, record in enumerate(records) if "event" in record]
        begin = max((n for n in begins if records[n]["event"] in ("start", "resume")), default=0)
        speeds = [r["tokens_per_second"] for r in records[begin:] if "tokens_per_second" in r]
        before, after = self._before, self._totals()
        names = ("step", "target_tokens", "seconds")
        found: Found = {name: after.get(name, 0) - before.get(name, 0) for name in names}
        measured = choice["compiled" if choice["compile"] else "eager"]
        if speeds:
            found["target_tokens_per_second"] = statistics.median(speeds)
        if speeds and measured:
            flops = measured["flops_per_target_token"] * found["target_tokens_per_second"]
            found["mfu"] = flops / measured["matrix_tflops"] / 1e12
        return found


def _as_options(sets: Sequence[str]) -> list[str]:
    return [word for item in sets for word in ("--set", item)]


def _environment() -> dict[str, str]:
    """Batches of many shapes would break up the GPU's memory."""
    return {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True", **os.environ}


def program(main: Path) -> list[str]:
    """The command that starts this program."""
    return [sys.executable, str(main)]
