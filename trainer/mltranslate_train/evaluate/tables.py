"""Measurements as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mltranslate_train.evaluate.bootstrap import Comparison
from mltranslate_train.evaluate.breakdown import FEW
from mltranslate_train.evaluate.faults import Rate
from mltranslate_train.evaluate.measure import Drop, Evaluation, Fault, Result

_METRICS = ("chrF2++", "BLEU", "TER")


def evaluation_tables(found: Evaluation) -> str:
    """All tables of an evaluation, each with its n, and the signatures."""
    parts = [
        found.system.line(),
        table(("set", "direction", "n", *_METRICS), map(_row, found.results)),
        "By length of the source (words; letters in languages without spaces); "
        f"`*` marks fewer than {FEW} sentences:",
        table(("set", "direction", "words", "n", *_METRICS), map(_length_row, found.lengths)),
    ]
    if found.robustness:
        header = ("set", "direction", "disturbance", "n", "clean", "disturbed", "drop", "kept")
        parts += ["chrF2++ of disturbed sources (n: lines that the disturbance changes):",
                  table(header, map(_drop_row, found.robustness))]  # fmt: skip
    if found.faults:
        header = ("set", "direction", "text", "fault", "n", "rate", "95 %", "on references")
        parts += ["Faults (n: lines that could be judged):",
                  table(header, map(_fault_row, found.faults))]  # fmt: skip
    return "\n\n".join([*parts, "\n".join(_signatures(found.results))]) + "\n"


def comparison_tables(rows: Sequence[tuple[str, str, Comparison]], names: tuple[str, str]) -> str:
    """Comparisons as (set, direction, comparison) of the systems A and B."""
    header = ("set", "direction", "metric", "n", "A", "B", "B − A", "p")
    cells = [
        (dataset, direction, item.metric, str(item.sentences), str(item.first), str(item.second),
         str(item.difference), f"{item.p_value:.3f}")
        for dataset, direction, item in rows
    ]  # fmt: skip
    signatures = dict.fromkeys(f"{item.metric}: `{item.signature}`" for _, _, item in rows)
    intro = f"A: {names[0]}\n\nB: {names[1]}\n\nMean ± half of the middle 95 % of the resamples:"
    return "\n\n".join([intro, table(header, cells), "\n".join(signatures)]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("| --- ", "|---").replace("--- |", "---|")
                     for line in lines)  # fmt: skip


def _row(item: Result) -> list[str]:
    return [item.dataset, item.direction, str(item.chrf.sentences), *_values(item)]


def _length_row(item: Result) -> list[str]:
    size = item.chrf.sentences
    mark = "*" if size < FEW else ""
    return [item.dataset, item.direction, item.words, f"{size}{mark}", *_values(item)]


def _values(item: Result) -> list[str]:
    return [f"{score.value:.1f}" for score in (item.chrf, item.bleu, item.ter)]


def _drop_row(item: Drop) -> list[str]:
    return [
        item.dataset, item.direction, item.disturbance, str(item.clean.sentences),
        f"{item.clean.value:.1f}", f"{item.disturbed.value:.1f}", f"{item.lost:.1f}",
        _percent(item.kept),
    ]  # fmt: skip


def _fault_row(item: Fault) -> list[str]:
    low, high = item.rate.interval
    interval = "–" if math.isnan(low) else f"{low:.1f}–{high:.1f}"
    return [
        item.dataset, item.direction, item.text, item.fault, str(item.rate.judged),
        _percent(item.rate), interval, _percent(item.on_references),
    ]  # fmt: skip


def _percent(rate: Rate | None) -> str:
    return "–" if rate is None or not rate.judged else f"{rate.percent:.1f} %"


def _signatures(results: Sequence[Result]) -> list[str]:
    found = {
        f"{name}: `{score.signature}`": None
        for item in results
        for name, score in zip(_METRICS, (item.chrf, item.bleu, item.ter), strict=True)
    }
    return sorted(found)
