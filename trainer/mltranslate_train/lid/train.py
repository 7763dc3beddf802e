"""Trains the language identifier and writes its arrays.

A run folder holds `lid.npz` (table, bias, fp32), `lid.json` (classes, calibration, measured
tuning figures, the recipe) and `tuning.jsonl` (the held-out texts that the figures come from,
which the exporter needs for its own check).
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mltranslate.detect.features import VERSION
from mltranslate.types import UNDETERMINED
from mltranslate_train.data.whole import check_writable, writable
from mltranslate_train.lid.batches import Batch, Batcher
from mltranslate_train.lid.calibrate import Calibration, calibrate, calibration_error
from mltranslate_train.lid.corpus import read_corpus, split
from mltranslate_train.lid.model import LinearClassifier
from mltranslate_train.lid.recipe import Recipe, Training, read_recipe
from mltranslate_train.lid.sampling import Sampler

ARRAYS, RESULT, TUNING = "lid.npz", "lid.json", "tuning.jsonl"
_DRAWN_TOGETHER = 20_000

Report = Callable[[int, float], None]
"""Called with the examples done and the mean loss since the last call."""

log = logging.getLogger(__name__)


def train_lid(recipe: Path, out: Path, report: Report | None = None) -> dict[str, Any]:
    """Train by the recipe, write the run folder `out`, and return the tuning figures.

    The same recipe, data and library versions give the same arrays. Raises `ConfigError` or
    `DataError`.
    """
    return run(read_recipe(recipe), out, report)


def run(recipe: Recipe, out: Path, report: Report | None = None) -> dict[str, Any]:
    """Do what `train_lid` does for a recipe that is already read."""
    check_writable(out)
    started = time.perf_counter()
    torch.manual_seed(recipe.training.seed)
    # Said explicitly, or torch warns at the first sparse step.
    torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]
    corpus, sizes = read_corpus(
        recipe.data.folder, tuple(recipe.languages), recipe.sources, recipe.data.foreign_ratio
    )
    training, held_out = split(corpus, recipe.data.hold_out_one_in)
    seed = recipe.training.seed
    batcher = Batcher(recipe.languages, recipe.training.table_rows)
    model = LinearClassifier(
        recipe.training.table_rows, len(recipe.languages) + 1, recipe.training.length_power
    )
    sampler = Sampler(training, recipe.sampling, recipe.shares, seed)
    fit(model, _batches(sampler, batcher, recipe.training), recipe.training, report)

    tuning_sampler = Sampler(held_out, recipe.sampling, recipe.shares, seed + 1)
    tuning = [tuning_sampler.draw() for _ in range(recipe.training.tuning_examples)]
    batch = batcher.batch(tuning)
    model.eval()
    with torch.no_grad():
        scores = model.gated(batch).numpy()
    calibration = calibrate(scores, batch.sizes, batch.labels)
    figures = _figures(scores, batch, calibration)
    figures["train_seconds"] = round(time.perf_counter() - started, 1)
    sources = [
        {"name": source, "licence": recipe.sources[source], "texts": size}
        for source, size in sorted(sizes.items())
    ]
    result = _result(recipe, calibration) | {"tuning": figures, "sources": sources}
    _write(out, model, result, tuning)
    return figures


def fit(
    model: LinearClassifier, batches: Iterator[Batch], training: Training, report: Report | None
) -> None:
    """Fit by Adagrad on gated cross-entropy: its step per weight suits rare and common n-grams."""
    optimiser = torch.optim.Adagrad(
        model.parameters(), lr=training.learning_rate, initial_accumulator_value=1e-6
    )
    done, since, loss_sum = 0, 0, 0.0
    for batch in batches:
        rate = training.learning_rate * max(0.01, 1 - done / training.examples)
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = _loss(model, batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        done += len(batch.labels)
        since += 1
        loss_sum += float(loss.detach())
        if report and since * training.batch >= _DRAWN_TOGETHER:
            report(done, loss_sum / since)
            since, loss_sum = 0, 0.0


def _loss(model: LinearClassifier, batch: Batch) -> Tensor:
    return nn.functional.cross_entropy(model.gated(batch), torch.from_numpy(batch.labels))


def _batches(sampler: Sampler, batcher: Batcher, training: Training) -> Iterator[Batch]:
    left = training.examples
    while left > 0:
        drawn = [sampler.draw() for _ in range(min(left, _DRAWN_TOGETHER))]
        left -= len(drawn)
        yield from batcher.batch(drawn).parts(training.batch)


def _figures(
    scores: np.ndarray[Any, np.dtype[np.float32]], batch: Batch, calibration: Calibration
) -> dict[str, Any]:
    right = scores.argmax(axis=1) == batch.labels
    return {
        "texts": len(batch.labels),
        "accuracy": round(float(right.mean()), 4),
        "calibration_error": round(calibration_error(scores, batch, calibration), 4),
    }


def _result(recipe: Recipe, calibration: Calibration) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "version": recipe.version,
        "features": VERSION,
        "languages": {name: list(codes) for name, codes in recipe.languages.items()},
        "classes": [*recipe.languages, UNDETERMINED],
        "length_power": recipe.training.length_power,
        "calibration": dataclasses.asdict(calibration),
        "training": dataclasses.asdict(recipe.training),
        "sampling": dataclasses.asdict(recipe.sampling),
        "shares": dict(recipe.shares),
    }


def _write(
    out: Path, model: LinearClassifier, result: dict[str, Any], tuning: list[tuple[str, str]]
) -> None:
    table, bias = model.table.weight.detach().numpy(), model.bias.detach().numpy()
    lines = (json.dumps(example, ensure_ascii=True) for example in tuning)
    with writable(out):
        out.mkdir(parents=True, exist_ok=True)
        np.savez(out / ARRAYS, table=table, bias=bias)
        (out / RESULT).write_text(json.dumps(result, indent=2) + "\n", "utf-8")
        (out / TUNING).write_text("\n".join(lines) + "\n", "utf-8")
