"""The turns of a trainer in the benchmark: how many steps to take now, and what they took.

Runs in every trainer's own environment, so it imports nothing but the standard library. The
benchmark writes a number of steps on a line of stdin; the trainer's loop, which waits at its next
step, takes as many and answers with a line of JSON on stdout. What a trainer prints itself goes to
stderr.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Gate:
    """Lets a training loop through for as many steps as the benchmark asks for."""

    def __init__(self, wait: Callable[[], None] = lambda: None) -> None:
        """`wait` returns when the device has finished its work."""
        self.spec: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text("utf-8"))
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, self.spec["cores"])  # helpers beside the loop cost all alike
        self._wait = wait
        self._left = self._steps = self._tokens = 0
        self._loss = self._started = self._worked = 0.0

    def introduce(self, parameters: int, precision: str) -> None:
        """Say that the trainer is ready, and what it trains."""
        self._answer({"parameters": parameters, "precision": precision})

    def step(self) -> None:
        """Call it right before each training step; it waits until another step is asked for.

        Everything from here to the next call – the step, the optimiser, making the next batch –
        counts as one step.

        Raises:
            SystemExit: the benchmark has ended.
        """
        if not self._left:
            self._close()
            self._open()
        self._left -= 1

    def learnt(self, loss: float, tokens: int) -> None:
        """Note the loss of a step, summed over its real target tokens."""
        self._loss += loss
        self._tokens += tokens

    def _open(self) -> None:
        wanted = sys.stdin.readline()
        if not wanted.strip():
            # Not an exception: a trainer could take one for an interrupt, and save a checkpoint.
            os._exit(0)
        self._left = self._steps = int(wanted)
        self._tokens, self._loss = 0, 0.0
        self._started, self._worked = time.perf_counter(), time.process_time()

    def _close(self) -> None:
        if not self._steps:
            return
        self._wait()
        seconds = time.perf_counter() - self._started
        worked = time.process_time() - self._worked
        self._answer({
            "steps": self._steps, "tokens": self._tokens, "seconds": seconds,
            "cpu_seconds": worked, "loss": self._loss / self._tokens,
        })  # fmt: skip

    def _answer(self, found: dict[str, Any]) -> None:
        self._answers.write(json.dumps(found) + "\n")
        self._answers.flush()
