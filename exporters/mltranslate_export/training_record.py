"""How long a run trained, and on what: for the provenance of a pack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mltranslate_train.metrics_log import METRICS
from mltranslate_train.report.history import FIRST_EVENTS
from mltranslate_train.report.tail import LineFeed

_WHERE = ("device", "precision", "threads", "processes")


def training_record(run: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds that the steps up to the best weights took, and where they ran, each way once.

    `about` is the run's model.json. What a run did not write down is left out; nothing is guessed.
    """
    found: dict[str, Any] = {}
    if "training_seconds" in about:
        found["seconds"] = about["training_seconds"]
    if places := _places(run, about.get("step", 0)):
        found["where"] = places
    return found


def _places(run: Path, last_step: int) -> list[dict[str, Any]]:
    path = run / METRICS
    if not path.is_file():
        return []
    places: list[dict[str, Any]] = []
    for record in LineFeed().feed(path.read_bytes() + b"\n"):
        # A process that began behind the best weights had no part in them.
        if record.get("event") in FIRST_EVENTS and record.get("step", 0) < last_step:
            place = {key: record[key] for key in _WHERE if key in record}
            if place not in places:
                places.append(place)
    return places
