import json
import mmap
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_corpus import write_recipe

from mltranslate.errors import DataError
from mltranslate_train.config import load_recipe
from mltranslate_train.data import mapped, shards
from mltranslate_train.data.batches import Sampler
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.shards import Shard, ShardWriter, Way

IDS = st.lists(st.integers(0, 65535), min_size=1, max_size=9)
ROWS = st.lists(
    st.tuples(st.sampled_from("xyz"), IDS, IDS, st.sampled_from(["both", "forward", "backward"])),
    min_size=1, max_size=30,
)  # fmt: skip


def write(folder: Path) -> Path:
    with ShardWriter(folder, ("aa", "bb")) as writer:
        for number in range(10):
            writer.add("xy"[number % 2], [number] * 3, [number, 9])
    return folder


def test_nothing_can_be_fetched_from_the_end_of_whole_pages(tmp_path: Path) -> None:
    path = tmp_path / "pages.u16"
    path.write_bytes(bytes(2 * mmap.PAGESIZE))
    end = np.array([mmap.PAGESIZE])
    mapped.Mapped(path, np.dtype("<u2")).fetch(end, end)


@given(ROWS)
def test_shard_gives_back_what_was_written_by_origin_and_way(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, list[int], list[int], Way]],
) -> None:
    folder = tmp_path_factory.mktemp("shard")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "_FLUSH", 4)
        patch.setattr(shards, "_CHUNK", 5)
        with ShardWriter(folder, ("aa", "bb")) as writer:
            for row in rows:
                writer.add(*row)
    shard = Shard(folder)
    assert len(shard) == len(rows)
    assert shard.largest_id == max(max(first + second) for _, first, second, _ in rows)
    for group in shard.groups:
        wanted = [row[1:3] for row in rows if (row[0], row[3]) == (group.origin, group.way)]
        numbers = range(group.start, group.start + group.pairs)
        assert [tuple(side.tolist() for side in shard.pair(i)) for i in numbers] == wanted
    assert not (folder / "pairs.unsorted").exists()


def test_pairs_read_together_are_those_read_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ShardWriter(tmp_path, ("aa", "bb")) as writer:
        for number in range(20_000):
            writer.add("x", [number] * (number % 5 + 1), [number + 1] * (number % 3 + 1))
    shard = Shard(tmp_path)
    for gap in (1, 1000, 1 << 16):
        monkeypatch.setattr(mapped, "_GAP", gap)
        numbers = np.sort(np.random.default_rng(gap).integers(0, 20_000, 50))
        tokens, first, second = shard.read(numbers)
        pairs = [np.concatenate(shard.pair(int(number))) for number in numbers]
        assert np.array_equal(tokens, np.concatenate(pairs))
        assert np.array_equal(first, numbers % 5 + 1)
        assert np.array_equal(second, numbers % 3 + 1)


def cut(name: str, size: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:size])

    return damage


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def change(**values: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        about = json.loads((folder / "shard.json").read_text("utf-8"))
        (folder / "shard.json").write_text(json.dumps(about | values), "utf-8")

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut("tokens.u16", -2), "truncated: 49 of 50 tokens"),
        (cut("tokens.u16", -1), "cannot be read"),
        (cut("tokens.u16", 0), "cannot be read"),
        (cut("pairs.npy", -14), "cannot be read"),
        (cut("pairs.npy", 20), "cannot be read"),
        (cut("shard.json", -5), "cannot be read: shard.json"),
        (remove("tokens.u16"), "cannot be read: .*tokens.u16"),
        (remove("pairs.npy"), "cannot be read: .*pairs.npy"),
        (remove("shard.json"), "shard.json is missing: it was not finished"),
        (change(pairs=9), "damaged: 10 of 9 pairs"),
        (change(tokens=51), "truncated: 50 of 51 tokens"),
        (change(groups=[]), "records are of another format"),
        (change(groups=[{}]), "cannot be read: shard.json"),
        (change(format=1), "has format 1, and this version reads 2"),
        (lambda folder: (folder / "shard.json").write_text("[]", "utf-8"), "cannot be read"),
        (lambda folder: (folder / "shard.json").write_text('{"format":2}', "utf-8"), "has no "),
        (lambda folder: np.save(folder / "pairs.npy", np.zeros(10)), "of another format"),
    ],
)
def test_damaged_shard_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    folder = write(tmp_path / "shard")
    Shard(folder)
    damage(folder)
    with pytest.raises(DataError, match=rf"(?s)shard .*{message}.*Remove data\.json"):
        Shard(folder)


def test_writer_that_fails_leaves_no_shard_that_looks_finished(tmp_path: Path) -> None:
    write(tmp_path)
    with suppress(RuntimeError), ShardWriter(tmp_path, ("aa", "bb")) as writer:
        writer.add("x", [1], [2])
        raise RuntimeError
    with pytest.raises(DataError, match="not finished"):
        Shard(tmp_path)
    assert not (tmp_path / "pairs.unsorted").exists()


def write_many(folder: Path) -> None:
    with ShardWriter(folder, ("aa", "bb")) as writer:
        for _ in range(40_000):
            writer.add("x", [1], [2])


def test_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        with pytest.raises(DataError, match=r"shard .* cannot be written: File too large\. Make"):
            write_many(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        ShardWriter(tmp_path / "file/aa-bb", ("aa", "bb"))


def test_removing_data_json_mends_a_damaged_shard(tmp_path: Path) -> None:
    recipe, run = load_recipe(write_recipe(tmp_path)), tmp_path / "run"
    prepare(recipe, run)
    tokens = run / "shards/aa-bb/tokens.u16"
    whole = tokens.read_bytes()
    tokens.write_bytes(whole[:100])
    with pytest.raises(DataError, match="truncated"):
        Sampler(recipe, run)
    (run / "data.json").unlink()
    prepare(recipe, run)
    Sampler(recipe, run)
    assert tokens.read_bytes() == whole


def test_piece_beyond_the_vocabulary_is_refused(tmp_path: Path) -> None:
    recipe, run = load_recipe(write_recipe(tmp_path)), tmp_path / "run"
    prepare(recipe, run)
    folder = run / "shards/aa-bb"
    tokens = np.fromfile(folder / "tokens.u16", "<u2")
    tokens[len(tokens) // 2] = 65000
    tokens.tofile(folder / "tokens.u16")
    with pytest.raises(DataError, match="damaged: piece 65000 is not in the vocabulary"):
        list(zip(range(500), Sampler(recipe, run), strict=False))
    with ShardWriter(folder, ("aa", "bb")) as writer:
        writer.add("x", [310], [5])
    with pytest.raises(DataError, match="has the piece 310: the vocabulary ends at 309"):
        Sampler(recipe, run)


def test_record_that_points_outside_is_refused(tmp_path: Path) -> None:
    recipe, run = load_recipe(write_recipe(tmp_path)), tmp_path / "run"
    prepare(recipe, run)
    records = np.load(run / "shards/aa-bb/pairs.npy", mmap_mode="r+")
    records[7]["start"] = 2**63 + 5
    records.flush()
    with pytest.raises(DataError, match="damaged: a record points outside its tokens"):
        list(zip(range(500), Sampler(recipe, run), strict=False))


def test_missing_shard_is_named(tmp_path: Path) -> None:
    recipe, run = load_recipe(write_recipe(tmp_path)), tmp_path / "run"
    prepare(recipe, run)
    (run / "shards/aa-bb").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="there is no shard for aa-bb"):
        Sampler(recipe, run)
