"""Making a corpus file chunk by chunk, so that a killed job goes on as if nothing had happened.

Beside `<out>` stand, until it is complete, `<out>.part`, one xz stream for each chunk, and
`<out>.progress.json`, which says how much of it counts; afterwards `<out>.json`, the summary.
"""

from __future__ import annotations

import json
import logging
import lzma
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from mltranslate.errors import ConfigError, DataError, reason
from mltranslate_train.data.whole import writable, write_text
from mltranslate_train.evaluate.systems import Advance
from mltranslate_train.synth.lines import Line
from mltranslate_train.synth.make import Tally

log = logging.getLogger(__name__)

_PRESET = 2
"""Of xz: several times as fast as the default, for files a tenth larger."""
_AFRESH = "Give --force to start afresh, or another --out"

Make = Callable[[Sequence[Line], int, Advance], tuple[str, Tally]]
"""Gives the corpus lines of a chunk, whose first line has this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One corpus file to make."""

    out: Path
    lines: Iterable[Line]
    """What to translate; it is streamed, and may be streamed again."""
    settings: Mapping[str, Any]
    """All that decides the file's bytes, as JSON values; `input` has the number of `lines`."""
    make: Make
    chunk_lines: int
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What the summary says besides, as JSON values."""

    def beside(self, ending: str) -> Path:
        """A file beside `out`: "part", "progress.json" or "json", the summary."""
        return self.out.with_name(f"{self.out.name}.{ending}")


@dataclass(slots=True)
class _State:
    """How far a job has come."""

    lines: int = 0
    """Lines that are done."""
    bytes: int = 0
    """How much of the unfinished file is theirs."""
    tally: Tally = field(default_factory=Tally)

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        tally = self.tally
        return {
            "lines": self.lines,
            "bytes": self.bytes,
            "kept": dict(tally.kept),
            "dropped": dict(tally.dropped.most_common()),
            "tokens": tally.tokens,
            "seconds": round(tally.seconds, 3),
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> _State:
        """What `record` gave."""
        kept, dropped = Counter(record["kept"]), Counter(record["dropped"])
        tally = Tally(kept, dropped, record["tokens"], record["seconds"])
        return cls(record["lines"], record["bytes"], tally)


def run_job(job: Job, advance: Advance, *, force: bool = False) -> dict[str, Any]:
    """Make the file, or the rest of it, and return its summary. A complete file is kept.

    Raises:
        ConfigError: the file is there, or was begun, with other settings, and not `force`.
        DataError: what was begun is damaged, the lines change, or the disk is full.
    """
    with writable(job.out):
        job.out.parent.mkdir(parents=True, exist_ok=True)
        if force:
            for path in (job.out, *map(job.beside, ("part", "progress.json", "json"))):
                path.unlink(missing_ok=True)
    if job.out.exists():
        return _complete(job, advance)
    state = _begun(job)
    advance(state.lines)
    with writable(job.out), _unfinished(job, state) as file:
        for chunk in _chunks(job, state.lines):
            text, tally = job.make(chunk, state.lines, advance)
            state.tally.add(tally)
            state.lines += len(chunk)
            state.bytes += _append(file, text)
            _write(job.beside("progress.json"), {**job.settings, "done": state.record()})
    if state.lines != job.settings["input"]["lines"]:
        raise DataError(f"the lines for {job.out} have changed while they were read", fix=_AFRESH)
    return _finish(job, state)


def _complete(job: Job, advance: Advance) -> dict[str, Any]:
    if not job.beside("json").is_file():
        raise ConfigError(
            f"{job.out} is there already",
            why=f"{job.beside('json').name} is missing: something else made it",
            fix=_AFRESH,
        )
    summary = _read(job.beside("json"))
    _compare(job, summary)
    log.info("%s is complete", job.out)
    job.beside("progress.json").unlink(missing_ok=True)
    advance(summary["input"]["lines"])
    return summary


def _begun(job: Job) -> _State:
    progress, part = job.beside("progress.json"), job.beside("part")
    if not progress.is_file():
        return _State()
    record = _read(progress)
    _compare(job, record)
    state = _State.of(record["done"])
    if not part.is_file() or part.stat().st_size < state.bytes:
        raise DataError(f"{part} is damaged", why="its end is missing", fix=_AFRESH)
    log.info("going on after %d lines", state.lines)
    return state


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read", why=reason(error), fix=_AFRESH) from error
    return found


def _compare(job: Job, record: Mapping[str, Any]) -> None:
    """Refuse to mix what was made by different settings."""
    # Tuples come back from JSON as lists.
    wanted = json.loads(json.dumps(job.settings))
    other = [key for key, value in wanted.items() if record.get(key) != value]
    if other:
        raise ConfigError(
            f"{job.out} was {'made' if job.out.exists() else 'begun'} with another"
            f" {' and '.join(other)}",
            fix=_AFRESH,
        )


@contextmanager
def _unfinished(job: Job, state: _State) -> Iterator[BinaryIO]:
    """The unfinished file without what a kill has left half written."""
    part = job.beside("part")
    part.touch()
    with part.open("r+b") as file:
        file.truncate(state.bytes)
        file.seek(state.bytes)
        yield file


def _chunks(job: Job, start: int) -> Iterator[list[Line]]:
    lines = islice(job.lines, start, None)
    while chunk := list(islice(lines, job.chunk_lines)):
        yield chunk


def _append(file: BinaryIO, text: str) -> int:
    """Write one xz stream, and wait until it would survive a power cut; returns its size."""
    data = lzma.compress(text.encode("utf-8"), preset=_PRESET)
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
    return len(data)


def _finish(job: Job, state: _State) -> dict[str, Any]:
    tally = state.tally
    speed = round(tally.tokens / tally.seconds, 1) if tally.seconds else 0.0
    summary = {
        **job.settings,
        **state.record(),
        "kept_lines": tally.kept.total(),
        "tokens_per_second": speed,
        **job.notes,
    }
    with writable(job.out):
        _write(job.beside("json"), summary)
        job.beside("part").replace(job.out)
        job.beside("progress.json").unlink()
    return summary


def _write(path: Path, record: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
