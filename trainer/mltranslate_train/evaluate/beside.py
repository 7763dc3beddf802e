"""Scores of other systems to stand beside measured ones: published, or measured before."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mltranslate.errors import DataError, MltError, UsageError
from mltranslate_train.data.readers.lines import open_text, readable
from mltranslate_train.evaluate.metrics import Score
from mltranslate_train.report.markdown import code

COLUMNS = ("set", "direction", "system", "chrF2++", "measured on", "source")
"""Header of a TSV file of published scores."""
_FIX = f"Give JSON of evaluate, or a TSV file with the columns {', '.join(COLUMNS)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """chrF2++ of another system in one direction of one set."""

    dataset: str
    """The measured set that it stands beside."""
    direction: str
    system: str
    chrf: float
    origin: str
    """Where it comes from and what it was measured on; the reader must be told."""
    score: Score | None = None
    """The whole score if it was measured by `evaluate`; only equals in n and signature compare."""


def read_others(paths: Sequence[Path]) -> list[Other]:
    """Read files of published scores (.tsv) and of earlier evaluations (.json), in order.

    Evaluations of one system by several searches have the search in their names.

    Raises:
        DataError: a file cannot be read or is of another form.
        UsageError: two scores have the same place in the table.
    """
    found = _told_apart([other for path in paths for other in _read(path)])
    places = [(other.dataset, other.direction, other.system) for other in found]
    if twice := [place for place in places if places.count(place) > 1]:
        raise UsageError(f"--beside has two scores for {' '.join(twice[0])}", fix="Leave one out")
    return found


def difference(other: Other, mine: Score) -> str:
    """Markdown: why an earlier score does not compare with `mine`; "" if it does.

    Other lines, or another signature.

    Nothing of the kind is known of a published score: where it comes from must say it.
    """
    score = other.score
    if score is None or (score.sentences, score.signature) == (mine.sentences, mine.signature):
        return ""
    return f"n {score.sentences} by {code(score.signature)}"


def _told_apart(others: Sequence[Other]) -> list[Other]:
    origins: dict[str, set[str]] = {}
    for other in others:
        if other.score:
            origins.setdefault(other.system, set()).add(other.origin)
    return [
        replace(other, system=f"{other.system}, {other.origin}")
        if other.score and len(origins[other.system]) > 1 else other
        for other in others
    ]  # fmt: skip


def _read(path: Path) -> list[Other]:
    reader: Callable[[str], list[Other]] = _measured if path.suffix == ".json" else _published
    with readable(path), open_text(path) as file:
        text = file.read()
    try:
        return reader(text)
    except MltError:
        raise
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}"
        raise DataError(f"{path} has no scores to stand beside", why=why, fix=_FIX) from error


def _published(text: str) -> list[Other]:
    head, *lines = text.split("\n")
    header = head.rstrip("\r").split("\t")
    if tuple(header) != COLUMNS:
        raise ValueError(f"line 1: the columns are {', '.join(header) or 'missing'}")
    return [_row(number, line) for number, line in enumerate(lines, start=2) if line.strip()]


def _row(number: int, line: str) -> Other:
    cells = line.rstrip("\r").split("\t")
    if len(cells) != len(COLUMNS):
        raise ValueError(f"line {number}: {len(cells)} columns instead of {len(COLUMNS)}")
    try:
        return _other(*cells)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error


def _other(
    dataset: str, direction: str, system: str, value: str, measured_on: str, source: str
) -> Other:
    if not measured_on or not source:
        raise ValueError(f"{system} {direction} does not say what it was measured on, or by whom")
    return Other(
        dataset=dataset, direction=direction, system=system, chrf=_score(float(value)),
        origin=f"measured on {measured_on}, {source}",
    )  # fmt: skip


def _measured(text: str) -> list[Other]:
    record: dict[str, Any] = json.loads(text)
    system = record["system"]
    parts = (_text(system[key]) for key in ("name", "version", "precision"))
    name = " ".join(filter(None, parts))
    return [
        Other(
            dataset=_text(result["dataset"]), direction=_text(result["direction"]), system=name,
            chrf=_score(score.value), score=score, origin=_search(system, result["direction"]),
        )
        for result in record["results"]
        for score in [_whole_score(result["chrf"])]
    ]  # fmt: skip


def _whole_score(chrf: dict[str, Any]) -> Score:
    score = Score(**chrf)
    _text(score.signature)
    if isinstance(score.value, bool) or not isinstance(score.sentences, int):
        raise TypeError(f"{chrf} is no score")
    return score


def _search(system: dict[str, Any], direction: str) -> str:
    target = direction.partition("-")[2]
    usual = system.get("length_penalty", 1)
    penalty = float(dict(system.get("length_penalties", {})).get(target, usual))
    more = "" if penalty == 1 else f", length penalty {penalty:g}"
    return f"{system['search']} search, beam {system['beam']}{more}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _score(value: float) -> float:
    if not math.isfinite(value) or not 0 <= value <= 100:
        raise ValueError(f"{value} is no score")
    return value
