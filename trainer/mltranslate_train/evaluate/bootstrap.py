"""Is one system better than the other? Paired bootstrap resampling (Koehn 2004) by sacreBLEU."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sacrebleu.significance import PairedTest, _bootstrap_resample, estimate_ci

from mltranslate.errors import DataError
from mltranslate_train.evaluate.metrics import (
    Metric,
    bleu_metric,
    check_parallel,
    chrf_metric,
    ter_metric,
)

SAMPLES = 1000
"""Resamples of the test set, as Koehn and sacreBLEU draw them."""

# It tells of each of its steps; its warnings are still heard.
logging.getLogger("sacrebleu").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Interval:
    """Mean over the resamples, and half the width of their middle 95 %."""

    mean: float
    reach: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.reach:.2f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two systems by one metric over one set."""

    metric: str
    sentences: int
    first_score: float
    """Of the whole set, without resampling."""
    second_score: float
    first: Interval
    second: Interval
    difference: Interval
    """Second minus first, on the same resamples."""
    p_value: float
    """Chance of a difference this large between equal systems; 1 for equal translations."""
    signature: str


def compare(
    first: Sequence[str],
    second: Sequence[str],
    references: Sequence[str],
    target: str,
    *,
    tokenized: bool = False,
    samples: int = SAMPLES,
) -> list[Comparison]:
    """BLEU, chrF2++ and TER of two lists of translations of the same sources.

    Raises:
        DataError: the lists differ in length, or have fewer than two lines to draw from.
    """
    for outputs in (first, second):
        check_parallel(outputs, references)
    if len(references) < 2:
        raise DataError("one sentence cannot be resampled", fix="Compare on more sentences")
    metrics: list[Metric] = [
        chrf_metric(),
        bleu_metric(target, tokenized=tokenized),
        ter_metric(target, tokenized=tokenized),
    ]
    return [_compare(metric, first, second, references, samples) for metric in metrics]


def _compare(
    metric: Metric,
    first: Sequence[str],
    second: Sequence[str],
    references: Sequence[str],
    samples: int,
) -> Comparison:
    systems: list[tuple[str, Sequence[str]]] = [("first", first), ("second", second)]
    test = PairedTest(
        systems, {"metric": metric}, [list(references)], test_type="bs", n_samples=samples
    )
    signatures, scores = test()
    ((name, signature),) = signatures.items()
    one, two = cast("list[Any]", scores[name])  # sacreBLEU's results, or the systems' names
    same = list(first) == list(second)
    return Comparison(
        metric=name,
        sentences=len(references),
        first_score=one.score,
        second_score=two.score,
        first=Interval(float(one.mean), float(one.ci)),
        second=Interval(float(two.mean), float(two.ci)),
        difference=_difference(metric, first, second, references, samples),
        # sacreBLEU gives the smallest p-value to a system beside itself; nothing differs there.
        p_value=1.0 if same else float(two.p_value),
        signature=str(signature),
    )


def _difference(
    metric: Metric,
    first: Sequence[str],
    second: Sequence[str],
    references: Sequence[str],
    samples: int,
) -> Interval:
    """Second minus first; both draw the same lines, as sacreBLEU seeds each drawing alike."""
    values = []
    for outputs in (first, second):
        statistics: list[Any] = metric._extract_corpus_statistics(list(outputs), [list(references)])
        found = _bootstrap_resample(statistics, metric, samples)[1]
        values.append(np.array([item.score for item in found]))
    mean, reach = estimate_ci(values[1] - values[0])
    return Interval(float(mean), float(reach))
