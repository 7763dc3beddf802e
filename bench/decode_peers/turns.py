"""The turns of a decoder in the benchmark: which calls to time now, and what they took.

Runs in every decoder's own environment, so it imports nothing but the standard library. The
benchmark writes a turn as a line of JSON to stdin; the decoder makes the calls and answers with a
line of JSON on stdout. What a decoder prints itself goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Tokens = list[list[int]]
Call = Callable[[], Tokens]


class Turns:
    """Answers the benchmark until it closes the pipe."""

    def __init__(self) -> None:
        self.spec: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text("utf-8"))
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, self.spec["cores"])  # threads of a decoder's own count too

    def serve(self, call_of: Callable[[str, str], Call], about: dict[str, Any]) -> None:
        """Say `about`, then time what is asked for; `call_of` takes a setting and a case."""
        self._answer(about)
        for line in sys.stdin:
            turn = json.loads(line)
            call = call_of(turn["setting"], turn["case"])
            self._answer(_timed(call, turn["times"], tokens=turn["tokens"]))

    def _answer(self, found: dict[str, Any]) -> None:
        self._answers.write(json.dumps(found) + "\n")
        self._answers.flush()


def _timed(call: Call, times: int, *, tokens: bool) -> dict[str, Any]:
    seconds, worked = [], []
    found: Tokens = []
    for _ in range(times):
        started, before = time.perf_counter(), time.process_time()
        found = call()
        worked.append(time.process_time() - before)
        seconds.append(time.perf_counter() - started)
    made = {"found": found} if tokens else {"count": sum(map(len, found))}
    return {"seconds": seconds, "cpu_seconds": worked, **made}
