"""Evaluation on CUDA gives the scores of the CPU. Skipped without a GPU."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.gpu

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import pathlib, random, toy_run
from mltranslate_train.evaluate.measure import Plan, evaluate
from mltranslate_train.evaluate.sets import TestSet
from mltranslate_train.evaluate.systems import Settings, open_system
generator = random.Random(7)
games = [toy_run.game(generator, "de") for _ in range(20)]
for language, side in (("en", 0), ("de", 1)):
    pathlib.Path(f"toy.{language}").write_text("".join(f"{game[side]}\\n" for game in games))
dev, found = TestSet("toy", "toy."), []
for device in ("cpu", "cuda"):
    system = open_system(str(toy_run.toy_run()), Settings(device=device, beam=2), [dev], ())
    assert system.info.device == device
    found.append(evaluate(system, Plan(sets=[dev])).results)
assert found[0] == found[1], found
"""


def test_a_run_scores_the_same_on_cuda(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    unit = Path(__file__).resolve().parents[1] / "unit"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(unit)],
        cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
