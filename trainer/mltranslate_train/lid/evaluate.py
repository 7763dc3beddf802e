"""What a trained identifier is judged by: held-out texts in columns like those of the benchmark."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mltranslate.detect.features import Letters, letters
from mltranslate_train.lid.batches import Batch, Batcher
from mltranslate_train.lid.calibrate import Calibration, calibration_error
from mltranslate_train.lid.corpus import Corpus, Sentence
from mltranslate_train.lid.model import Classifier

BROAD_SOURCE = "tatoeba"
BROAD_TEXTS = 50
"""Held-out sentences of a language that the broad figure needs, and takes."""
_EACH = 200
_PREFIXES = {"5 characters": 5, "10 characters": 10, "20 characters": 20, "sentence": 400}
_AT_ONCE = 4096
_HAN_RUNS = 2
"""Runs of 2-4 Han characters taken of a sentence."""
_HAN_RUN = re.compile("[\u3400-\u9fff]{2,4}")


@dataclass(frozen=True, slots=True)
class Column:
    """Texts of one kind: (text, language), and whether only the main languages are offered."""

    texts: tuple[tuple[str, str], ...]
    restricted: bool


def columns(
    corpus: Corpus, sentences: Sequence[Sentence], main: Sequence[str]
) -> dict[str, Column]:
    """Make the columns from held-out words and sentences; "broad" is over all languages."""
    words = {name: _spread(corpus[name].words) for name in main}
    made = {
        "word": _restricted((word, name) for name in main for word in words[name]),
        "pair": _restricted(
            (f"{one} {other}", name)
            for name in main
            for one, other in zip(words[name], words[name][::-1], strict=True)
        ),
    }
    by_language: dict[str, list[str]] = defaultdict(list)
    tatoeba: dict[str, list[str]] = defaultdict(list)
    for line in sentences:
        by_language[line.language].append(line.text)
        if line.source == BROAD_SOURCE:
            tatoeba[line.language].append(line.text)
    for title, size in _PREFIXES.items():
        made[title] = _restricted(
            (text[:size], name) for name in main for text in _spread(by_language[name])
        )
    made["han"] = _restricted(
        (run, name)
        for name in main
        for text in by_language[name]
        for run in _HAN_RUN.findall(text)[:_HAN_RUNS]
    )
    broad = [
        (text, name)
        for name, lines in tatoeba.items()
        if len(lines) >= BROAD_TEXTS
        for text in lines[:BROAD_TEXTS]
    ]
    made["broad"] = Column(tuple(broad), restricted=False)
    return {title: column for title, column in made.items() if column.texts}


def _restricted(texts: Iterable[tuple[str, str]]) -> Column:
    return Column(tuple(texts), restricted=True)


def _spread(texts: Sequence[str]) -> Sequence[str]:
    """Take texts at even distances: rare words as often as common ones."""
    return texts[:: max(1, len(texts) // _EACH)][:_EACH]


def evaluate(
    model: Classifier, batcher: Batcher, column: Column, calibration: Calibration
) -> dict[str, Any]:
    """Return n, accuracy, mean accuracy of the languages, and calibration error.

    The texts are in languages, none is "und".
    """
    index = {name: number for number, name in enumerate(batcher.classes)}
    labels = np.array([index[name] for _, name in column.texts])
    restricted = np.full(len(labels), column.restricted)
    cleaned = letters([text for text, _ in column.texts])
    scores, batch = score(model, batcher, cleaned, labels, restricted)
    right = scores.argmax(axis=1) == batch.labels
    # Texts that the batch leaves out are wrong: their script rules their language out, or they
    # have no letters, and either way the engine answers something else.
    hits = np.bincount(batch.labels, right, minlength=len(index))
    total = np.bincount(labels, minlength=len(index))
    some = total > 0
    shares = hits[some] / total[some]
    return {
        "n": len(labels),
        "languages": int(some.sum()),
        "accuracy": round(float(hits.sum() / len(labels)), 4),
        "macro": round(float(shares.mean()), 4),
        "calibration_error": round(calibration_error(scores, batch, calibration), 4),
    }


def score(
    model: Classifier,
    batcher: Batcher,
    cleaned: Letters,
    labels: npt.NDArray[np.int64],
    restricted: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.float32], Batch]:
    """Return (B, classes) gated scores of the texts that the gate leaves open, and their batch."""
    batch = batcher.batch(cleaned, labels, restricted)
    with torch.no_grad():
        scores = [model.gated(part).numpy() for part in batch.parts(_AT_ONCE)]
    return np.concatenate(scores), batch


def summary(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the accuracies in one line."""
    return ", ".join(f"{title} {100 * one['accuracy']:.1f}" for title, one in figures.items())
