"""The sections of a run's report, each a piece of Markdown that is empty where nothing is known."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from mltranslate_train.report.evaluation import METRICS, Measured, maps
from mltranslate_train.report.folder import RECIPE, RunFolder
from mltranslate_train.report.history import History
from mltranslate_train.report.markdown import block, code, escape, table
from mltranslate_train.report.wording import count, decimal, duration, short

PACKAGES = ("mltranslate", "torch", "numpy", "sentencepiece", "sacrebleu")
_MOST_ORIGINS = 20


def summary(run: RunFolder) -> str:
    """What the run is and how far it came."""
    history, state = run.history, run.state()
    rows = [("state", f"{state.phase.value}: {state.because}"), ("steps", _steps(run))]
    if history.points:
        last = history.points[-1]
        rows += [
            ("target tokens", count(last.target_tokens)),
            ("time at work", duration(history.elapsed)),
            ("last loss", f"{decimal(last.loss, 3)} nats a target token"),
        ]
    rows += [("dev score", text) for text in [best_score(history)] if text]
    rows += [(name, text) for name, text in facts(run).items() if text]
    return table(("", ""), [(name, escape(text)) for name, text in rows])


def _steps(run: RunFolder) -> str:
    return count(run.history.step) + (f" of {count(run.max_steps)}" if run.max_steps else "")


def best_score(history: History) -> str:
    """The best dev score and its step; empty before the first evaluation."""
    best = history.best(history.metric)
    name = METRICS.get(history.metric, history.metric)
    return f"{name} {decimal(best.mean)} at step {count(best.step)}, the best" if best else ""


def facts(run: RunFolder) -> dict[str, str]:
    """Shape, size and machine, as the run told them; empty strings for what it did not tell."""
    history = run.history
    machine = [str(fact) for name in ("device", "precision") if (fact := history.fact(name))]
    machine += [
        f"{name} {fact}" for name in ("threads", "processes") if (fact := history.fact(name))
    ]
    return {
        "model": shape(run),
        "parameters": count(found) if (found := history.fact("parameters")) else "",
        "machine": ", ".join(machine),
    }


def shape(run: RunFolder) -> str:
    """Architecture and depths in a few words."""
    architecture = run.about.get("architecture") or run.option("model", "architecture")
    parts = [str(architecture)] if architecture else []
    if architecture == "rnn":
        parts += [f"{name} {value}" for name in ("cell", "attention") if (value := _key(run, name))]
    layers = [_key(run, f"{side}_layers") for side in ("encoder", "decoder")]
    if all(layers):
        parts.append(f"{layers[0]}+{layers[1]} layers")
    parts += [f"width {width}" for width in [_key(run, "d_model")] if width]
    return ", ".join(parts)


def _key(run: RunFolder, name: str) -> Any:
    model = run.about.get("model")
    found = model.get(name) if isinstance(model, Mapping) else None
    return found if found is not None else run.option("model", name)


def data(run: RunFolder) -> str:
    """Pairs by origin, and what was dropped and why."""
    found = run.summary()
    origins = _counts(found.get("origins"))
    parts = []
    if origins:
        ranked = sorted(origins.items(), key=lambda item: -item[1])
        rows = [(escape(name), count(number)) for name, number in ranked[:_MOST_ORIGINS]]
        if rest := ranked[_MOST_ORIGINS:]:
            rows.append((f"{len(rest)} others", count(sum(number for _, number in rest))))
        rows.append(("**all**", f"**{count(sum(origins.values()))}**"))
        parts.append(table(("origin", "pairs"), rows, right=1))
    if dropped := _counts(found.get("dropped")):
        ranked = sorted(dropped.items(), key=lambda item: -item[1])
        rows = [(escape(name), count(number)) for name, number in ranked]
        parts.append(table(("dropped because", "pairs"), rows, right=1))
    return "\n".join(parts)


def _counts(table: Any, prefix: str = "") -> dict[str, int]:
    """Numbers of a table, and of tables in it under both names."""
    found: dict[str, int] = {}
    for name, value in table.items() if isinstance(table, Mapping) else ():
        if isinstance(value, Mapping):
            found |= _counts(value, f"{prefix}{name}: ")
        elif isinstance(value, int):
            found[f"{prefix}{name}"] = value
    return found


def dev_scores(history: History) -> str:
    """Every set and direction at the best step and at the last evaluation."""
    best = history.best(history.metric)
    if best is None:
        return ""
    last, head, rows = history.evaluations[-1], ["set and direction"], []
    shown = [best] if best is last else [best, last]
    for metric in last.scores:
        head += [f"{METRICS[metric]}, step {count(item.step)}" for item in shown]
    for name in sorted({name for scores in last.scores.values() for name in scores}):
        cells = [
            decimal(item.scores.get(metric, {}).get(name, math.nan))
            for metric in last.scores
            for item in shown
        ]
        rows.append((escape(name), *cells))
    return table(head, rows, right=len(head) - 1)


def results(measured: Sequence[Measured], settings: Mapping[str, Any]) -> str:
    """Scores of the final evaluation with their signatures, and by length of the source."""
    if not measured:
        return ""
    metrics = [name for name in METRICS if any(name in item.scores for item in measured)]
    head = ["set", "direction", "n", *(METRICS[name] for name in metrics)]
    rows = [
        (escape(item.dataset), escape(item.direction), count(item.sentences),
         *(decimal(item.scores.get(name, math.nan)) for name in metrics))
        for item in measured
    ]  # fmt: skip
    parts = [table(head, rows, right=len(metrics) + 1)]
    if (beam := settings.get("beam")) is not None:
        parts.append(f"Beam {beam}.\n")
    signatures = {(name, text) for item in measured for name, text in item.signatures.items()}
    parts += [f"* {METRICS[name]}: {code(text)}" for name, text in sorted(signatures)]
    parts += [_lengths(item) for item in measured if item.lengths]
    parts += [_disturbed(settings), _faults(settings)]
    return "\n".join(parts) + "\n"


def _lengths(item: Measured) -> str:
    metrics = [name for name in METRICS if any(name in group.scores for group in item.lengths)]
    rows = [
        (escape(group.name), count(group.sentences),
         *(decimal(group.scores.get(name, math.nan)) for name in metrics))
        for group in item.lengths
    ]  # fmt: skip
    title = f"\n{escape(item.dataset)} {escape(item.direction)}, by words of the source:\n\n"
    head = ["words", "n", *(METRICS[name] for name in metrics)]
    return title + table(head, rows, right=len(metrics) + 1)


def _disturbed(record: Mapping[str, Any]) -> str:
    rows = [
        (*_names(item, "dataset", "direction", "disturbance"),
         *(decimal(_number(item, name, "value")) for name in ("clean", "disturbed")))
        for item in maps(record.get("robustness"))
    ]  # fmt: skip
    head = ("set", "direction", "disturbance", "chrF2++ without", "chrF2++ with it")
    return f"\n{table(head, rows, right=2)}" if rows else ""


def _faults(record: Mapping[str, Any]) -> str:
    rows = [
        (*_names(item, "dataset", "direction", "text", "fault"),
         decimal(_number(item, "rate", "judged"), 0), decimal(_number(item, "rate", "percent"), 1))
        for item in maps(record.get("faults"))
    ]  # fmt: skip
    head = ("set", "direction", "text", "fault", "n", "%")
    return f"\n{table(head, rows, right=2)}" if rows else ""


def _names(item: Mapping[str, Any], *keys: str) -> list[str]:
    return [escape(str(item.get(key, "–"))) for key in keys]


def _number(item: Mapping[str, Any], name: str, key: str) -> float:
    part = item.get(name)
    found = part.get(key) if isinstance(part, Mapping) else None
    return float(found) if isinstance(found, int | float) else math.nan


def samples(history: History) -> str:
    """Translations of the newest evaluation that has any."""
    kept = [item for item in history.evaluations if item.samples]
    if not kept:
        return ""
    parts = [f"From step {count(kept[-1].step)}.\n"]
    for sample in kept[-1].samples:
        rows = [(name, escape(getattr(sample, name))) for name in ("source", "output", "reference")]
        parts.append(table((escape(sample.direction), escape(sample.dataset)), rows))
    return "\n".join(parts)


def environment() -> str:
    """Versions where this report is written."""
    rows = [
        ("Python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
    ]
    for name in PACKAGES:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return table(("", ""), [(name, escape(value)) for name, value in rows])


def recipe(run: RunFolder) -> str:
    """The recipe word for word."""
    try:
        return block((run.path / RECIPE).read_text(encoding="utf-8", errors="replace"), "toml")
    except OSError:
        return ""


def overview(
    names: Sequence[str], runs: Sequence[RunFolder], tested: Sequence[Sequence[Measured]]
) -> str:
    """One row a run: shape, effort, dev score, and the scores on every set that all share."""
    shared = [item.key for item in tested[0] if all(_find(found, item.key) for found in tested)]
    columns = [
        (key, metric)
        for key in shared
        for metric in METRICS
        if all(metric in _scores(found, key) for found in tested)
    ]
    head = ["run", "model", "parameters", "steps", "tokens", "time at work", "dev score"]
    head += [f"{escape(key[0])} {key[1]} {METRICS[metric]}" for key, metric in columns]
    rows = []
    for name, run, found in zip(names, runs, tested, strict=True):
        history = run.history
        tokens = short(history.points[-1].target_tokens) if history.points else "–"
        cells = [escape(name), escape(shape(run)), facts(run)["parameters"] or "–",
                 count(history.step), tokens, duration(history.elapsed),
                 best_score(history) or "–"]  # fmt: skip
        cells += [decimal(_scores(found, key)[metric]) for key, metric in columns]
        rows.append(cells)
    return table(head, rows)


def _find(found: Sequence[Measured], key: tuple[str, str]) -> Measured | None:
    return next((item for item in found if item.key == key), None)


def _scores(found: Sequence[Measured], key: tuple[str, str]) -> Mapping[str, float]:
    item = _find(found, key)
    return item.scores if item else {}
