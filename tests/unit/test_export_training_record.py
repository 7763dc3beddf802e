"""What a run knows of its time and machines, as it reaches a pack."""

import json
from pathlib import Path
from typing import Any

from mltranslate_export.training_record import training_record

CPU = {"device": "cpu", "precision": "bfloat16", "threads": 2, "processes": 1}
GPU = {**CPU, "device": "cuda"}


def event(kind: str, step: int, place: dict[str, Any]) -> str:
    return json.dumps({"time": 1.0, "event": kind, "step": step, "max_steps": 9, **place})


def test_places_are_those_of_the_steps_before_the_best_weights(tmp_path: Path) -> None:
    lines = [
        event("start", 0, CPU), '{"time": 2, "step": 5, "loss": 1.0}', event("stop", 10, CPU),
        event("resume", 10, GPU), event("resume", 15, CPU), '{"time": 3, "ste',
        event("resume", 20, {**CPU, "threads": 4}),
    ]  # fmt: skip
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines))
    found = training_record(tmp_path, {"step": 20, "training_seconds": 77})
    assert found == {"seconds": 77, "where": [CPU, GPU]}


def test_what_a_run_did_not_write_down_is_left_out(tmp_path: Path) -> None:
    assert training_record(tmp_path, {"step": 20}) == {}
    (tmp_path / "metrics.jsonl").write_text('{"time": 1, "step": 5, "loss": 1.0}\n')
    assert training_record(tmp_path, {"step": 20, "training_seconds": 5}) == {"seconds": 5}
