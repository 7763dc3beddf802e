"""What `best/model.json` says of the weights beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mltranslate_train.config import Recipe
from mltranslate_train.data.prepare import SUMMARY
from mltranslate_train.evaluate.dev import Scores
from mltranslate_train.finetune import start as finetune
from mltranslate_train.model.build import describe
from mltranslate_train.model.seq2seq import TextModel
from mltranslate_train.totals import Totals


def about(
    recipe: Recipe, run: Path, model: TextModel, scores: Scores, totals: Totals
) -> dict[str, Any]:
    """Shape, languages, training so far, dev scores, and the data's provenance."""
    data = json.loads((run / SUMMARY).read_text(encoding="utf-8"))
    sources = [
        {"name": name, "licence": data["licences"].get(name, ""), "pairs": pairs}
        for name, pairs in sorted(data["origins"].items())
    ]
    return {
        **describe(model),
        "languages": recipe.languages,
        "directions": recipe.directions_at(totals.step),
        "step": totals.step,
        "target_tokens": totals.target_tokens,
        "training_seconds": round(totals.seconds),
        **scores.about(),
        "sources": sources,
        **finetune.provenance(run),
    }
