"""Trains the language identifier and writes its arrays.

A run folder holds `lid.npz` (the arrays, fp32), `lid.json` (classes, calibration, measured
figures, the recipe), `tuning.jsonl` (the held-out texts that the calibration comes from, which
the exporter needs for its own check) and `heldout.tsv` (language, source and text of every
sentence that was not trained on). While it trains it holds `state.pt`, from which the same
command goes on.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mltranslate.detect.features import VERSION
from mltranslate.errors import DataError
from mltranslate.types import UNDETERMINED
from mltranslate_train.data.whole import check_writable, whole_file, writable
from mltranslate_train.lid.batches import Batch, Batcher
from mltranslate_train.lid.calibrate import Calibration, calibrate, calibration_error
from mltranslate_train.lid.corpus import Corpus, Split, Wanted, read_corpus
from mltranslate_train.lid.evaluate import columns, evaluate, score
from mltranslate_train.lid.model import Classifier, RowAdagrad, UsedRows
from mltranslate_train.lid.recipe import Recipe, read_recipe
from mltranslate_train.lid.sampling import Drawn, Sampler

ARRAYS, RESULT, TUNING, HELD_OUT = "lid.npz", "lid.json", "tuning.jsonl", "heldout.tsv"
STATE = "state.pt"
_FINAL_RATE = 0.02
"""Share of the learning rate that is left at the end."""

Report = Callable[[int, float], None]
"""Called with the examples done and the mean loss since the last call."""

log = logging.getLogger(__name__)


def train_lid(recipe: Path, out: Path, report: Report | None = None) -> dict[str, Any]:
    """Train by the recipe, write the run folder `out`, and return the figures.

    The same recipe, data and library versions give the same arrays, also after an interruption.
    Raises `ConfigError` or `DataError`.
    """
    return run(read_recipe(recipe), out, report)


def run(recipe: Recipe, out: Path, report: Report | None = None) -> dict[str, Any]:
    """Do what `train_lid` does for a recipe that is already read."""
    check_writable(out)
    started = time.process_time()
    torch.manual_seed(recipe.training.seed)
    with _no_collection():
        split = read_corpus(recipe.data.folder, _wanted(recipe))
    batcher = Batcher(recipe.languages, recipe.main, recipe.training.table_rows)
    trainer = Trainer(recipe, batcher, _sampler(recipe, split.training, recipe.training.seed))
    with writable(out):
        out.mkdir(parents=True, exist_ok=True)
    trainer.fit(out / STATE, report)
    figures, calibration, tuning = _measure(recipe, trainer.model, batcher, split)
    figures["cpu_seconds"] = round(time.process_time() - started, 1)
    result = _result(recipe, calibration) | {"tuning": figures, "sources": _sources(recipe, split)}
    _write(out, trainer.model, result, tuning, split)
    (out / STATE).unlink(missing_ok=True)
    return figures


class Trainer:
    """Fits the classifier by gated cross-entropy, and can go on where it stopped."""

    def __init__(self, recipe: Recipe, batcher: Batcher, sampler: Sampler) -> None:
        training = recipe.training
        self._recipe, self._batcher, self._sampler = recipe, batcher, sampler
        self.model = Classifier(
            training.table_rows,
            training.width,
            training.hidden,
            len(batcher.classes),
            training.length_power,
        )
        head = [*self.model.hidden.parameters(), *self.model.output.parameters()]
        self._optimisers = (
            RowAdagrad(self.model.table.parameters(), training.learning_rate),
            torch.optim.Adam(head, training.head_learning_rate),
        )
        self._rates = (training.learning_rate, training.head_learning_rate)
        self.done = 0

    def fit(self, state: Path, report: Report | None = None) -> None:
        """Train to the end of the recipe; `state` is read if it is there, and kept up to date."""
        training = self._recipe.training
        if state.exists():
            self._load(state)
        saved, since, total = self.done, 0, 0.0
        while self.done < training.examples:
            total += self._step()
            since += 1
            if report and since == training.report_steps:
                report(self.done, total / since)
                since, total = 0, 0.0
            if self.done - saved >= training.save_every:
                self._save(state)
                saved = self.done

    def _step(self) -> float:
        training = self._recipe.training
        left = 1 - self.done / training.examples
        for optimiser, rate in zip(self._optimisers, self._rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * max(_FINAL_RATE, left)
        drawn = self._sampler.draw(training.batch)
        restricted = self._restricted(drawn)
        batch = self._batcher.batch(drawn.letters, drawn.labels, restricted)
        used = UsedRows(self.model.table.weight, torch.from_numpy(batch.rows))
        scores = self.model.gated(batch, used)
        loss = nn.functional.cross_entropy(scores, torch.from_numpy(batch.labels))
        self.model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        table, head = self._optimisers
        table.step_rows(used)
        head.step()
        self.done += training.batch
        return float(loss.detach())

    def _restricted(self, drawn: Drawn) -> np.ndarray[Any, np.dtype[np.bool_]]:
        chance = self._sampler.rng.random(len(drawn.labels)) < self._recipe.training.restricted
        restricted: np.ndarray[Any, np.dtype[np.bool_]] = chance & self._batcher.main[drawn.labels]
        return restricted

    def _save(self, path: Path) -> None:
        state = {
            "recipe": _identity(self._recipe),
            "done": self.done,
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "rng": json.dumps(self._sampler.rng.bit_generator.state),
        }
        with writable(path.parent), whole_file(path) as new:
            torch.save(state, new)

    def _load(self, path: Path) -> None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            fits = state["recipe"] == _identity(self._recipe)
        except Exception as error:  # unpickling damaged bytes can raise anything
            why = str(error).partition("\n")[0]
            raise DataError(f"{path} cannot be read", why=why, fix="Remove it.") from error
        if not fits:
            raise DataError(
                f"{path} belongs to another recipe",
                why="a run goes on only with the recipe that it began with",
                fix="Give another --out, or remove the file.",
            )
        self.done = state["done"]
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self._sampler.rng.bit_generator.state = json.loads(state["rng"])


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from walking over millions of new strings again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _identity(recipe: Recipe) -> str:
    return json.dumps(dataclasses.asdict(recipe), default=str, sort_keys=True)


def _wanted(recipe: Recipe) -> Wanted:
    return Wanted(
        languages=tuple(recipe.languages),
        aliases=recipe.aliases,
        main=recipe.main,
        sources=tuple(recipe.sources),
        foreign_ratio=recipe.data.foreign_ratio,
        main_foreign_ratio=recipe.data.main_foreign_ratio,
        hold_out_one_in=recipe.data.hold_out_one_in,
        parallel=recipe.parallel,
        least_count=recipe.data.least_count,
        unspaced=_han(recipe),
        excluded=recipe.data.excluded,
    )


def _sampler(recipe: Recipe, corpus: Corpus, seed: int) -> Sampler:
    return Sampler(corpus, recipe.sampling, weights(recipe, corpus), _han(recipe), seed)


def _han(recipe: Recipe) -> list[str]:
    return [name for name, scripts in recipe.languages.items() if "Hani" in scripts]


def weights(recipe: Recipe, corpus: Corpus) -> dict[str, float]:
    """Return how often each language is drawn.

    The main languages have `main_share` of the draws, by their `shares`; the others have the
    rest, by their number of sentences to the power of `size_power`.
    """
    main = {name: recipe.shares.get(name, 1.0) for name in recipe.main}
    others = {
        name: recipe.shares.get(name, 1.0) * len(text.sentences) ** recipe.data.size_power
        for name, text in corpus.items()
        if name not in main
    }
    share = recipe.data.main_share if others else 1.0
    scaled = {name: share * weight / sum(main.values()) for name, weight in main.items()}
    total = sum(others.values())
    scaled |= {name: (1 - share) * weight / total for name, weight in others.items()}
    return scaled


def _measure(
    recipe: Recipe, model: Classifier, batcher: Batcher, split: Split
) -> tuple[dict[str, Any], Calibration, list[tuple[str, str]]]:
    """Fit the calibration on drawn held-out texts; measure those, and the columns."""
    sampler = _sampler(recipe, split.held_out, recipe.training.seed + 1)
    drawn = sampler.draw(recipe.training.tuning_examples)
    scores, batch = score(model, batcher, drawn.letters, drawn.labels, batcher.main[drawn.labels])
    # Only texts that are judged as the app judges them, among the main languages: a word is far
    # less sure there, for its length, than what all languages together make of it.
    main = batcher.main[batch.labels]
    calibration = calibrate(scores[main], batch.sizes[main], batch.labels[main])
    figures = _figures(scores, batch, calibration)
    figures["columns"] = {
        title: evaluate(model, batcher, column, calibration)
        for title, column in columns(split.held_out, split.sentences, recipe.main).items()
    }
    return figures, calibration, _as_text(drawn, batcher)


def _as_text(drawn: Drawn, batcher: Batcher) -> list[tuple[str, str]]:
    text = drawn.letters.codes.tobytes().decode("utf-32-le", "surrogatepass")
    return [
        (one, batcher.classes[label])
        for one, label in zip(text.split("\0")[:-1], drawn.labels.tolist(), strict=True)
    ]


def _figures(
    scores: np.ndarray[Any, np.dtype[np.float32]], batch: Batch, calibration: Calibration
) -> dict[str, Any]:
    right = scores.argmax(axis=1) == batch.labels
    return {
        "texts": len(batch.labels),
        "accuracy": round(float(right.mean()), 4),
        "calibration_error": round(calibration_error(scores, batch, calibration), 4),
    }


def _sources(recipe: Recipe, split: Split) -> list[dict[str, Any]]:
    return [
        {"name": source, "licence": recipe.sources[source], "texts": size}
        for source, size in sorted(split.sizes.items())
    ]


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
        "main": list(recipe.main),
        "shares": dict(recipe.shares),
    }


def _write(
    out: Path,
    model: Classifier,
    result: dict[str, Any],
    tuning: list[tuple[str, str]],
    split: Split,
) -> None:
    texts = (json.dumps(example, ensure_ascii=True) for example in tuning)
    held = (f"{line.language}\t{line.source}\t{line.text}\n" for line in split.sentences)
    with writable(out):
        np.savez(
            out / ARRAYS,
            table=model.table.weight.detach().numpy(),
            hidden_weight=model.hidden.weight.detach().numpy(),
            hidden_bias=model.hidden.bias.detach().numpy(),
            output_weight=model.output.weight.detach().numpy(),
            output_bias=model.output.bias.detach().numpy(),
        )
        (out / RESULT).write_text(json.dumps(result, indent=2) + "\n", "utf-8")
        (out / TUNING).write_text("\n".join(texts) + "\n", "utf-8")
        (out / HELD_OUT).write_text("".join(held), "utf-8")
