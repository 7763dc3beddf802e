"""The trainer of one call, with a schedule that ends when the time of all calls does."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from mltranslate_train.checkpoint import LAST, STATE, newest
from mltranslate_train.config import load_recipe
from mltranslate_train.data.prepare import RECIPE
from mltranslate_train.loop import train

log = logging.getLogger(__name__)

_MARGIN = 5.0
"""Seconds until the first step."""
_SAVING = 0.02
"""Share of the time that checkpoints take: two seconds of about 110."""


def train_until(
    run: Path, sets: Sequence[str], *, until: float, later: float, decay: float
) -> None:
    """Train `run`, or resume it, by its own recipe with `sets`.

    Args:
        run: folder with recipe and data.
        sets: overrides of the recipe; they count before what follows from the times.
        until: when this call's training ends, as `time.monotonic` tells it.
        later: seconds of training in calls to come.
        decay: share of all training time in which the learning rate falls to zero.

    Raises:
        MltError, KeyboardInterrupt: as `mltranslate_train.loop.train`.
    """
    if torch.cuda.is_available():
        torch.zeros(1, device="cuda")  # starting CUDA takes seconds, and these do not train
    here = (until - time.monotonic()) * (1 - _SAVING) - _MARGIN
    times = schedule(seconds_done(run), here, later * (1 - _SAVING), decay)
    log.info("schedule: %s", " ".join(times))
    train(load_recipe(run / RECIPE, [*times, *sets]), run)


def seconds_done(run: Path) -> float:
    """Seconds of training steps before this call."""
    folder = newest(run / LAST)
    if folder is None:
        return 0.0
    state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    return float(state["totals"]["seconds"])


def schedule(done: float, here: float, later: float, decay: float) -> list[str]:
    """Overrides for a run of these seconds in all, before, in and after this call."""
    minutes = (done + max(1.0, here) + later) / 60
    return [f"train.max_minutes={minutes:.4f}", f"train.decay_minutes={minutes * decay:.4f}"]
