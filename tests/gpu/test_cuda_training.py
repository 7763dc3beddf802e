"""Training on CUDA: bf16 and fp32 learn and resume. Skipped without a GPU."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.gpu

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import json, pathlib, torch
from toy_corpus import write_recipe
from mltranslate_train.config import load_recipe
from mltranslate_train.loop import train
folder = pathlib.Path(".")
sets = ["train.device=cuda", f"train.precision={sys.argv[2]}", "train.accumulation=2"]
for steps in (20, 60):
    train(load_recipe(write_recipe(folder), [*sets, f"train.max_steps={steps}"]), folder / "run")
lines = map(json.loads, (folder / "run/metrics.jsonl").read_text("utf-8").splitlines())
losses = [line["loss"] for line in lines]
assert losses[-1] < losses[0], losses
assert json.loads((folder / "run/last/state.json").read_text("utf-8"))["totals"]["step"] == 60
assert torch.cuda.max_memory_allocated() > 0
"""


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_learns_and_resumes_on_cuda(tmp_path: Path, precision: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    # The toy corpus lives beside the unit tests; a process of its own keeps their imports apart.
    unit = Path(__file__).resolve().parents[1] / "unit"
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(unit), precision], check=True, cwd=tmp_path, timeout=240
    )
