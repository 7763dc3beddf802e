"""Measurements as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mltranslate_train.evaluate.beside import Other, difference
from mltranslate_train.evaluate.bootstrap import Comparison
from mltranslate_train.evaluate.breakdown import FEW
from mltranslate_train.evaluate.faults import Rate
from mltranslate_train.evaluate.measure import Drop, Evaluation, Fault, Result
from mltranslate_train.report.markdown import escape

_METRICS = ("chrF2++", "BLEU", "TER")


def evaluation_tables(found: Evaluation, others: Sequence[Other] = ()) -> str:
    """All tables of an evaluation, each with its n, and the signatures.

    `others` stand beside it in columns of their own. Below it is said where they come from, and
    which were left out as they were measured on other lines or by another signature.
    """
    others, left_out = _beside(found.results, others)
    systems = tuple(dict.fromkeys(other.system for other in others))
    head = (f"chrF2++ of {escape(name)}" for name in systems)
    parts = [
        found.system.line(),
        table(
            ("set", "direction", "n", *_METRICS, *head),
            (_row(item) + _others_of(item, systems, others) for item in found.results),
        ),
        *_origins(others, left_out),
        *_means(found.results),
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


def _beside(
    results: Sequence[Result], others: Sequence[Other]
) -> tuple[list[Other], list[str]]:  # fmt: skip
    """Those of the others that have a row to stand in, and why some of them do not compare."""
    scores = {(item.dataset, item.direction): item.chrf for item in results}
    found, left_out = [], []
    for other in others:
        mine = scores.get((other.dataset, other.direction))
        if mine and (why := difference(other, mine)):
            where = f"{escape(other.system)}, {escape(other.dataset)} {other.direction}"
            left_out.append(f"* {where}: left out, {why}")
        elif mine:
            found.append(other)
    return found, left_out


def _others_of(item: Result, systems: Sequence[str], others: Sequence[Other]) -> list[str]:
    where = item.dataset, item.direction
    found = {o.system: o.chrf for o in others if (o.dataset, o.direction) == where}
    return [f"{found[name]:.1f}" if name in found else "–" for name in systems]


def _origins(others: Sequence[Other], left_out: Sequence[str]) -> list[str]:
    lines = [
        *dict.fromkeys(f"* {escape(other.system)}: {escape(other.origin)}" for other in others),
        *left_out,
    ]
    return ["Not measured in this run:", "\n".join(lines)] if lines else []


def _means(results: Sequence[Result]) -> list[str]:
    """Mean and lowest chrF2++ of every set with several directions."""
    rows = []
    for name in dict.fromkeys(item.dataset for item in results):
        own = [item for item in results if item.dataset == name]
        least = min(own, key=lambda item: item.chrf.value)
        mean = sum(item.chrf.value for item in own) / len(own)
        lowest = f"{least.chrf.value:.1f} ({least.direction})"
        rows += [[name, str(len(own)), f"{mean:.1f}", lowest]] if len(own) > 1 else []
    head = ("set", "directions", "chrF2++, mean", "chrF2++, lowest")
    return [table(head, rows)] if rows else []


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
