"""The pictures of a report: which curves belong together, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mltranslate_train.evaluate.breakdown import FEW
from mltranslate_train.report.evaluation import METRICS, Measured, least_words
from mltranslate_train.report.folder import RunFolder, unique_names
from mltranslate_train.report.plots import Line, draw_curves, draw_lengths

Picture = tuple[str, str]
"""Title and file name."""

_TRAINING = (
    ("loss", "Loss", "nats a target token"),
    ("learning_rate", "Learning rate", "learning rate"),
    ("tokens_per_second", "Speed", "target tokens a second"),
)
_SMOOTHED = 50
"""A curve is smoothed over a fiftieth of its records."""


def curves(runs: Sequence[RunFolder], folder: Path) -> list[Picture]:
    """Draw what was recorded while training; pictures without a point are left out."""
    found = [_training(runs, folder, *what) for what in _TRAINING]
    metrics = sorted({metric for run in runs for metric in run.history.metrics})
    found[1:1] = [_scores(runs, folder, metric) for metric in metrics]
    return [picture for picture in found if picture]


def _training(
    runs: Sequence[RunFolder], folder: Path, column: str, title: str, unit: str
) -> Picture | None:
    lines = _lines(runs, lambda run: [(p.step, getattr(p, column)) for p in run.history.points])
    if not lines:
        return None
    window = 1 if column == "learning_rate" else max(len(line.x) for line in lines) // _SMOOTHED
    draw_curves(folder / f"{column}.png", lines, x="step", y=unit, window=window)
    return title, f"{column}.png"


def _scores(runs: Sequence[RunFolder], folder: Path, metric: str) -> Picture | None:
    if len(runs) > 1:
        lines = _lines(
            runs, lambda run: [(e.step, e.score(metric)) for e in run.history.evaluations]
        )
    else:
        lines = _directions(runs[0], metric)
    if not lines:
        return None
    name = METRICS[metric]
    file = f"dev_{metric}.png"
    draw_curves(folder / file, lines, x="step", y=f"dev {name}", marked=True)
    return f"Dev {name}", file


def _directions(run: RunFolder, metric: str) -> list[Line]:
    evaluations = [item for item in run.history.evaluations if metric in item.scores]
    names = sorted({name for item in evaluations for name in item.scores[metric]})
    steps = np.array([item.step for item in evaluations], dtype=np.float64)
    lines = [
        Line(name, steps, np.array([e.scores[metric].get(name, np.nan) for e in evaluations]))
        for name in names
    ]
    if len(lines) > 1:
        means = np.array([item.score(metric) for item in evaluations])
        lines.insert(0, Line("mean", steps, means))
    return lines


def _lines(
    runs: Sequence[RunFolder], points: Callable[[RunFolder], list[tuple[int, float]]]
) -> list[Line]:
    lines = []
    for name, run in zip(unique_names(runs), runs, strict=True):
        if found := points(run):
            pairs = np.array(found, dtype=np.float64)
            lines.append(Line(name, pairs[:, 0], pairs[:, 1]))
    return lines


def lengths(
    names: Sequence[str], tested: Sequence[Sequence[Measured]], folder: Path
) -> list[Picture]:
    """Draw scores by source length, all runs in one picture, for every set and direction.

    Lengths that few sentences have are in the tables only.
    """
    keys = dict.fromkeys(item.key for found in tested for item in found if item.lengths)
    pictures = []
    for number, key in enumerate(keys):
        for metric in ("bleu", "chrf"):
            lines, groups = _by_length(names, tested, key, metric)
            if lines:
                file = f"by_length_{number}_{metric}.png"
                draw_lengths(folder / file, groups, lines,
                             x="words of the source", y=METRICS[metric])  # fmt: skip
                title = f"{key[0]} {key[1]}: {METRICS[metric]} by length of the source"
                pictures.append((title, file))
    return pictures


def _by_length(
    names: Sequence[str], tested: Sequence[Sequence[Measured]], key: tuple[str, str], metric: str
) -> tuple[list[Line], list[str]]:
    of_runs = [
        (name, [group for group in item.lengths if group.sentences >= FEW])
        for name, found in zip(names, tested, strict=True)
        for item in found
        if item.key == key
    ]
    # A group without a sentence is in no run's list, but may be in another's.
    all_groups = {group.name: group for _, found in of_runs for group in found}
    ordered = sorted(all_groups.values(), key=least_words)
    groups = [group.name for group in ordered]
    lines = []
    for name, groups_of_run in of_runs:
        points = [
            (groups.index(group.name), group.scores[metric])
            for group in groups_of_run
            if metric in group.scores
        ]
        if points:
            pairs = np.array(points, dtype=np.float64)
            lines.append(Line(name, pairs[:, 0], pairs[:, 1]))
    return lines, [f"{group.name}\nn = {group.sentences}" for group in ordered]
