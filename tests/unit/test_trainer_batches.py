from collections import Counter
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_corpus import write_recipe

from mltranslate.errors import DataError
from mltranslate_train.config import Recipe, load_recipe
from mltranslate_train.data import batches
from mltranslate_train.data.batches import Batch, Direction, Sampler, SamplerState
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.shards import Shard, ShardWriter
from mltranslate_train.tokenizer import END, PAD


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    folder = tmp_path_factory.mktemp("batches")
    recipe = load_recipe(write_recipe(folder))
    prepare(recipe, folder / "run")
    return recipe, folder / "run"


@pytest.fixture(autouse=True)
def _small_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_POOL", 128)


def take(sampler: Sampler, count: int) -> list[Batch]:
    return list(islice(sampler, count))


def equal(one: Batch, two: Batch) -> bool:
    return all(
        torch.equal(getattr(one, name), getattr(two, name))
        for name in ("source", "target_in", "target_out")
    )


def test_rows_hold_tag_pieces_and_end_mark(prepared: tuple[Recipe, Path]) -> None:
    sampler = Sampler(*prepared)
    tags = {direction.tag for direction in sampler.directions}
    for batch in take(sampler, 5):
        assert set(batch.source[:, 0].tolist()) <= tags
        assert torch.equal(batch.source[:, 0], batch.target_in[:, 0])
        for source, given, wanted in zip(
            batch.source.tolist(), batch.target_in.tolist(), batch.target_out.tolist(), strict=True
        ):
            assert source.count(END) == wanted.count(END) == 1
            assert END not in given
            length = wanted.index(END)
            assert given[1 : length + 1] == wanted[:length]
            assert set(wanted[length + 1 :]) <= {PAD}


def test_continuing_from_a_state_gives_the_very_next_batches(prepared: tuple[Recipe, Path]) -> None:
    whole = take(Sampler(*prepared), 30)
    for cut in (1, 7, 19):
        sampler = Sampler(*prepared)
        take(sampler, cut)
        state = SamplerState(**asdict(sampler.state))
        rest = take(Sampler(*prepared, state), 30 - cut)
        assert all(map(equal, whole[cut:], rest))


def test_seed_changes_the_order(prepared: tuple[Recipe, Path]) -> None:
    recipe, run = prepared
    other = replace(recipe, train=replace(recipe.train, seed=2))
    pairs = zip(take(Sampler(recipe, run), 5), take(Sampler(other, run), 5), strict=True)
    assert not all(equal(one, two) for one, two in pairs)


def test_batches_stay_within_the_budget_and_have_few_shapes(prepared: tuple[Recipe, Path]) -> None:
    recipe, run = prepared
    found = take(Sampler(recipe, run), 60)
    assert all(batch.source.numel() <= recipe.train.batch_tokens for batch in found)
    shapes = {tuple(batch.source.shape) for batch in found}
    widths = {width for _, width in shapes}
    assert len(shapes) == len(widths) < 10
    assert all(width % 4 == 0 for width in widths)


def test_no_bucket_is_longer_than_the_model(prepared: tuple[Recipe, Path]) -> None:
    recipe, run = prepared
    longest = max(batch.source.shape[1] for batch in take(Sampler(recipe, run), 60))
    # A limit between two buckets: the longest batch is padded to it and no further.
    limit = longest - 1
    shorter = replace(recipe, model=replace(recipe.model, max_length=limit))
    found = take(Sampler(shorter, run), 60)
    assert max(batch.source.shape[1] for batch in found) == limit
    assert max(batch.target_in.shape[1] for batch in found) == limit
    assert all((batch.source == END).sum() == len(batch.source) for batch in found)


def make_shard(folder: Path, origins: list[str]) -> Shard:
    with ShardWriter(folder, ("aa", "bb")) as writer:
        for number, origin in enumerate(origins):
            writer.add(origin, [number], [number, number])
    return Shard(folder)


def test_every_epoch_takes_each_example_once(tmp_path: Path, prepared: tuple[Recipe, Path]) -> None:
    shard = make_shard(tmp_path, ["x"] * 50)
    direction = Direction("bb", "aa", shard, prepared[0].data, tag=5)
    stream = direction.take(0, 150)
    for start in (0, 50, 100):
        assert sorted(stream[start : start + 50]) == list(range(50))
    assert not np.array_equal(stream[:50], stream[50:100])
    # Taken in pieces, the stream is the same.
    pieces = [direction.take(start, 15) for start in range(0, 150, 15)]
    assert np.array_equal(np.concatenate(pieces), stream)


def test_weights_repeat_and_thin_out_origins(tmp_path: Path, prepared: tuple[Recipe, Path]) -> None:
    shard = make_shard(tmp_path, ["often"] * 100 + ["never"] * 100 + ["half"] * 100)
    data = replace(prepared[0].data, weights={"often": 2.0, "never": 0.0, "half": 0.5})
    direction = Direction("aa", "bb", shard, data, tag=5)
    seen = Counter(shard.origins[shard.records[i]["origin"]] for i in direction.take(0, 250))
    assert seen["never"] == 0
    assert 180 < seen["often"] <= 200
    assert 25 < seen["half"] < 75


def test_direction_without_any_example_is_refused(
    tmp_path: Path, prepared: tuple[Recipe, Path]
) -> None:
    data = replace(prepared[0].data, weights={"x": 0.0})
    with pytest.raises(DataError, match="no example is left for aa-bb"):
        Direction("aa", "bb", make_shard(tmp_path, ["x"] * 3), data, tag=5)


def test_over_epochs_every_example_comes_as_often_as_its_weight_says(
    tmp_path: Path, prepared: tuple[Recipe, Path]
) -> None:
    shard = make_shard(tmp_path, ["rare"] * 40 + ["often"] * 40)
    data = replace(prepared[0].data, weights={"rare": 0.4, "often": 1.2})
    direction = Direction("aa", "bb", shard, data, tag=5)
    # Five epochs hold 2 * 40 + 6 * 40 examples, however the fractions fall.
    seen = Counter(direction.take(0, 320).tolist())
    assert [seen[number] for number in range(80)] == [2] * 40 + [6] * 40
    pieces = [direction.take(start, 32) for start in range(0, 320, 32)]
    fresh = Direction("aa", "bb", shard, data, tag=5)
    assert np.array_equal(np.concatenate(pieces[5:]), fresh.take(160, 160))


def test_swapped_direction_reads_the_other_side(
    tmp_path: Path, prepared: tuple[Recipe, Path]
) -> None:
    shard = make_shard(tmp_path, ["x"] * 3)
    direction = Direction("bb", "aa", shard, prepared[0].data, tag=5)
    source, target = direction.example(2)
    assert source.tolist() == [2, 2]
    assert target.tolist() == [2]
    lengths = direction.lengths(np.array([2]))
    assert [int(side[0]) for side in lengths] == [4, 2]


def test_temperature_flattens_the_shares(prepared: tuple[Recipe, Path]) -> None:
    recipe, run = prepared
    sampler = Sampler(recipe, run)
    assert sampler.shares.tolist() == pytest.approx([0.5, 0.5])
    assert sum(sampler.shares) == pytest.approx(1.0)
