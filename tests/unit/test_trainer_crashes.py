"""Killed processes and full disks: the last checkpoint stays, and a resume loses nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from toy_corpus import write_recipe

from mltranslate.errors import TrainingError
from mltranslate_train.checkpoint import MODEL, load_checkpoint
from mltranslate_train.config import load_recipe
from mltranslate_train.loop import train

SETS = ["train.save_every=2", "model.dropout=0.2"]
KILLED = """
import itertools, os, pathlib, signal, sys
from mltranslate_train import checkpoint, loop
from mltranslate_train.config import load_recipe

sets, run, place, number = sys.argv[2].split(), pathlib.Path(sys.argv[3]), sys.argv[4], sys.argv[5]
count = itertools.count(1)


def deadly(function, counts=lambda *_: True):
    def wrapped(*arguments):
        if counts(*arguments) and next(count) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return wrapped


if place == "step":
    loop.Trainer.step = deadly(loop.Trainer.step)
elif place == "write":
    checkpoint._to_disk = deadly(checkpoint._to_disk)
else:
    os.replace = deadly(os.replace, lambda _, new: pathlib.Path(new).name == "last")
loop.train(load_recipe(pathlib.Path(sys.argv[1]), sets), run)
"""
FULL = """
import resource, sys
from mltranslate_train import checkpoint, cli
write = checkpoint.save_checkpoint


def on_small_disk(*arguments):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), hard))
    try:
        write(*arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


checkpoint.save_checkpoint = on_small_disk
raise SystemExit(cli.main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe, and a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("unbroken")
    train(load_recipe(write_recipe(folder), [*SETS, "train.max_steps=6"]), folder / "run")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(
    ("place", "number"),
    [("step", 4), ("write", 7), ("replace", 2)],
    ids=["in a step", "in the second checkpoint", "between its two renames"],
)
def test_killed_run_resumes_as_if_nothing_had_happened(
    unbroken: Path, tmp_path: Path, place: str, number: int
) -> None:
    sets, run = [*SETS, "train.max_steps=6"], tmp_path / "run"
    arguments = [str(unbroken / "toy.toml"), " ".join(sets), str(run), place, str(number)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    train(load_recipe(unbroken / "toy.toml", sets), run)
    one, two = (
        safetensors.torch.load_file(path / "last" / MODEL) for path in (unbroken / "run", run)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not list(run.glob("last.*"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
@pytest.mark.parametrize("most", [1000, 200_000], ids=["weights", "optimiser"])
def test_full_disk_leaves_the_old_checkpoint_and_says_what_to_do(
    unbroken: Path, tmp_path: Path, most: int
) -> None:
    run = tmp_path / "run"
    train(load_recipe(unbroken / "toy.toml", [*SETS, "train.max_steps=2"]), run)
    command = ["run", str(unbroken / "toy.toml"), "--out", str(run), "--set", "train.save_every=1"]
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(most), *command],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == TrainingError.exit_code, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("mltranslate-train: error: the checkpoint ")
    assert "cannot be written" in last
    assert "unexpected pos" not in last
    assert last.endswith("Make room on the disk; the same command resumes from the last checkpoint")
    assert load_checkpoint(run / "last").state["totals"]["step"] == 2
    assert [path.name for path in run.glob("last*")] == ["last"]
