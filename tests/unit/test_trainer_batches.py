import dataclasses
from collections import Counter
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given as for_all
from hypothesis import strategies as st
from toy_corpus import write_recipe

from mltranslate.errors import DataError
from mltranslate_train.config import DataConfig, Recipe, StageConfig, load_recipe
from mltranslate_train.data import batches
from mltranslate_train.data.batches import Batch, Sampler, SamplerState
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.readers import weight_of
from mltranslate_train.data.shards import Shard, ShardWriter, Way
from mltranslate_train.data.streams import Direction, Stage, Stream, stages_of, streams_of
from mltranslate_train.data.weights import is_used, weighted_stages
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
    tags = {stream.direction.tag for stream in sampler.streams}
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


def make_shard(folder: Path, origins: list[str], way: Way = "both") -> Shard:
    with ShardWriter(folder, ("aa", "bb")) as writer:
        for number, origin in enumerate(origins):
            writer.add(origin, [number], [number, number], way)
    return Shard(folder)


def streams(shard: Shard, source: str = "aa", target: str = "bb") -> list[Stream]:
    return streams_of(Direction(source, target, shard, tag=5), seed=1)


def weighted(data: DataConfig, **weights: float) -> DataConfig:
    return replace(data, weights=weights)


def test_every_pass_takes_each_example_once(tmp_path: Path) -> None:
    (stream,) = streams(make_shard(tmp_path, ["x"] * 50))
    taken = stream.take(0, 150)
    for start in (0, 50, 100):
        assert sorted(taken[start : start + 50]) == list(range(50))
    assert not np.array_equal(taken[:50], taken[50:100])
    # Taken in pieces, the stream is the same.
    pieces = [stream.take(start, 15) for start in range(0, 150, 15)]
    assert np.array_equal(np.concatenate(pieces), taken)


def test_streams_of_one_shard_have_orders_of_their_own(tmp_path: Path) -> None:
    shard = make_shard(tmp_path, ["x"] * 50 + ["y"] * 50)
    found = [streams(shard), streams(shard, "bb", "aa")]
    orders = [stream.take(0, 50) - stream.group.start for way in found for stream in way]
    assert len({tuple(order) for order in orders}) == 4
    assert len({stream.name for way in found for stream in way}) == 4


def drawn_by_origin(shard: Shard, data: DataConfig, pools: int) -> Counter[str]:
    found = streams(shard)
    (stage,) = stages_of(found, data)
    chances = np.random.default_rng(1).random(pools)
    seen: Counter[str] = Counter()
    for chance in chances:
        counts = stage.counts(100, chance)
        seen.update({s.group.origin: count for s, count in zip(found, counts, strict=True)})
    return seen


def test_weights_repeat_and_thin_out_origins(tmp_path: Path, prepared: tuple[Recipe, Path]) -> None:
    shard = make_shard(tmp_path, ["often"] * 100 + ["never"] * 100 + ["half"] * 100)
    data = weighted(prepared[0].data, often=2.0, never=0.0, half=0.5)
    seen = drawn_by_origin(shard, data, 50)
    assert seen == {"often": 4000, "never": 0, "half": 1000}


def test_over_epochs_every_example_comes_as_often_as_its_weight_says(
    tmp_path: Path, prepared: tuple[Recipe, Path]
) -> None:
    shard = make_shard(tmp_path, ["rare"] * 40 + ["often"] * 40)
    data = weighted(prepared[0].data, rare=0.4, often=1.2)
    # Five epochs hold 2 * 40 + 6 * 40 examples; every one comes before any comes once more.
    assert drawn_by_origin(shard, data, 16) == {"rare": 400, "often": 1200}
    for stream, times in zip(streams(shard), (10, 30), strict=True):
        counts = Counter(stream.take(0, 40 * times).tolist())
        assert set(counts.values()) == {times}
        assert len(counts) == 40


@for_all(
    st.lists(st.floats(0, 10), min_size=1, max_size=9).filter(lambda shares: sum(shares) > 1e-3),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 10_000),
)
def test_counts_are_the_shares_rounded(shares: list[float], chance: float, total: int) -> None:
    wanted = np.array(shares) / sum(shares)
    counts = Stage(0, wanted).counts(total, chance)
    assert sum(counts) == total
    assert all(
        abs(count - share * total) < 1.001 for count, share in zip(counts, wanted, strict=True)
    )
    assert all(not count for count, share in zip(counts, shares, strict=True) if not share)


def test_small_shares_come_as_often_as_they_should() -> None:
    stage = Stage(0, np.array([0.003, 0.997]))
    chances = np.random.default_rng(1).random(2000)
    assert 500 < sum(stage.counts(100, chance)[0] for chance in chances) < 700


def test_direction_without_any_example_is_refused(
    tmp_path: Path, prepared: tuple[Recipe, Path]
) -> None:
    found = streams(make_shard(tmp_path, ["x"] * 3))
    with pytest.raises(DataError, match=r"no example is left for aa-bb\."):
        stages_of(found, weighted(prepared[0].data, x=0.0))
    later = replace(prepared[0].data, curriculum=(StageConfig(from_step=7, weights={"x": 0.0}),))
    with pytest.raises(DataError, match=r"no example is left for aa-bb from step 7 on"):
        stages_of(found, later)


def test_one_way_examples_serve_their_direction_only(tmp_path: Path) -> None:
    shard = make_shard(tmp_path / "one", ["x"] * 3, way="backward")
    assert [stream.group.pairs for stream in streams(shard, "bb", "aa")] == [3]
    with pytest.raises(DataError, match="has no example for aa-bb"):
        streams(shard)


def rows_of(batch: Batch) -> list[tuple[list[int], list[int]]]:
    """Pieces of the two sides of each row."""
    return [
        ([piece for piece in source[1:] if piece not in (PAD, END)],
         [piece for piece in target if piece not in (PAD, END)])
        for source, target in zip(batch.source.tolist(), batch.target_out.tolist(), strict=True)
    ]  # fmt: skip


def test_swapped_direction_reads_the_other_side(prepared: tuple[Recipe, Path]) -> None:
    recipe, run = prepared
    shard = Shard(run / "shards/aa-bb")
    pairs = [[side.tolist() for side in shard.pair(number)] for number in range(len(shard))]
    for direction, turn in (("aa-bb", 1), ("bb-aa", -1)):
        one = replace(recipe, data=replace(recipe.data, directions=(direction,)))
        for batch in take(Sampler(one, run), 3):
            assert all(list(row)[::turn] in pairs for row in rows_of(batch))


def test_temperature_flattens_the_shares(tmp_path: Path, prepared: tuple[Recipe, Path]) -> None:
    found = streams(make_shard(tmp_path / "one", ["x"] * 30 + ["y"] * 60))
    found += streams_of(Direction("aa", "cc", make_shard(tmp_path / "two", ["x"] * 10), 5), 1)
    for temperature, wanted in ((1.0, [0.3, 0.6, 0.1]), (2.0, [0.25, 0.5, 0.25])):
        (stage,) = stages_of(found, replace(prepared[0].data, temperature=temperature))
        assert stage.shares.tolist() == pytest.approx(wanted)


def test_weights_of_directions_multiply_their_shares(
    tmp_path: Path, prepared: tuple[Recipe, Path]
) -> None:
    shard = make_shard(tmp_path, ["x"] * 9)
    found = [*streams(shard), *streams(shard, "bb", "aa")]
    for weights, wanted in (({"*-bb": 3.0}, [0.75, 0.25]), ({"*": 3.0, "aa-*": 1.0}, [0.25, 0.75])):
        data = replace(prepared[0].data, temperature=2.0, direction_weights=weights)
        assert stages_of(found, data)[0].shares.tolist() == pytest.approx(wanted)


STAGES = (
    StageConfig(from_step=4, weights={"*": 0.0, "clean": 1.0}),
    StageConfig(from_step=9, weights={"clean": 0.0}),
)


@pytest.fixture
def staged(tmp_path: Path, prepared: tuple[Recipe, Path]) -> tuple[Recipe, Path]:
    """A run with pieces 40 … 59 from "clean" and 20 … 39 from "web", in three stages."""
    recipe, run = prepared
    (tmp_path / "vocabulary.model").write_bytes((run / "vocabulary.model").read_bytes())
    with ShardWriter(tmp_path / "shards/aa-bb", ("aa", "bb")) as writer:
        for number in range(20, 60):
            writer.add("clean" if number >= 40 else "web", [number], [number])
    recipe = replace(
        recipe,
        data=replace(recipe.data, curriculum=STAGES),
        train=replace(recipe.train, accumulation=2, batch_tokens=40),
    )
    return recipe, tmp_path


def origins_of(batch: Batch) -> set[str]:
    return {"clean" if source[0] >= 40 else "web" for source, _ in rows_of(batch)}


def test_curriculum_changes_exactly_at_its_steps(staged: tuple[Recipe, Path]) -> None:
    batches_a_step = 2
    found = take(Sampler(*staged), 12 * batches_a_step)
    seen = [
        set().union(*map(origins_of, found[start : start + batches_a_step]))
        for start in range(0, len(found), batches_a_step)
    ]
    assert seen == [{"clean", "web"}] * 3 + [{"clean"}] * 5 + [{"web"}] * 4
    assert [batch.state.step for batch in found[1::2]] == list(range(1, 13))
    assert found[-1].state.given == 0


def test_resume_across_stages_is_exact(staged: tuple[Recipe, Path]) -> None:
    whole = take(Sampler(*staged), 24)
    for cut in range(1, 24):
        state = SamplerState(**asdict(whole[cut - 1].state))
        rest = take(Sampler(*staged, state), min(4, 24 - cut))
        assert all(map(equal, whole[cut:], rest))
        assert rest[-1].state == whole[cut + len(rest) - 1].state


def test_stage_patterns_win_over_those_of_the_recipe(prepared: tuple[Recipe, Path]) -> None:
    data = replace(
        prepared[0].data, weights={"n*": 1.0, "news": 3.0},
        curriculum=(StageConfig(from_step=5, weights={"n*": 0.5}),),
    )  # fmt: skip
    before, after = weighted_stages(data)
    assert weight_of("news", before.weights) == 3.0
    assert (after.from_step, weight_of("news", after.weights)) == (5, 0.5)
    data = replace(
        data, weights={"a": 0.0}, curriculum=(StageConfig(from_step=5, weights={"a": 1.0}),)
    )
    assert is_used("a", data)
    assert not is_used("a", replace(data, curriculum=()))


def test_stage_trains_its_directions_only(tmp_path: Path, prepared: tuple[Recipe, Path]) -> None:
    shard = make_shard(tmp_path, ["x"] * 6)
    found = [*streams(shard), *streams(shard, "bb", "aa")]
    one_way = StageConfig(from_step=3, directions=("bb-aa",))
    first, second = stages_of(found, replace(prepared[0].data, curriculum=(one_way,)))
    assert first.shares.tolist() == [0.5, 0.5]
    assert (second.from_step, second.shares.tolist()) == (3, [0.0, 1.0])


def test_stage_needs_no_examples_of_directions_that_it_leaves_out(
    tmp_path: Path, prepared: tuple[Recipe, Path]
) -> None:
    there, back = make_shard(tmp_path / "1", ["x"] * 2), make_shard(tmp_path / "2", ["y"] * 2)
    found = [*streams(there), *streams(back, "bb", "aa")]
    only_y = StageConfig(from_step=3, weights={"x": 0.0}, directions=("bb-aa",))
    data = replace(prepared[0].data, temperature=2.0, curriculum=(only_y,))
    assert stages_of(found, data)[1].shares.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("world", [2, 3])
def test_processes_together_see_what_one_sees(staged: tuple[Recipe, Path], world: int) -> None:
    recipe, run = staged
    alone = replace(recipe, train=replace(recipe.train, accumulation=2 * world))
    whole = take(Sampler(alone, run), 12 * world)
    parts = [take(Sampler(recipe, run, rank=rank, world=world), 12) for rank in range(world)]
    for number in range(12):
        turn = [part[number] for part in parts]
        assert all(map(equal, turn, whole[number * world :]))
        assert {batch.state.step for batch in turn} == {(number + 1) // 2}
        assert all(batch.state == whole[(number + 1) * world - 1].state for batch in turn)
    # Every process continues from the same state.
    state = parts[0][4].state
    rest = [take(Sampler(recipe, run, state, rank=r, world=world), 1)[0] for r in range(world)]
    assert all(equal(rest[rank], parts[rank][5]) for rank in range(world))


def test_pools_that_become_smaller_between_runs_are_left(prepared: tuple[Recipe, Path]) -> None:
    recipe, run = prepared
    (batch,) = take(Sampler(recipe, run, SamplerState(batch=10_000)), 1)
    assert (batch.state.pool, batch.state.batch) == (1, 1)


def test_large_batches_get_pools_in_proportion(prepared: tuple[Recipe, Path]) -> None:
    recipe, run = prepared
    assert [batches.pool_size(tokens) // 128 for tokens in (100, 4096, 32768)] == [1, 1, 8]
    large = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, batch_tokens=8192))
    rows = 0
    for batch in Sampler(large, run):
        rows += len(batch.source)
        if batch.state.pool:
            break
    assert rows >= 2 * 128
