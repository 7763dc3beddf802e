"""Evaluations and comparisons from beginning to end: systems in, Markdown and JSON out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mltranslate.errors import DataError, UsageError
from mltranslate_train.data.whole import check_writable, writable
from mltranslate_train.evaluate.beside import read_others
from mltranslate_train.evaluate.bootstrap import SAMPLES, Comparison, compare
from mltranslate_train.evaluate.measure import Plan, evaluate
from mltranslate_train.evaluate.sets import Direction, TestSet, choose_directions, parse_sets
from mltranslate_train.evaluate.systems import (
    Advance,
    ProgressCallback,
    Settings,
    System,
    count,
    open_system,
    silent,
)
from mltranslate_train.evaluate.tables import comparison_tables, evaluation_tables

RESULTS = "evaluation.json"


def evaluate_system(
    name: str, plan: Plan, settings: Settings, *, json_file: Path | None = None,
    beside: Sequence[Path] = (), progress: ProgressCallback = silent,
) -> str:  # fmt: skip
    """Measure a system, write JSON, and return Markdown.

    JSON goes to `json_file`; that of a run to its evaluation.json if none is given. The scores in
    the files `beside` stand in the table beside the system's; see `read_others`.
    """
    others = read_others(beside)
    system = open_system(name, settings, plan.sets, plan.wanted)
    if json_file is None and system.info.kind == "run":
        json_file = Path(name) / RESULTS
    _check_places(json_file, plan.outputs)
    found = evaluate(system, plan, progress)
    if json_file is not None:
        write_json(json_file, found.record())
    return evaluation_tables(found, others)


def evaluate_run(run: Path, sets: Sequence[str], lines: int = 0, beam: int = 1) -> str:
    """Scores of a run's best weights on sets NAME=PREFIX; see `evaluate_system`."""
    return evaluate_system(str(run), Plan(sets=parse_sets(sets, lines)), Settings(beam=beam))


def compare_systems(
    names: tuple[str, str], plan: Plan, settings: Settings, *, samples: int = SAMPLES,
    json_file: Path | None = None, progress: ProgressCallback = silent,
) -> str:  # fmt: skip
    """Compare two systems on the sets and directions that both have; returns Markdown.

    Raises:
        UsageError: fewer than 100 resamples: a 95 % interval needs more.
        DataError: no direction is common to both.
    """
    if samples < 100:
        raise UsageError(f"{samples} resamples are too few", fix="Give 100 or more")
    _check_places(json_file)
    first, second = (open_system(name, settings, plan.sets, plan.wanted) for name in names)
    common = _common(first, second)
    work = [
        (dev, direction)
        for dev in plan.sets
        for direction in choose_directions(dev, common, plan.wanted)
    ]
    advance = count(progress, 2 * sum(len(dev.read(direction)[0]) for dev, direction in work))
    rows = [
        (dev.name, "-".join(direction), item)
        for dev, direction in work
        for item in _compare(first, second, dev, direction, plan, samples, advance)
    ]
    if json_file is not None:
        write_json(json_file, _record((first, second), rows))
    return comparison_tables(rows, (first.info.line(), second.info.line()))


def _common(first: System, second: System) -> list[Direction]:
    both = [direction for direction in first.directions if direction in second.directions]
    if not both:
        raise DataError(
            "the two systems have no direction in common",
            why=f"{_names(first)} and {_names(second)}",
        )
    return both


def _names(system: System) -> str:
    return ", ".join("-".join(direction) for direction in system.directions) or "none"


def _compare(
    first: System, second: System, dev: TestSet, direction: Direction, plan: Plan, samples: int,
    advance: Advance,
) -> list[Comparison]:  # fmt: skip
    sources, references = dev.read(direction)
    joined = plan.form.joined
    one, two = (
        joined(system.outputs(dev, direction, sources, advance)) for system in (first, second)
    )
    return compare(
        one, two, joined(references), direction[1], tokenized=plan.form.tokenized, samples=samples
    )


def _record(
    systems: tuple[System, System], rows: Sequence[tuple[str, str, Comparison]]
) -> dict[str, Any]:
    return {
        "systems": [dataclasses.asdict(system.info) for system in systems],
        "comparisons": [
            {"dataset": dataset, "direction": direction, **dataclasses.asdict(item)}
            for dataset, direction, item in rows
        ],
    }


def _check_places(json_file: Path | None, outputs: Path | None = None) -> None:
    """Raise DataError now rather than after hours if something could not be written."""
    if json_file is not None:
        check_writable(json_file.parent)
        if json_file.exists():
            with writable(json_file):
                json_file.open("rb+").close()
    if outputs is not None:
        check_writable(outputs)


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record; raises DataError if the file cannot be written."""
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
