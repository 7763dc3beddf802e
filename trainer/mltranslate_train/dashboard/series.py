"""The curves of several runs, as the plots take them."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import numpy as np

from mltranslate_train.dashboard.charts import Curve
from mltranslate_train.report.curves import Floats, smooth
from mltranslate_train.report.folder import RunFolder
from mltranslate_train.report.history import Evaluation, TrainPoint


class Axis(enum.Enum):
    """What the horizontal axis counts."""

    STEP = "steps"
    HOURS = "hours at work"


def train_curve(
    run: RunFolder, place: int, column: str, axis: Axis, window: int, is_current: bool
) -> Curve:
    """A column of the training records, by its name in TrainPoint, smoothed over `window`."""
    points = run.history.points
    x = _along(axis, points)
    y = np.array([getattr(point, column) for point in points], dtype=np.float64)
    keep = np.isfinite(y)  # one diverged loss would spoil the mean of all that follow
    return Curve(x[keep], smooth(y[keep], window), place, is_current)


def score_curve(run: RunFolder, place: int, metric: str, axis: Axis, is_current: bool) -> Curve:
    """Mean dev scores of a metric."""
    evaluations = run.history.evaluations
    x = _along(axis, evaluations)
    y = np.array([item.score(metric) for item in evaluations], dtype=np.float64)
    return Curve(x, y, place, is_current)


def _along(axis: Axis, items: Sequence[TrainPoint | Evaluation]) -> Floats:
    found = [item.step if axis is Axis.STEP else item.elapsed / 3600 for item in items]
    return np.array(found, dtype=np.float64)
