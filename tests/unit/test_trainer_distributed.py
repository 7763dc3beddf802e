"""Two processes under torchrun, on the CPU with gloo: DDP and FSDP2 train as one process does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from toy_corpus import write_recipe

from mltranslate.errors import DataError
from mltranslate_train.config import load_recipe
from mltranslate_train.distributed import World, launched_world, like, local, whole
from mltranslate_train.loop import train

STEPS, BREAK = 8, 3
OVERRIDES = ["model.dropout=0.0", "train.log_every=1", "evaluate.every=8", "evaluate.samples=1"]
PROGRAM = """
import contextlib, json, os, pathlib, signal, sys, threading, time
sys.path.insert(0, sys.argv[1])
import torch
from toy_corpus import RECIPE
from mltranslate.errors import DataError
from mltranslate_train import loop
from mltranslate_train.config import load_recipe
from mltranslate_train.distributed import joined, launched_world

folder, rank = pathlib.Path(sys.argv[2]), int(os.environ["RANK"])
overrides, steps, broken = json.loads(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])


def recipe(how, stop, *more):
    sets = [*overrides, f"train.parallel={how}", f"train.max_steps={stop}", *more]
    return load_recipe(folder / "toy.toml", sets)


def copied(tensors):
    return sum(tensor.numel() for tensor in tensors.values() if tensor.dim())


def note_copies():
    made, real, plain = [], loop.Checkpoint, loop.finetune.plain_weights

    def checkpoint(**parts):
        moments = [copied(state) for state in parts["optimizer"]["state"].values()]
        made.append([copied(parts["model"]), copied(parts["average"]), sum(moments)])
        return real(**parts)

    def weights(found, recipe):
        made.append([copied(found)])
        return plain(found, recipe)

    loop.Checkpoint, loop.finetune.plain_weights = checkpoint, weights
    return made


def runs():
    loop.train(recipe("ddp", steps, "train.optimizer=muon"), folder / "muon")
    made = note_copies()
    for how in ("ddp", "fsdp"):
        # Not evaluated where it is broken off: the run in one process has no such score.
        loop.train(recipe(how, broken, "evaluate.dev=[]"), folder / how)
        loop.train(recipe(how, steps), folder / how)
    loop.train(recipe("fsdp", broken, "train.ema_decay=0", "train.average_last=2",
                      "train.snapshot_every=1"), folder / "shared")
    (folder / f"copied.{rank}").write_text(json.dumps(made))


def shares():
    rows = torch.arange(10.0).view(5, 2)
    made = [world.shared_out(torch.sqrt, rows[:count]).tolist() for count in range(6)]
    (folder / f"shares.{rank}").write_text(json.dumps(made))


def fail():
    raise DataError("no")


def first_fails():
    try:
        world.on_main(fail)
    except (DataError, SystemExit) as error:
        (folder / f"error.{rank}").write_text(f"{type(error).__name__} {error}")


def interrupt():
    while not list((folder / "signal").glob("metrics.jsonl")):
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def second_is_stopped():
    saved, save = [], loop.Trainer.save
    loop.Trainer.save = lambda self: (saved.append(self.totals.step), save(self))
    if rank == 1:
        threading.Thread(target=interrupt, daemon=True).start()
    try:
        loop.train(recipe("ddp", 100000), folder / "signal")
    except KeyboardInterrupt:
        (folder / f"stopped.{rank}").write_text(json.dumps(saved))


world = launched_world()
with joined(world, torch.device("cpu")):
    loop.joined = lambda *_: contextlib.nullcontext()  # connected once, for all runs
    runs()
    shares()
    first_fails()
    second_is_stopped()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes trained in every way, and one process too."""
    folder = tmp_path_factory.mktemp("distributed")
    for language, text in (("aa", "sun moon\nlake\n"), ("bb", "nus noom\nekal\n")):
        (folder / f"dev.{language}").write_text(text, encoding="utf-8")
    dev = f'dev = [{{ name = "unseen", prefix = "{folder.as_posix()}/dev." }}]\n'
    path = write_recipe(folder, dev)
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    torch.set_num_threads(1)
    alone = [*OVERRIDES, "train.accumulation=2", f"train.max_steps={STEPS}"]
    train(load_recipe(path, alone), folder / "single")
    train(load_recipe(path, [*alone, "train.optimizer=muon"]), folder / "single-muon")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(folder / "program.py")]
    command += [str(Path(__file__).parent), str(folder)]
    command += [json.dumps(OVERRIDES), str(STEPS), str(BREAK)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    environment["PYTHONFAULTHANDLER"] = "1"  # where it was, should a process abort
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return folder


def records(run: Path, key: str) -> list[dict[str, object]]:
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if key in record]


@pytest.mark.parametrize("how", ["ddp", "fsdp"])
def test_two_processes_have_the_loss_curve_of_one_across_a_resume(folder: Path, how: str) -> None:
    single, double = records(folder / "single", "loss"), records(folder / how, "loss")
    assert [r["step"] for r in double] == [*range(1, STEPS + 1)]
    assert [r["target_tokens"] for r in double] == [r["target_tokens"] for r in single]
    assert [r["loss"] for r in double] == pytest.approx([r["loss"] for r in single], rel=1e-5)
    assert len({round(float(str(r["loss"])), 3) for r in single}) > STEPS // 2  # it moves
    events = [(r["event"], r["step"], r["processes"]) for r in records(folder / how, "event")]
    assert events == [("start", 0, 2), ("done", BREAK, 2), ("resume", BREAK, 2), ("done", STEPS, 2)]


def test_two_processes_share_the_work_of_muon_and_have_the_loss_curve_of_one(folder: Path) -> None:
    single, double = (records(folder / run, "loss") for run in ("single-muon", "muon"))
    assert [r["loss"] for r in double] == pytest.approx([r["loss"] for r in single], rel=1e-4)
    assert [r["loss"] for r in single] != [r["loss"] for r in records(folder / "single", "loss")]


@pytest.mark.parametrize("rank", [0, 1])
def test_shared_work_gives_each_process_all_rows(folder: Path, rank: int) -> None:
    rows = torch.arange(10.0).view(5, 2).sqrt().tolist()
    found = json.loads((folder / f"shares.{rank}").read_text())
    assert found == [rows[:count] for count in range(6)]


@pytest.mark.parametrize("how", ["ddp", "fsdp"])
@pytest.mark.parametrize("name", ["last/model", "last/average", "best/model"])
def test_their_weights_are_those_of_one_process(folder: Path, how: str, name: str) -> None:
    single, double = (
        safetensors.torch.load_file(folder / run / f"{name}.safetensors") for run in ("single", how)
    )
    assert single.keys() == double.keys()
    # What is added to all keys alike has no effect: its gradient is rounding noise, which Adam
    # blows up to steps of full size.
    keys = [key for key in single if not key.endswith("kv.bias")]
    assert len(keys) > 20
    for key in keys:
        torch.testing.assert_close(double[key], single[key], rtol=1e-3, atol=1e-4)


def test_another_number_of_processes_goes_on_from_their_checkpoint(folder: Path) -> None:
    overrides = [*OVERRIDES, "train.accumulation=2"]
    for run in ("fsdp", "single"):
        train(load_recipe(folder / "toy.toml", [*overrides, "train.max_steps=11"]), folder / run)
    one, two = (records(folder / run, "loss")[-3:] for run in ("single", "fsdp"))
    assert [r["step"] for r in two] == [9, 10, 11]
    assert [r["loss"] for r in two] == pytest.approx([r["loss"] for r in one], rel=1e-4)


def test_snapshots_of_shards_are_whole(folder: Path) -> None:
    files = sorted((folder / "shared/snapshots").iterdir())
    assert [file.name for file in files] == ["2.safetensors", "3.safetensors"]
    first, second = (safetensors.torch.load_file(file) for file in files)
    best = safetensors.torch.load_file(folder / "shared/best/model.safetensors")
    assert all(torch.allclose(best[name], (first[name] + second[name]) / 2) for name in best)
    assert first["embedding.weight"].shape == second["embedding.weight"].shape
    assert len(first["embedding.weight"]) > 200


def test_only_the_first_process_copies_the_whole_state(folder: Path) -> None:
    first, second = (json.loads((folder / f"copied.{rank}").read_text("utf-8")) for rank in (0, 1))
    whole = sum(
        weight.numel()
        for weight in safetensors.torch.load_file(folder / "single/last/model.safetensors").values()
    )
    saves, evaluations = [[whole, whole, 2 * whole]], [[whole]]
    assert all(sizes in [*saves, *evaluations, [whole, 0, 2 * whole]] for sizes in first)
    assert {len(sizes) for sizes in first} == {1, 3}
    assert len(first) == len(second)
    assert not any(map(any, second))


def test_an_error_of_the_first_process_ends_all(folder: Path) -> None:
    assert (folder / "error.0").read_text("utf-8") == "DataError no"
    assert (folder / "error.1").read_text("utf-8") == f"SystemExit {DataError.exit_code}"


def test_a_signal_to_any_process_stops_all_at_the_same_step(folder: Path) -> None:
    first, second = (json.loads((folder / f"stopped.{rank}").read_text("utf-8")) for rank in (0, 1))
    assert first == second
    state = json.loads((folder / "signal/last/state.json").read_text("utf-8"))
    assert state["totals"]["step"] == first[-1]
    assert records(folder / "signal", "event")[-1]["event"] == "stop"


def test_without_torchrun_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    world = launched_world()
    assert world == World()
    assert world.main
    assert world.total(3) == 3
    assert world.gathered("a") == ["a"]
    assert world.on_main(lambda: 5) == 5
    for name, value in (("RANK", "3"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    assert launched_world() == World(rank=3, size=4, local_rank=1)
    assert not launched_world().main


def test_tensors_that_are_not_sharded_stay_as_they_are() -> None:
    tensor = torch.ones(2)
    assert whole(tensor) is tensor
    assert local(tensor) is tensor
    assert torch.equal(like(tensor, torch.zeros(2)), tensor)
