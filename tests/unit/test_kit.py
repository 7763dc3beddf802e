import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_corpus import write_recipe

from kit import weights
from kit.collect import SMALL, collect
from kit.pieces import PACKAGES, pack, unpack
from kit.speed import choose, step_flops
from kit.steps import schedule, seconds_done
from kit.thin import shares
from kit.train import DIVERGED, Piece, Plan, program
from mltranslate.errors import ConfigError, DataError, TrainingError
from mltranslate_export.checkpoint import load_run
from mltranslate_train.config import dump_recipe, load_recipe
from mltranslate_train.data.batches import Batch
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.shards import Shard, ShardWriter
from mltranslate_train.data.streams import open_streams, stages_of
from mltranslate_train.evaluate.report import evaluate_run
from mltranslate_train.model.build import make_any_model, make_config

MAIN = Path(__file__).resolve().parents[2] / "trainer" / "kit"


def prepared(folder: Path) -> Path:
    run = folder / "run"
    prepare(load_recipe(write_recipe(folder)), run)
    return run


def pairs_of(run: Path) -> Counter[tuple[str, str, tuple[int, ...], tuple[int, ...]]]:
    shard = Shard(run / "shards" / "aa-bb")
    return Counter(
        (group.origin, group.way, *(tuple(side.tolist()) for side in shard.pair(number)))
        for group in shard.groups
        for number in range(group.start, group.start + group.pairs)
    )


def test_pieces_together_have_every_pair_once_and_alone_a_share(tmp_path: Path) -> None:
    run, folder, store = prepared(tmp_path), tmp_path / "pieces", tmp_path / "store"
    files = pack(run, folder, 3)
    assert [file.relative_to(folder).as_posix() for file in files] == [
        f"{number}/piece-{number}.tar.xz" for number in (1, 2, 3)
    ]
    whole, seen = pairs_of(run), 0
    for number in (1, 2, 3):
        there = unpack([folder / str(number)], store, tmp_path / "there")
        assert there == [f"piece-{n}" for n in range(1, number + 1)]
        found = pairs_of(tmp_path / "there")
        assert found <= whole
        assert 0.2 < (found.total() - seen) / whole.total() < 0.5
        seen = found.total()
    assert found == whole
    for name in ("vocabulary.model", "recipe.toml", "data.json"):
        assert (tmp_path / "there" / name).read_bytes() == (run / name).read_bytes()


def test_origins_of_low_weight_are_thinned_out_and_come_as_often(tmp_path: Path) -> None:
    run, there = prepared(tmp_path), tmp_path / "there"
    rng = np.random.default_rng(1)
    with ShardWriter(run / "shards" / "aa-bb", ("aa", "bb")) as writer:
        for origin in ("high", "low[1]"):
            ids = rng.integers(10, 300, 20 * 1000).astype(np.uint16)
            writer.extend(origin, "both", np.full((1000, 2), 10), ids)
    recipe = load_recipe(run / "recipe.toml", ['data.weights={"low*" = 0.2}'])
    (run / "recipe.toml").write_text(dump_recipe(recipe), encoding="utf-8")
    pack(run, tmp_path / "pieces", 2, tokens=25_000)
    unpack([tmp_path / "pieces"], tmp_path / "store", there)
    groups = {group.origin: group.pairs for group in Shard(there / "shards" / "aa-bb").groups}
    assert groups["high"] == 1000
    assert 200 < groups["low[1]"] < 300
    packed = load_recipe(there / "recipe.toml")
    before, after = (
        stages_of(open_streams(own, place), own.data)[0].shares[1]
        for own, place in ((recipe, run), (packed, there))
    )
    assert after == pytest.approx(before, rel=0.15)
    with pytest.raises(ConfigError, match="curriculum"):
        shares(
            load_recipe(run / "recipe.toml", ["data.curriculum=[{from_step=2}]"]),
            [Shard(run / "shards" / "aa-bb")], 25_000,
        )  # fmt: skip


def test_damaged_or_missing_pieces_are_refused(tmp_path: Path) -> None:
    run, folder, store = prepared(tmp_path), tmp_path / "pieces", tmp_path / "store"
    with pytest.raises(DataError, match=r"has no recipe\.toml"):
        pack(tmp_path, folder, 2)
    first, _ = pack(run, folder, 2)
    with pytest.raises(DataError, match="the first piece has not come"):
        unpack([folder / "2"], store, tmp_path / "there")
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)
    with pytest.raises(DataError, match=r"piece-1.tar.xz is damaged"):
        unpack([folder / "1"], store, tmp_path / "there")


def test_packages_can_be_imported_from_their_zip(tmp_path: Path) -> None:
    pack(prepared(tmp_path), tmp_path, 1)
    archive = str(tmp_path / "1" / PACKAGES)
    code = (
        f"import sys; sys.path.insert(0, {archive!r}); import tomlkit, rich.progress; "
        f"assert tomlkit.__file__.startswith({archive!r}); print(tomlkit.dumps({{'a': 1}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "a = 1"


@settings(max_examples=50)
@given(
    st.lists(st.floats(width=32, allow_nan=False), max_size=40),
    st.integers(0, 3),
)
def test_weights_come_back_as_torch_rounds_them(values: list[float], rows: int) -> None:
    tensors = {"a.b": np.array(values, np.float32), "c": np.ones((rows, 2), np.float32)}
    found, about = weights.unpacked(weights.packed(tensors, {"step": 3}))
    assert about == {"step": 3}
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        wanted = torch.from_numpy(array).bfloat16()
        assert found[name].shape == array.shape
        got = torch.from_numpy(weights.from_bfloat16(found[name]))
        assert torch.equal(got, wanted.float())


def test_weights_take_less_than_bf16_and_travel_in_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "FILE_BYTES", 10_000)
    values = np.random.default_rng(1).normal(0, 0.04, (100, 200)).astype(np.float32)
    content = weights.packed({"w": values}, {})
    assert len(content) < 0.72 * values.size * 2
    (tmp_path / "weights-9.bin").write_bytes(b"older")
    files = weights.write_files(content, tmp_path)
    assert [file.name for file in files] == ["weights-1.bin", "weights-2.bin", "weights-3.bin"]
    assert not (tmp_path / "weights-9.bin").exists()
    found, _ = weights.read_files(tmp_path)
    assert np.array_equal(found["w"], weights.to_bfloat16(values))
    files[1].unlink()
    with pytest.raises(DataError, match="not all of their files"):
        weights.read_files(tmp_path)


def test_operations_are_counted_for_real_tokens_only(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    model = make_any_model(make_config(recipe.model, 310))
    source = torch.tensor([[5, 9, 10, 3], [5, 9, 3, 0]])
    target = torch.tensor([[20, 21, 3, 0], [22, 3, 0, 0]])
    d, ffn = 32, 64
    layer = 4 * d * d + 4 * d + 2 * d * ffn + ffn + d + 4 * d
    encoder = layer + 2 * d
    memory, decoder = 2 * (d * d + d), layer + 2 * (d * d + d) + 2 * d + 2 * d
    pairs = 16 + 9 + (9 + 4) / 2 + (4 * 3 + 3 * 2)
    wanted = 6 * ((encoder + memory) * 7 + (decoder + 310 * d) * 5) + 12 * d * pairs
    found = step_flops(model, Batch(source, target, target))
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("eager", "compiled", "verdict", "word"),
    [
        ((100.0, 5.0), (104.0, 5.01), True, "1.04 times"),
        ((100.0, 5.0), (101.0, 5.01), False, "1.01 times"),
        ((100.0, 5.0), (200.0, 5.2), False, "losses are 4.0% apart"),
        ((100.0, 5.0), None, False, "failed"),
        (None, (100.0, 5.0), True, "eager steps failed"),
    ],
)
def test_compiled_is_chosen_where_it_is_faster_and_learns_the_same(
    eager: tuple[float, float] | None, compiled: tuple[float, float] | None,
    verdict: bool, word: str,
) -> None:  # fmt: skip
    names = ("target_tokens_per_second", "loss")
    found = [dict(zip(names, item, strict=True)) if item else None for item in (eager, compiled)]
    chosen, reason = choose(*found)
    assert chosen is verdict
    assert word in reason


def plan_of(folder: Path, number: int, **changes: object) -> Plan:
    values: dict[str, object] = {
        "folders": (folder / "pieces" / str(number),), "store": folder / "store",
        "out": folder / f"out{number}", "minutes": 5.0, "left": 3 - number, "reserve": 10.0,
        "decay": 0.25, "sets": ("train.compile=false",),
    }  # fmt: skip
    return Plan(**(values | changes))  # type: ignore[arg-type]


def test_three_pieces_in_a_row_train_one_run_that_is_evaluated_and_exported(
    tmp_path: Path,
) -> None:
    run = prepared(tmp_path)
    pack(run, tmp_path / "pieces", 3)
    for number in (1, 2, 3):
        # Steps, not minutes: a slow machine does the same work.
        sets = ("train.compile=false", f"train.max_steps={40 * number}")
        piece = Piece(plan_of(tmp_path, number, sets=sets), program(MAIN))
        assert piece.work() == 0
        told = json.loads((tmp_path / f"out{number}" / "piece.json").read_text("utf-8"))
        assert told["pieces"] == [f"piece-{n}" for n in range(1, number + 1)]
        assert told["totals"]["step"] == 40 * number
        assert told["failures"] == []
        assert told["choice"]["reason"] == "eager: train.compile=false was asked for"
        assert told["choice"]["eager"]["mfu"] > 0
        assert told["speed"]["target_tokens_per_second"] > 0
    assert collect(tmp_path / "out3", run).startswith("step 120, ")
    events = [
        (record["event"], record["step"])
        for record in map(json.loads, (run / "metrics.jsonl").read_text("utf-8").splitlines())
        if "event" in record
    ]
    assert events == [
        ("start", 0), ("done", 40), ("resume", 40), ("done", 80), ("resume", 80), ("done", 120),
    ]  # fmt: skip
    best = safetensors.torch.load_file(run / "best" / "model.safetensors")
    average = safetensors.torch.load_file(tmp_path / "store/run/last/average.safetensors")
    assert all(torch.equal(best[name], average[name].bfloat16().float()) for name in average)
    small = safetensors.torch.load_file(run / SMALL)
    assert all(torch.equal(small[name].float(), best[name]) for name in best)
    (tmp_path / "dev.aa").write_text("sun moon\n", encoding="utf-8")
    (tmp_path / "dev.bb").write_text("nus noom\n", encoding="utf-8")
    prefix = f"dev={tmp_path.as_posix()}/dev."
    assert "| dev | aa-bb | 1 |" in evaluate_run(run, [prefix], lines=1, beam=1)
    assert load_run(run).about["step"] == 120


def test_a_piece_that_is_told_to_stop_at_once_has_no_weights_and_says_so(tmp_path: Path) -> None:
    pack(prepared(tmp_path), tmp_path / "pieces", 3)
    piece = Piece(plan_of(tmp_path, 1, minutes=0.0, reserve=0.0), program(MAIN))
    assert piece.work() == 1
    told = json.loads((tmp_path / "out1" / "piece.json").read_text("utf-8"))
    assert told["totals"] == {}
    assert told["failures"]


def test_time_is_planned_over_all_pieces(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, 1, minutes=10.0, reserve=30.0)
    options = Piece(plan, ["none"])._times()
    told = dict(zip(options[::2], map(float, options[1::2]), strict=True))
    assert told["--until"] - plan.started == pytest.approx(570, abs=0.01)
    assert told["--later"] == 2 * 540
    assert seconds_done(tmp_path) == 0.0
    first = schedule(0.0, 540.0, told["--later"], 0.25)
    assert first == ["train.max_minutes=27.0000", "train.decay_minutes=6.7500"]
    # A call that had less than was planned moves the end, and the decay with it.
    assert schedule(1000.0, 500.0, 0.0, 0.25)[0] == "train.max_minutes=25.0000"


FAKE = """
import json, pathlib, re, sys
CODES = [8, 20, 0]  # a full disk, a divergence
command, run, *rest = sys.argv[1:]
if command == "speed":
    found = {"target_tokens_per_second": 200.0 if "compiled" in rest[0] else 100.0, "loss": 5.0}
    pathlib.Path(rest[0]).write_text(json.dumps(found))
else:
    starts = pathlib.Path(run) / "starts"
    with starts.open("a") as file:
        file.write(" ".join(rest) + "\\n")
    recipe = pathlib.Path(run) / "recipe.toml"  # a run takes over what it is trained with
    for rate in re.findall(r"train\\.learning_rate=(\\S+)", " ".join(rest)):
        text = re.sub(r"(?m)^learning_rate = .*", f"learning_rate = {rate}", recipe.read_text())
        recipe.write_text(text)
    sys.exit(CODES[len(starts.read_text().splitlines()) - 1])
"""


def test_a_trainer_that_fails_is_started_again_more_carefully(tmp_path: Path) -> None:
    pack(prepared(tmp_path), tmp_path / "pieces", 3)
    (tmp_path / "fake.py").write_text(FAKE, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "fake.py")]
    assert Piece(plan_of(tmp_path, 1, sets=()), command).work() == 1  # it never saved anything
    starts = (tmp_path / "store/run/starts").read_text("utf-8").splitlines()
    assert ["train.compile=true" in start for start in starts] == [True, False, False]
    assert ["train.learning_rate=0.0025" in start for start in starts] == [False, False, True]
    told = json.loads((tmp_path / "out1/piece.json").read_text("utf-8"))
    assert [item.partition(" after")[0] for item in told["failures"]] == [
        "the trainer ended with exit code 8", "the trainer ended with exit code 20",
    ]  # fmt: skip
    kept = json.loads((tmp_path / "store/choice.json").read_text("utf-8"))
    assert (kept["compile"], kept["slower"]) == (False, 0.5)


def test_a_rate_is_halved_once_each_time_that_training_diverges(tmp_path: Path) -> None:
    pack(prepared(tmp_path), tmp_path / "pieces", 3)
    fake = FAKE.replace("CODES = [8, 20, 0]", "CODES = [20, 20, 0]")
    (tmp_path / "fake.py").write_text(fake, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "fake.py")]
    assert Piece(plan_of(tmp_path, 1, sets=()), command).work() == 1
    starts = (tmp_path / "store/run/starts").read_text("utf-8")
    assert re.findall(r"train\.learning_rate=(\S+)", starts) == ["0.0025", "0.00125"]


def test_a_divergence_is_told_from_other_failures(tmp_path: Path) -> None:
    run = prepared(tmp_path)
    command = [*program(MAIN), "steps", str(run), "--until", str(time.monotonic() + 300)]
    command += ["--later", "0", "--decay", "0.25", "--set", "train.learning_rate=1e30"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "training diverged" in done.stdout
    assert done.returncode == DIVERGED != TrainingError.exit_code


STOPPING = """
import os, signal, sys, time
if sys.argv[1] == "speed":
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(100)
"""


def test_the_self_check_stops_at_once_when_told_to(tmp_path: Path) -> None:
    pack(prepared(tmp_path), tmp_path / "pieces", 3)
    (tmp_path / "fake.py").write_text(STOPPING, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "fake.py")]
    started = time.monotonic()
    assert Piece(plan_of(tmp_path, 1, sets=()), command).work() == 1
    assert time.monotonic() - started < 50
    told = json.loads((tmp_path / "out1/piece.json").read_text("utf-8"))
    assert told["failures"] == ["self-check, eager: told to stop"]
    assert not (tmp_path / "store/choice.json").exists()
