"""Training on CUDA: it learns, resumes, compiles, and stops at a divergence. Needs a GPU."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.gpu

BEGINNING = """
import sys
sys.path.insert(0, sys.argv[1])
import json, pathlib, torch
from toy_corpus import write_recipe
from mltranslate.errors import TrainingError
from mltranslate_train import objective
from mltranslate_train.checkpoint import load_checkpoint
from mltranslate_train.config import load_recipe
from mltranslate_train.loop import train
folder, run = pathlib.Path("."), pathlib.Path("run")
sets = ["train.device=cuda", *sys.argv[2].split()]
"""
LEARNS = """
for steps in (20, 60):
    train(load_recipe(write_recipe(folder), [*sets, f"train.max_steps={steps}"]), run)
lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
losses = [line["loss"] for line in lines if "loss" in line]
assert losses[-1] < losses[0], losses
assert load_checkpoint(run / "last").state["totals"]["step"] == 60
assert torch.cuda.max_memory_allocated() > 0
"""
DIVERGES = """
# The flag that stops the optimiser is read at reports only, long after step 23.
sets += ["train.log_every=40", "train.save_every=20", "train.max_steps=40"]
calls, right = [], objective.fused_cross_entropy


def wrong(states, weight, labels, smoothing):
    calls.append(1)
    loss = right(states, weight, labels, smoothing)
    return loss * float("nan") if len(calls) == 23 else loss


objective.fused_cross_entropy = wrong
try:
    train(load_recipe(write_recipe(folder), sets), run)
except TrainingError as error:
    assert "diverged at step 23" in str(error), error
else:
    raise AssertionError("nothing was raised")
assert len(calls) == 40
saved = load_checkpoint(run / "last")
assert saved.state["totals"]["step"] == 20
assert all(tensor.isfinite().all() for tensor in saved.model.values())
"""


def run_program(text: str, sets: str, folder: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    # The toy corpus lives beside the unit tests; a process of its own keeps their imports apart.
    unit = Path(__file__).resolve().parents[1] / "unit"
    command = [sys.executable, "-c", BEGINNING + text, str(unit), sets]
    subprocess.run(command, check=True, cwd=folder, timeout=240)


@pytest.mark.parametrize(
    "sets",
    [
        "train.precision=fp32 train.accumulation=2",
        "train.precision=bf16 train.accumulation=2",
        "train.precision=bf16 train.r_drop=1",
        "train.precision=bf16 train.compile=true",
        "train.precision=bf16 train.autocast=false",
        "train.precision=bf16 train.autocast=false train.compile=true train.batch_tokens=40000",
        "train.precision=fp32 train.ema_decay=0 train.average_last=2 train.snapshot_every=10",
    ],
)
def test_training_learns_and_resumes_on_cuda(tmp_path: Path, sets: str) -> None:
    run_program(LEARNS, sets, tmp_path)


def test_divergence_is_found_late_but_stops_the_weights_at_once(tmp_path: Path) -> None:
    run_program(DIVERGES, "train.precision=fp32", tmp_path)
