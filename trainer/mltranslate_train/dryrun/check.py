"""The dry run: everything that `run` would do first, on a part of the data, elsewhere."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mltranslate.errors import TrainingError, UsageError
from mltranslate_train.align.run import AlignSettings, align_run
from mltranslate_train.checkpoint import BEST, LAST
from mltranslate_train.config import Recipe
from mltranslate_train.data.prepare import (
    PARENT,
    RECIPE,
    SHARDS,
    SUMMARY,
    VOCABULARY_FILE,
    prepare,
)  # fmt: skip
from mltranslate_train.data.whole import check_writable
from mltranslate_train.distributed import launched_world
from mltranslate_train.dryrun.child import ChildDied, in_child
from mltranslate_train.dryrun.needs import check_disk, check_least_memory, disk_need
from mltranslate_train.dryrun.sample import Part, sample_corpora
from mltranslate_train.dryrun.trial import Trial, no_room, run_trial
from mltranslate_train.dryrun.vocabulary import make_stand_in
from mltranslate_train.dryrun.wording import duration_text, size_text, table
from mltranslate_train.evaluate.dev import check_given_sets
from mltranslate_train.finetune.record import read_record
from mltranslate_train.finetune.start import adopt
from mltranslate_train.metrics_log import check_tensorboard
from mltranslate_train.tokenizer import Vocabulary

_NEARLY_ALL = 0.9
_KILLED = -9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """What the trial steps run on."""

    recipe: Recipe
    run: Path
    parts: list[Part]
    """What was read of the corpora; empty if the run's own data is used."""
    pieces: int
    """Pieces of a vocabulary made for the trial; 0 if the run's own or the parent's is used."""


def dry_run(recipe: Recipe, run: Path, parent: str = "") -> str:
    """Check recipe, data, disk and memory, and estimate the time; a table to print.

    Nothing is written but into a temporary folder, which is removed.

    Raises:
        ConfigError, DataError, DeviceError, PackError: as `train` would.
        TrainingError: the run does not fit into memory or on the disk.
        UsageError: there are several processes.
    """
    if launched_world().size > 1:
        raise UsageError("a dry run is one process", fix="Start it without torchrun")
    check_given_sets(recipe)
    check_tensorboard(recipe.train)
    check_writable(run)
    with tempfile.TemporaryDirectory(prefix="mltranslate-dry-run-") as name, _quiet():
        stage = _set_up(recipe, run, parent, Path(name))
        check_least_memory(recipe, len(Vocabulary(stage.run / VOCABULARY_FILE)))
        trial = _try(stage)
        rows = [("recipe", f"{recipe.name}, into {run}"), *_parent_row(stage)]
        rows += _data_rows(recipe, stage)
        rows += _model_rows(recipe, trial)
        rows += [_disk_row(recipe, run, stage, trial), *_time_rows(recipe, stage, trial)]
    return table(rows)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what preparing says of the small corpus to ourselves."""
    logger = logging.getLogger("mltranslate_train")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _set_up(recipe: Recipe, run: Path, parent: str, folder: Path) -> _Stage:
    """A stand-in for the run's folder: with links to its data, or with data from samples."""
    place = folder / "run"
    place.mkdir()
    if (run / SUMMARY).is_file():
        _link(run, place, (SHARDS, SUMMARY, VOCABULARY_FILE, LAST, BEST))
        _copy(run, place, (RECIPE, PARENT))
        adopt(recipe, place, parent)
        prepare(recipe, place)
        return _Stage(recipe=recipe, run=place, parts=[], pieces=0)
    small, parts = sample_corpora(recipe, folder / "corpus")
    _copy(run, place, (VOCABULARY_FILE, PARENT))
    adopt(recipe, place, parent)
    pieces = 0
    if not (place / VOCABULARY_FILE).is_file():
        prefix = (place / VOCABULARY_FILE).with_suffix("")
        whole = all(part.all_kept for part in parts)
        pieces = make_stand_in(recipe, folder / "corpus", prefix, whole=whole)
    prepare(small, place, partial=True)
    if recipe.train.alignment_weight:
        align_run(place, AlignSettings(iterations=1))
    return _Stage(recipe=small, run=place, parts=parts, pieces=pieces)


def _link(source: Path, target: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if (source / name).exists():
            (target / name).symlink_to((source / name).resolve())


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _try(stage: _Stage) -> Trial:
    try:
        return in_child(run_trial, stage.recipe, stage.run)
    except ChildDied as error:
        if error.code == _KILLED:
            raise no_room("the system killed the trial") from error
        raise TrainingError("the trial steps failed", why=f"exit code {error.code}") from error


def _parent_row(stage: _Stage) -> list[tuple[str, str]]:
    record = read_record(stage.run)
    if record is None:
        return []
    return [("parent", f"{record.provenance['name']}, {record.finetune.mode}")]


def _data_rows(recipe: Recipe, stage: _Stage) -> list[tuple[str, str]]:
    rows = []
    if stage.parts:
        read = sum(part.scanned for part in stage.parts)
        pairs = sum(part.pairs for part in stage.parts)
        files = f"{len(stage.parts)} file{'s' if len(stage.parts) != 1 else ''}"
        about = "" if all(part.whole for part in stage.parts) else "about "
        rows.append(("corpora", f"{files}, {about}{pairs:,.0f} pairs; {read:,} read, well-formed"))
    else:
        rows.append(("corpora", "prepared already"))
    if stage.pieces:
        rows.append(("vocabulary", _vocabulary_text(recipe, stage.pieces)))
    sets = ", ".join(dev.name for dev in recipe.evaluate.dev)
    return [*rows, ("dev sets", sets or "none: no weights will be kept as the best")]


def _vocabulary_text(recipe: Recipe, pieces: int) -> str:
    if pieces == recipe.vocabulary.size:
        return f"{pieces:,} pieces can be made"
    return f"{recipe.vocabulary.size:,} pieces; the sample sufficed for {pieces:,}"


def _model_rows(recipe: Recipe, trial: Trial) -> list[tuple[str, str]]:
    model = f"{recipe.model.architecture}, {trial.parameters:,} parameters"
    if trial.learning < trial.parameters:
        model += f", of which {trial.learning:,} learn"
    device = f"{trial.device} in {trial.precision}"
    if trial.device == "cpu":
        device += f", {trial.threads} threads"
    return [("model", model), ("device", device), ("memory", _memory_text(trial))]


def _memory_text(trial: Trial) -> str:
    if trial.peak is None:
        return "not measured: this system does not tell"
    rows, length = trial.largest
    text = f"{size_text(trial.peak)} at most, in batches up to {rows} x {length}"
    if trial.free is None:
        return text
    text += f"; {size_text(trial.free)} were free"
    return f"{text}, which is hardly more" if trial.peak > _NEARLY_ALL * trial.free else text


def _disk_row(recipe: Recipe, run: Path, stage: _Stage, trial: Trial) -> tuple[str, str]:
    shards = 0.0
    for folder in (stage.run / SHARDS).iterdir() if stage.parts else ():
        used = sum(file.stat().st_size for file in folder.iterdir())
        shards += used * _scale([part for part in stage.parts if part.holds(folder.name)])
    need = disk_need(recipe, trial.parameters, trial.learning, shards)
    free = check_disk(run, need)
    return "disk", f"{size_text(need)} for data and checkpoints; {size_text(free)} are free"


def _scale(parts: list[Part]) -> float:
    """How much larger the whole data of these files is than what the trial has of it."""
    kept = sum(part.kept for part in parts)
    return sum(part.scale * part.kept for part in parts) / max(1, kept) if parts else 1.0


def _time_rows(recipe: Recipe, stage: _Stage, trial: Trial) -> list[tuple[str, str]]:
    left = max(0, recipe.train.max_steps - trial.done)
    speed = trial.step_tokens / trial.step_seconds
    steps = f"{left:,} steps" + (f" after the {trial.done:,} made" if trial.done else "")
    examples = sum(
        size * _scale([part for part in stage.parts if part.serves(direction)])
        for direction, size in trial.examples.items()
    )
    passes = left * trial.step_examples / examples
    return [
        ("passes", f"{passes:.1f} over about {examples:,.0f} examples, both directions counted"),
        ("speed", f"{speed:,.0f} target tokens/s, {trial.step_tokens:,.0f} a step"),
        ("time", f"{duration_text(left * trial.step_seconds)} for {steps}, without evaluations"),
    ]
