"""What training by the clock and on large GPUs needs of the trainer, on a CPU."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toy_corpus import write_recipe

from mltranslate.errors import ConfigError
from mltranslate_train import objective
from mltranslate_train.config import TrainConfig, load_recipe
from mltranslate_train.data.batches import Batch
from mltranslate_train.data.pools import Pool, Side
from mltranslate_train.data.shards import Shard, ShardWriter
from mltranslate_train.loop import train
from mltranslate_train.loss import BLOCK, _to_gradient, block_rows, to_gradient_at_once
from mltranslate_train.model.build import make_config, make_model
from mltranslate_train.objectives import LAYERS, make_objective
from mltranslate_train.optim import learning_rate
from mltranslate_train.tokenizer import PAD
from mltranslate_train.totals import Totals

TIMED = TrainConfig(
    max_steps=10**9, warmup_steps=10, learning_rate=1.0, max_minutes=20, decay_minutes=5
)


def test_rate_falls_to_nothing_with_the_last_minute() -> None:
    assert learning_rate(500, TIMED, 15 * 60) == 1.0
    assert learning_rate(500, TIMED, 17.5 * 60) == pytest.approx(0.5)
    assert learning_rate(500, TIMED, 20 * 60) == learning_rate(500, TIMED, 21 * 60) == 0.0
    assert learning_rate(5, TIMED, 17.5 * 60) == pytest.approx(0.25)
    assert learning_rate(500, replace(TIMED, decay_minutes=0.0), 20 * 60) == 1.0


def test_a_run_ends_with_its_minutes_and_says_so() -> None:
    assert not Totals(step=9, seconds=1199.0).finished(TIMED)
    assert "max_minutes is 20" in Totals(step=9, seconds=1200.0).finished(TIMED)
    assert not Totals(step=9, seconds=1e9).finished(replace(TIMED, max_minutes=0.0))


def test_training_by_the_clock_ends_at_a_rate_of_almost_nothing_and_resumes(tmp_path: Path) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    sets = ["train.max_steps=1000000", "train.warmup_steps=0", "train.decay_minutes=0.01"]
    for minutes in (0.01, 0.02):
        train(load_recipe(path, [*sets, f"train.max_minutes={minutes}"]), run)
    lines = (run / "metrics.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["event"] for record in records if "event" in record] == [
        "start", "done", "resume", "done",
    ]  # fmt: skip
    rates = [record["learning_rate"] for record in records if "loss" in record]
    assert rates[-1] < 0.1 * max(rates)
    totals = json.loads((run / "last/state.json").read_text("utf-8"))["totals"]
    assert 1.2 <= totals["seconds"] < 20
    assert totals["step"] == records[-1]["step"]


def test_a_decay_longer_than_the_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="decay_minutes is 2"):
        load_recipe(write_recipe(tmp_path), ["train.max_minutes=1.0", "train.decay_minutes=2.0"])


@given(
    rows=st.integers(1, 20),
    padding=st.integers(0, 4),
    smoothing=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 100),
)
def test_loss_at_once_equals_the_loss_by_parts(
    rows: int, padding: int, smoothing: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows + padding, 37, generator=generator) * 3
    labels = torch.randint(0, 37, (rows,), generator=generator)
    wanted, slopes = _to_gradient(logits.clone(), labels, smoothing)
    total, gradient = to_gradient_at_once(logits, labels, smoothing)
    assert total.item() == pytest.approx(wanted.item(), rel=1e-4, abs=1e-4)
    torch.testing.assert_close(gradient, slopes, rtol=1e-4, atol=1e-6)
    rounded, coarse = to_gradient_at_once(logits.bfloat16(), labels, smoothing)
    assert rounded.item() == pytest.approx(wanted.item(), rel=0.02, abs=0.1)
    torch.testing.assert_close(coarse.float(), slopes, rtol=0.05, atol=0.02)


def test_loss_at_once_survives_a_hopeless_token() -> None:
    logits = torch.zeros(1, 5)
    logits[0, 0] = 1e4
    total, gradient = to_gradient_at_once(logits, torch.tensor([3]), 0.0)
    assert 80 < total.item() < 100
    assert gradient.isfinite().all()


@pytest.mark.parametrize("size", [100, 24_000, 2**19, 2**20])
def test_a_gpu_multiplies_many_rows_at_once_in_bounded_memory(size: int) -> None:
    rows = block_rows(torch.device("cuda"), size)
    assert rows % BLOCK == 0
    assert rows == BLOCK or rows * size <= 2**28
    assert block_rows(torch.device("cpu"), size) == BLOCK


def made(folder: Path, *sets: str) -> objective.Objective:
    recipe = load_recipe(write_recipe(folder), ["model.dropout=0.0", *sets])
    torch.manual_seed(1)
    model = make_model(make_config(recipe.model, 50))
    return make_objective(model, recipe.train, torch.bfloat16)


BATCH = Batch(
    torch.tensor([[5, 9, 10, 3], [5, 9, 3, PAD]]),
    torch.tensor([[5, 20, 21], [5, 22, PAD]]),
    torch.tensor([[20, 21, 3], [22, 3, PAD]]),
)


def test_without_autocast_the_loss_and_its_gradients_are_near_those_with_it(tmp_path: Path) -> None:
    found = []
    for autocast in ("true", "false"):
        learner = made(tmp_path, f"train.autocast={autocast}")
        loss = learner(*learner.inputs(BATCH))
        loss.backward()
        gradients = {name: weight.grad for name, weight in learner.named_parameters()}
        assert all(item is not None and item.dtype == torch.float32 for item in gradients.values())
        found.append((loss.item(), gradients))
    (one, first), (two, second) = found
    assert one == pytest.approx(two, rel=0.02)
    for name, gradient in first.items():
        other = second[name]
        assert gradient is not None
        assert other is not None
        # A bias of keys has no effect; what it has is rounding.
        if gradient.norm() > 1e-3:
            assert torch.cosine_similarity(gradient.flatten(), other.flatten(), dim=0) > 0.97, name


@pytest.mark.parametrize(
    ("sets", "why"),
    [
        (["train.parallel=fsdp"], "does not fit train.parallel"),
        (["train.alignment_weight=0.1", "model.alignment_heads=1"], "does not fit train.autocast"),
    ],
)
def test_no_autocast_is_refused_where_it_would_do_nothing(
    tmp_path: Path, sets: list[str], why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        load_recipe(write_recipe(tmp_path), ["train.autocast=false", *sets])


def test_a_transformer_is_compiled_layer_by_layer(tmp_path: Path) -> None:
    learner = made(tmp_path, "train.compile=true", "model.encoder_layers=3")
    compiled = [part for part in learner.modules() if part._compiled_call_impl is not None]
    assert len(compiled) == 4
    assert all(isinstance(part, LAYERS) for part in compiled)


def pool_of(lengths: list[tuple[int, int]], exact: bool) -> Pool:
    sides = []
    for own in zip(*lengths, strict=True):
        sizes = np.array(own)
        starts = sizes.cumsum() - sizes
        sides.append(Side(np.full(sizes.sum(), 7, np.uint16), starts, sizes))
    return Pool(*sides, np.full(len(lengths), 5), exact=exact)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=200))
def test_exact_batches_hold_every_example_and_no_more_padding_than_bucketed_ones(
    lengths: list[tuple[int, int]],
) -> None:
    widest = []
    for exact in (True, False):
        pool = pool_of(lengths, exact)
        batches = pool.batches(256, 64, np.random.default_rng(1))
        assert set(np.concatenate(batches).tolist()) == set(range(len(lengths)))
        for rows in batches:
            source, given, wanted = pool.padded(rows, 64)
            assert source.shape == given.shape == wanted.shape
            assert source.size <= max(256, 64)
            if exact:
                assert source.shape[1] == pool.longer[rows].max()
        widest.append(max(pool.padded(rows, 64)[0].shape[1] for rows in batches))
    assert widest[0] <= widest[1]


def test_many_pairs_at_once_make_the_shard_that_single_ones_make(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    pairs = [
        (origin, rng.integers(0, 99, rng.integers(1, 6)), rng.integers(0, 99, rng.integers(1, 6)))
        for origin in ("a", "b", "a")
        for _ in range(20)
    ]
    with ShardWriter(tmp_path / "single", ("en", "de")) as writer:
        for origin, first, second in pairs:
            writer.add(origin, first.tolist(), second.tolist())
    with ShardWriter(tmp_path / "many", ("en", "de")) as writer:
        for start in (0, 20, 40):
            part = pairs[start : start + 20]
            lengths = np.array([(len(first), len(second)) for _, first, second in part])
            ids = np.concatenate([side for _, *sides in part for side in sides])
            writer.extend(part[0][0], "both", lengths, ids.astype(np.uint16))
    one, two = Shard(tmp_path / "single"), Shard(tmp_path / "many")
    assert one.groups == two.groups
    assert np.array_equal(one.records, two.records)
    assert np.array_equal(one.tokens, two.tokens)
    assert one.largest_id == two.largest_id
