"""What came back from elsewhere, put into a run as if it had been trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from kit import weights
from mltranslate_train.about import about
from mltranslate_train.checkpoint import BEST, save_weights
from mltranslate_train.config import load_recipe
from mltranslate_train.data.prepare import RECIPE, VOCABULARY_FILE
from mltranslate_train.metrics_log import METRICS
from mltranslate_train.model.build import make_any_model, make_config
from mltranslate_train.tokenizer import Vocabulary
from mltranslate_train.totals import Totals

SMALL = "weights-bf16.safetensors"
"""The weights in bf16, as they came: half the size, to publish and to start others from."""


class NoScores:
    """An evaluation that has not taken place; `mltranslate-train evaluate` makes up for it."""

    choice = 0.0

    def record(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def about(self) -> dict[str, Any]:
        """Nothing was measured."""
        return {"dev_chrf": {}, "dev_bleu": {}, "dev_signatures": {}}


def collect(result: Path, run: Path) -> str:
    """Put weights and metrics that a piece brought out into `run`; says what they are.

    `run` is the prepared run whose data was packed. It gets `best/`, from which it can be
    evaluated and exported, the weights in bf16 beside it, and the metrics.

    Raises:
        DataError: files of the weights are missing or damaged.
    """
    bits, totals = weights.read_files(result)
    recipe = load_recipe(run / RECIPE)
    vocabulary = Vocabulary(run / VOCABULARY_FILE)
    model = make_any_model(make_config(recipe.model, len(vocabulary), recipe.train.objective))
    halves = {
        name: torch.from_numpy(array.copy()).view(torch.bfloat16) for name, array in bits.items()
    }
    model.load_state_dict(halves)
    text = about(recipe, run, model, NoScores(), Totals(**totals))
    save_weights(run / BEST, dict(model.state_dict()), text)
    safetensors.torch.save_file(halves, run / SMALL)
    _join(result / METRICS, run / METRICS)
    return f"step {totals['step']}, {totals['target_tokens']:,} target tokens"


def _join(source: Path, target: Path) -> None:
    """Add the lines that are new."""
    before = target.read_text(encoding="utf-8").splitlines() if target.is_file() else []
    after = source.read_text(encoding="utf-8").splitlines() if source.is_file() else []
    lines = list(dict.fromkeys([*before, *after]))
    target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
