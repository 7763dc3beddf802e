"""Makes folders of runs that never trained, with metrics as the loop writes them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

START = 1_700_000_000.0
"""Time of the first record, in seconds since the epoch."""
EVERY, SECONDS = 50, 10.0
"""Steps and seconds between two training records."""


def event(kind: str, step: int, time: float, **facts: Any) -> dict[str, Any]:
    return {"time": time, "event": kind, "step": step, **facts}


def point(step: int, time: float, **numbers: float) -> dict[str, Any]:
    record = {"time": time, "step": step, "target_tokens": 3000 * step, "loss": 2 + 6 / step,
              "tokens_per_second": 3500.0, "learning_rate": 1e-3}  # fmt: skip
    return record | numbers


def evaluation(step: int, time: float, score: float) -> dict[str, Any]:
    samples = [{"set": "dev", "direction": "en-de", "source": f"A dog, step {step}.",
                "output": f"Ein Hund | {step}.", "reference": "Ein *Hund*."}]  # fmt: skip
    return {
        "time": time, "step": step, "metric": "chrf", "mean": score, "samples": samples,
        "chrf": {"dev:en-de": score + 1, "dev:de-en": score - 1},
        "bleu": {"dev:en-de": score / 2, "dev:de-en": score / 4},
    }  # fmt: skip


def course(steps: int, *, end: str = "", maximum: int | None = None) -> list[dict[str, Any]]:
    """Records of a run, an evaluation after every fourth training record."""
    facts = {"max_steps": maximum or steps, "device": "cpu", "precision": "bf16", "threads": 2,
             "processes": 1, "parameters": 11_234_816}  # fmt: skip
    records = [event("start", 0, START, **facts)]
    time = START
    for step in range(EVERY, steps + 1, EVERY):
        time += SECONDS
        records.append(point(step, time))
        if step % (4 * EVERY) == 0:
            records.append(evaluation(step, time + 1, 40 * (1 - math.exp(-step / 1000))))
    if end:
        records.append(event(end, steps, time + 2))
    return records


def lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def write_course(folder: Path, records: list[dict[str, Any]], name: str = "toy") -> Path:
    """Write metrics and recipe of a run; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.jsonl").write_bytes(lines(records))
    recipe = f'name = "{name}"\n[train]\nmax_steps = 5000\n[model]\narchitecture = "rnn"\n'
    (folder / "recipe.toml").write_text(recipe, encoding="utf-8")
    return folder
