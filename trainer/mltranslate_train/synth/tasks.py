"""The two ways to make training data: back-translation and sequence-level distillation."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltranslate.errors import UsageError
from mltranslate_train.config import FilterConfig
from mltranslate_train.evaluate.sets import Direction
from mltranslate_train.evaluate.systems import (
    ProgressCallback,
    Searching,
    Settings,
    count,
    silent,
)
from mltranslate_train.synth.job import Job, run_job
from mltranslate_train.synth.judge import DEFAULT_FILTER, Judge
from mltranslate_train.synth.lines import First, Line, Texts, examine, pairs_of
from mltranslate_train.synth.make import Maker
from mltranslate_train.synth.search import Search, Searcher, check_direction, open_searching

log = logging.getLogger(__name__)

CHUNK_LINES = 2000
"""Lines that are lost at most when a job is killed."""
_ENDING = ".tsv.xz"

Made = dict[Path, dict[str, Any]]
"""The summary of each file that was made, the same as in the JSON file beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What both ways are told."""

    system: str
    """Folder of a run or pack, or name of a pack."""
    search: Search
    device: str = "auto"
    precision: str = ""
    """Packs: "fp32", "fp16" or "int8"; default: the best for the device."""
    threads: int = 0
    filter: FilterConfig = DEFAULT_FILTER
    most_lines: int = 0
    """Lines of a direction that are translated at most; 0 translates all."""
    chunk_lines: int = CHUNK_LINES
    force: bool = False
    """Replace what is there."""


def backtranslate(
    task: Task, texts: Texts, direction: Direction, out: Path, progress: ProgressCallback = silent
) -> Made:
    """Translate text in one language, and write it as a corpus file whose other side it is.

    The result is for training in the opposite direction (Sennrich et al. 2016).

    Raises:
        UsageError: `out` is not named after the two languages, or the system cannot do it.
        ConfigError: what is there was made with other settings.
        PackError, DataError, DeviceError: the system or a file cannot be read.
    """
    languages = _languages_of(out)
    if set(languages) != set(direction):
        raise UsageError(
            f"{out.name} does not name {direction[0]} and {direction[1]}",
            why="readers of a corpus folder go by the file's name",
            fix=f"Call it {direction[1]}-{direction[0]}{_ENDING}",
        )
    if out.resolve() in {path.resolve() for path in texts.paths}:
        raise UsageError(f"{out} would replace the text itself", fix="Give another --out")
    work = _Work.open(task, "backtranslated")
    lines = First(lines=texts, most=task.most_lines)
    job = work.job(lines, direction, out, source_first=languages[0] == direction[0])
    return _run([job], task, progress)


def distill(
    task: Task, pairs: str, directions: Sequence[Direction], folder: Path, *,
    interpolate: bool = False, progress: ProgressCallback = silent,
) -> Made:  # fmt: skip
    """Replace the target side of pairs by what a teacher makes of their source.

    Each direction becomes a file `<source>-<target>.tsv.xz` of `folder`, for training in that
    direction (Kim and Rush 2016). `pairs` is a recipe or a corpus folder, see `pairs_of`. With
    `interpolate` the translation of the beam that is most like the reference is taken.

    Raises:
        UsageError: the system cannot do it, or the beam has no choice.
        ConfigError: the recipe is wrong, or what is there was made with other settings.
        PackError, DataError, DeviceError: the system or a file cannot be read.
    """
    if interpolate and task.search.beam == 1:
        raise UsageError("a beam of 1 leaves no choice", fix="Give --beam 4, or more")
    work = _Work.open(task, "distilled")
    jobs = []
    for sources in pairs_of(pairs, directions):
        if folder.resolve() in {path.resolve().parent for path in sources.paths}:
            raise UsageError(f"{folder} holds the pairs themselves", fix="Give another --out")
        lines = First(lines=sources, most=task.most_lines)
        out = folder / f"{'-'.join(sources.direction)}{_ENDING}"
        jobs.append(work.job(lines, sources.direction, out, interpolate=interpolate))
    return _run(jobs, task, progress)


def _languages_of(out: Path) -> tuple[str, str]:
    first, _, second = out.name.removesuffix(_ENDING).partition("-")
    if not out.name.endswith(_ENDING) or not first or not second or "." in first + second:
        raise UsageError(
            f"{out.name} is no name of a corpus file", fix=f"Call it as en-de{_ENDING}"
        )
    return first, second


@dataclass(frozen=True, slots=True)
class _Work:
    """A task and its system, loaded."""

    task: Task
    kind: str
    system: Searching
    about: dict[str, Any]
    """The system, and a hash of the files that decide what it says."""

    @classmethod
    def open(cls, task: Task, kind: str) -> _Work:
        settings = Settings(
            beam=task.search.beam, length_penalty=1.0, device=task.device,
            precision=task.precision, threads=task.threads,
        )  # fmt: skip
        system = open_searching(task.system, settings)
        search = "sampling" if task.search.sample else "bare"
        info = dataclasses.replace(system.info, search=search)
        log.info("%s", info.line())
        return cls(task, kind, system, {**dataclasses.asdict(info), "sha256": _digest(system)})

    def job(
        self, lines: Iterable[Line], direction: Direction, out: Path, *,
        source_first: bool = True, interpolate: bool = False,
    ) -> Job:  # fmt: skip
        """The job that makes `out`; reads all lines once."""
        check_direction(self.system, direction)
        task = self.task
        maker = Maker(
            system=self.system,
            searcher=Searcher(self.system, direction[1], task.search),
            judge=Judge(task.filter, direction),
            label=f"{self.kind}:{self.about['name']}",
            source_first=source_first,
            interpolate=interpolate,
        )
        settings = {
            "kind": self.kind,
            "system": self.about,
            "direction": "-".join(direction),
            "search": {**task.search.record(), "interpolate": interpolate},
            "threads": task.threads,
            "filter": dataclasses.asdict(task.filter),
            "chunk_lines": task.chunk_lines,
            "input": examine(lines),
        }
        return Job(
            out=out, lines=lines, settings=settings, make=maker.make,
            chunk_lines=task.chunk_lines, notes={"parent": self.system.provenance},
        )  # fmt: skip


def _digest(system: Searching) -> str:
    digest = hashlib.sha256()
    for path in system.files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _run(jobs: Sequence[Job], task: Task, progress: ProgressCallback) -> Made:
    total = sum(job.settings["input"]["lines"] for job in jobs)
    advance = count(progress, total)
    return {job.out: run_job(job, advance, force=task.force) for job in jobs}
