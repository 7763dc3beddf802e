"""What a run will need on the disk and at least in memory, by its number of weights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import torch

from mltranslate.errors import TrainingError
from mltranslate_train.config import Recipe
from mltranslate_train.device import choose_device
from mltranslate_train.dryrun.memory import free_memory
from mltranslate_train.dryrun.wording import size_text
from mltranslate_train.finetune.start import choose_learning
from mltranslate_train.model.build import make_any_model, make_config

_FLOAT = 4
"""Bytes of a weight: weights, gradients and the optimiser's state stay in fp32."""


def check_least_memory(recipe: Recipe, vocabulary_size: int) -> None:
    """Raise TrainingError if weights, gradients and optimiser alone are more than is free."""
    with torch.device("meta"):
        shape = make_config(recipe.model, vocabulary_size, recipe.train.objective)
        model = make_any_model(shape)
        choose_learning(model, recipe.finetune)
    every = sum(part.numel() for part in model.parameters())
    learning = sum(part.numel() for part in model.parameters() if part.requires_grad)
    copies = 4 if recipe.train.ema_decay else 3  # gradient, two moments of AdamW, moving average
    least = _FLOAT * (every + copies * learning)
    free = free_memory(choose_device(recipe.train))
    if free is not None and least > free:
        raise TrainingError(
            "the model does not fit into memory",
            why=f"with gradients and optimiser it takes {size_text(least)}, "
            f"{size_text(free)} are free",
            fix="Make the model smaller, or train it on a larger device",
        )


def disk_need(recipe: Recipe, parameters: int, learning: int, shards: float) -> float:
    """Most bytes that the run will take: data, checkpoints, and a checkpoint being written."""
    weights = _FLOAT * parameters
    average = _FLOAT * learning if recipe.train.ema_decay and not recipe.train.average_last else 0
    last = weights + average + 2 * _FLOAT * learning
    snapshots = recipe.train.average_last + 1 if recipe.train.average_last else 0
    best = weights if recipe.evaluate.dev else 0
    return shards + 2 * last + 2 * best + snapshots * weights


def check_disk(run: Path, need: float) -> int:
    """Free bytes where `run` will be; raises TrainingError if that is less than `need`."""
    free = shutil.disk_usage(next(path for path in _upwards(run) if path.is_dir())).free
    if need > free:
        raise TrainingError(
            f"the run does not fit on the disk of {run}",
            why=f"it needs {size_text(need)}, {size_text(free)} are free",
            fix="Make room, or give a folder on another disk with --out",
        )
    return free


def _upwards(path: Path) -> Iterator[Path]:
    full = path.resolve()
    yield full
    yield from full.parents
