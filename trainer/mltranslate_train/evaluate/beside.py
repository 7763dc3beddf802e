"""Scores of other systems to stand beside measured ones: published, or measured before."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltranslate.errors import DataError, MltError, UsageError
from mltranslate_train.data.readers.lines import open_text, readable
from mltranslate_train.evaluate.metrics import Score

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

    Raises:
        DataError: a file cannot be read or is of another form.
        UsageError: two scores have the same place in the table.
    """
    found = [other for path in paths for other in _read(path)]
    places = [(other.dataset, other.direction, other.system) for other in found]
    if twice := [place for place in places if places.count(place) > 1]:
        raise UsageError(f"--beside has two scores for {' '.join(twice[0])}", fix="Leave one out")
    return found


def difference(other: Other, mine: Score) -> str:
    """Why an earlier score does not compare with `mine`: other lines or signature; "" if it does.

    Nothing of the kind is known of a published score: where it comes from must say it.
    """
    score = other.score
    if score is None or (score.sentences, score.signature) == (mine.sentences, mine.signature):
        return ""
    return f"n {score.sentences} by `{score.signature}`"


def _read(path: Path) -> list[Other]:
    reader: Callable[[str], list[Other]] = _measured if path.suffix == ".json" else _published
    with readable(path), open_text(path) as file:
        text = file.read()
    try:
        return reader(text)
    except MltError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise DataError(f"{path} has no scores to stand beside", why=why, fix=_FIX) from error


def _published(text: str) -> list[Other]:
    header, *rows = [line.rstrip("\r").split("\t") for line in text.splitlines() if line.strip()]
    if tuple(header) != COLUMNS:
        raise ValueError(f"the columns are {', '.join(header)}")
    return [_row(*row) for row in rows]


def _row(
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
    name = " ".join(filter(None, (system["name"], system["version"], system["precision"])))
    return [
        Other(
            dataset=result["dataset"], direction=result["direction"], system=name,
            chrf=_score(result["chrf"]["value"]), score=Score(**result["chrf"]),
            origin=f"{system['search']} search, beam {system['beam']}",
        )
        for result in record["results"]
    ]  # fmt: skip


def _score(value: float) -> float:
    if not math.isfinite(value) or not 0 <= value <= 100:
        raise ValueError(f"{value} is no score")
    return value
