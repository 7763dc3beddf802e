"""An engine in a process of its own, which waits for its next turn."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


class EngineError(Exception):
    """An engine ended, or its tokens are not those of the other."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What an engine did in one turn, a call at a time."""

    seconds: list[float]
    cpu_seconds: list[float]
    count: int
    """Tokens of the last call, end marks not included."""
    found: list[list[int]]
    """They themselves, if they were asked for."""


class Engine:
    """A running driver."""

    def __init__(self, name: str, python: Path, script: str, spec: Path) -> None:
        self._log = spec.parent / f"{name}.log"
        threads = str(json.loads(spec.read_text("utf-8"))["threads"])
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(python), str(HERE / script), str(spec)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env={**os.environ, "OMP_NUM_THREADS": threads},
            )  # fmt: skip
        self.about: dict[str, Any] = self._answer()

    def turn(self, setting: str, case: str, times: int = 1, *, tokens: bool = False) -> Turn:
        """Let it make the calls of a case.

        Raises:
            EngineError: it ended.
        """
        asked = {"setting": setting, "case": case, "times": times, "tokens": tokens}
        with contextlib.suppress(BrokenPipeError):  # the missing answer says it
            assert self._process.stdin
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        found = self._answer()
        made = found.get("found", [])
        count = found.get("count", sum(map(len, made)))
        return Turn(found["seconds"], found["cpu_seconds"], count, made)

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            tail = self._log.read_text("utf-8", errors="replace").splitlines()[-15:]
            raise EngineError("\n".join([f"{self._log.stem} ended:", *tail]))
        answer: dict[str, Any] = json.loads(line)
        return answer
