import gzip
import lzma
import re
import shutil
import signal
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_corpus import pairs, write_recipe

from mltranslate.errors import ConfigError, DataError, TrainingError, UsageError
from mltranslate_train import cli
from mltranslate_train.config import load_recipe
from mltranslate_train.dryrun import check, needs, sample
from mltranslate_train.dryrun.check import dry_run
from mltranslate_train.dryrun.child import ChildDied, in_child
from mltranslate_train.dryrun.memory import _left_to_group, free_memory, peak_memory
from mltranslate_train.dryrun.needs import check_disk, disk_need
from mltranslate_train.dryrun.sample import sample_corpora
from mltranslate_train.dryrun.unpacked import unpacked_size
from mltranslate_train.dryrun.vocabulary import make_stand_in
from mltranslate_train.dryrun.wording import duration_text, size_text, table
from mltranslate_train.locations import find_recipe
from mltranslate_train.loop import train
from mltranslate_train.tokenizer import Vocabulary


def rows(text: str) -> dict[str, str]:
    found = (re.split(r"  +", line, maxsplit=1) for line in text.splitlines())
    return dict(found)


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def test_a_new_run_is_measured_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    before = state(tmp_path)
    assert cli.main(["run", str(path), "--out", str(run), "--dry-run"]) == 0
    found = rows(capsys.readouterr().out)
    assert state(tmp_path) == before
    assert not run.exists()
    assert found["corpora"] == "1 file, 400 pairs; 400 read, well-formed"
    assert found["vocabulary"] == "310 pieces can be made"
    assert found["model"] == "transformer, 31,424 parameters"
    assert found["device"] == "cpu in float32, 1 threads"
    assert "in batches up to 9 x 28" in found["memory"]
    assert found["passes"].endswith("over about 800 examples, both directions counted")
    assert re.fullmatch(r"[\d,]+ target tokens/s, 1\d\d a step", found["speed"])
    assert re.fullmatch(r"\d+ s for 12 steps, without evaluations", found["time"])


def test_a_begun_run_and_its_parent_are_used_and_left_as_they_are(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    train(load_recipe(path), tmp_path / "parent")
    lora = ["finetune.mode=lora", "train.max_steps=4"]
    run = tmp_path / "run"
    train(load_recipe(path, lora), run, str(tmp_path / "parent"))
    shutil.rmtree(tmp_path / "corpus")  # not needed any more
    before = state(tmp_path)
    recipe = load_recipe(path, [*lora, "train.max_steps=10"])
    found = rows(dry_run(recipe, run, str(tmp_path / "parent")))
    assert state(tmp_path) == before
    assert found["parent"] == "toy, lora"
    assert found["corpora"] == "prepared already"
    assert found["model"] == "transformer, 39,360 parameters, of which 7,936 learn"
    assert "for 6 steps after the 4 made" in found["time"]
    # What `run` would refuse is refused here.
    with pytest.raises(ConfigError, match=r"made with another vocabulary\.size"):
        dry_run(load_recipe(path, [*lora, "vocabulary.size=300"]), run)
    with pytest.raises(ConfigError, match=r"another \[finetune\]"):
        dry_run(load_recipe(path), run)
    assert state(tmp_path) == before


def test_errors_of_recipe_and_data_come_with_their_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_recipe(tmp_path)
    command = ["run", str(path), "--out", str(tmp_path / "run"), "--dry-run", "--set"]
    assert cli.main([*command, "vocabulary.size=900"]) == 6
    assert cli.main([*command, 'evaluate.dev=[{name="x", prefix="nowhere."}]']) == 6
    assert cli.main([*command, "finetune.mode=lora"]) == 2
    assert cli.main([*command, "model.d_model=200000"]) == 8
    with (tmp_path / "corpus/aa-bb.tsv").open("a", encoding="utf-8") as file:
        file.write("one column\n")
    assert cli.main([*command, "train.seed=2"]) == 6
    errors = capsys.readouterr().err
    assert "no vocabulary of 900 pieces can be made" in errors
    assert "the model does not fit into memory" in errors
    assert "aa-bb.tsv:401 has 1 columns" in errors
    assert not (tmp_path / "run").exists()


def test_several_processes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="one process"):
        dry_run(load_recipe(write_recipe(tmp_path)), tmp_path / "run")


@pytest.mark.parametrize(
    ("code", "message"), [(-9, "largest batch does not fit into memory"), (1, "exit code 1")]
)
def test_a_trial_that_dies_is_a_clear_error(
    code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise ChildDied(code)

    monkeypatch.setattr(check, "in_child", die)
    with pytest.raises(TrainingError, match=message):
        dry_run(load_recipe(write_recipe(tmp_path)), tmp_path / "run")


def test_what_happens_in_the_child_is_told() -> None:
    assert in_child(size_text, 1.5e9) == "1.5 GB"
    with pytest.raises(ConfigError, match=r"there is no recipe 'none'.*Choose one of them"):
        in_child(find_recipe, "none")
    with pytest.raises(ChildDied) as caught:
        in_child(signal.raise_signal, signal.SIGTERM)
    assert caught.value.code == -signal.SIGTERM


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=3000))
def test_size_of_a_compressed_file_is_read_from_itself(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        plain, packed = Path(name) / "x.tsv", Path(name) / "x.tsv.xz"
        plain.write_bytes(data)
        packed.write_bytes(lzma.compress(data))
        assert unpacked_size(plain) == unpacked_size(packed) == len(data)
        zipped = Path(name) / "x.tsv.gz"
        zipped.write_bytes(gzip.compress(data))
        assert unpacked_size(zipped) in (0, len(data))


@pytest.mark.parametrize("ending", ["", ".xz", ".gz"])
def test_pairs_of_a_large_file_are_estimated(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path)
    file = tmp_path / "corpus/aa-bb.tsv"
    data = "".join(f"toy\t{one}\t{two}\n" for one, two in pairs(3000)).encode()
    file.unlink()
    packed = {"": data, ".xz": lzma.compress(data), ".gz": gzip.compress(data)}[ending]
    file.with_name(file.name + ending).write_bytes(packed)
    monkeypatch.setattr(sample, "SCANNED", 500)
    monkeypatch.setattr(sample, "KEPT", 100)
    recipe, (part,) = sample_corpora(load_recipe(path), tmp_path / "small")
    assert (part.scanned, part.kept, part.whole, part.all_kept) == (500, 100, False, False)
    assert part.pairs == pytest.approx(3000, rel=0.15)
    assert part.scale * part.kept == pytest.approx(part.pairs)
    assert [corpus.folder for corpus in recipe.data.corpora] == [str(tmp_path / "small/0")]
    assert len((tmp_path / "small/0/aa-bb.tsv").read_text(encoding="utf-8").splitlines()) == 100


def test_sample_leaves_out_what_has_no_weight(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    with (tmp_path / "corpus/aa-bb.tsv").open("a", encoding="utf-8") as file:
        file.writelines(f"junk\tx{number}\ty\n" for number in range(100))
    recipe = load_recipe(path, ["data.weights.junk=0"])
    _, (part,) = sample_corpora(recipe, tmp_path / "small")
    assert (part.scanned, part.used, part.kept, part.all_kept) == (500, 400, 400, True)
    assert part.scale == pytest.approx(1)


def test_corpora_for_one_direction_are_counted_for_it_alone(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    made = "".join(f"{two}\t{one}\n" for one, two in pairs(600, seed=7))
    (tmp_path / "made.tsv").write_text(made, encoding="utf-8")
    corpora = (
        f"data.corpora=[{{folder='{(tmp_path / 'corpus').as_posix()}'}},"
        f"{{tsv='{(tmp_path / 'made.tsv').as_posix()}',languages=['bb','aa'],"
        "directions=['bb-aa']}]"
    )
    roomy = "data.max_tokens=30"  # no sentence is too long, whatever the pieces
    found = rows(dry_run(load_recipe(path, [corpora, roomy]), tmp_path / "run"))
    assert found["corpora"] == "2 files, 1,000 pairs; 1,000 read, well-formed"
    # What `prepare` gives: 400 pairs both ways, 600 one way.
    assert "over about 1,400 examples" in found["passes"]


def test_parts_of_a_one_way_corpus_are_scaled_for_its_direction_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path)
    made = "".join(f"{two}\t{one}\n" for one, two in pairs(2000, seed=7))
    (tmp_path / "made.tsv").write_text(made, encoding="utf-8")
    corpora = (
        f"data.corpora=[{{folder='{(tmp_path / 'corpus').as_posix()}'}},"
        f"{{tsv='{(tmp_path / 'made.tsv').as_posix()}',languages=['bb','aa'],"
        "directions=['bb-aa']}]"
    )
    monkeypatch.setattr(sample, "KEPT", 500)
    roomy = "data.max_tokens=30"  # no sentence is too long, whatever the pieces
    found = rows(dry_run(load_recipe(path, [corpora, roomy]), tmp_path / "run"))
    assert "over about 2,800 examples" in found["passes"]


def test_stand_in_has_the_size_that_the_model_will_have(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path), ["vocabulary.size=900"])
    prefix = tmp_path / "stand-in"
    pieces = make_stand_in(recipe, tmp_path / "corpus", prefix, whole=False)
    vocabulary = Vocabulary(tmp_path / "stand-in.model")
    assert len(vocabulary) == 900
    assert pieces < 900
    assert vocabulary.tag_id("aa") != vocabulary.tag_id("bb")
    with pytest.raises(DataError, match="no vocabulary of 900 pieces"):
        make_stand_in(recipe, tmp_path / "corpus", prefix, whole=True)


def test_disk_need_counts_what_the_recipe_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path)
    plain = disk_need(load_recipe(path, ["train.ema_decay=0"]), 100, 100, 7)
    assert plain == 7 + 2 * 4 * 300
    assert disk_need(load_recipe(path), 100, 100, 7) == 7 + 2 * 4 * 400
    averaged = load_recipe(
        path, ["train.average_last=3", "train.snapshot_every=1", "train.ema_decay=0"]
    )
    assert disk_need(averaged, 100, 100, 7) == plain + 4 * 4 * 100
    usage = SimpleNamespace(free=1000)
    monkeypatch.setattr(needs.shutil, "disk_usage", lambda _: usage)
    assert check_disk(tmp_path / "not/yet/there", 1000) == 1000
    with pytest.raises(TrainingError, match=r"it needs 1\.0 kB, 1\.0 kB are free"):
        check_disk(tmp_path, 1001)


def test_memory_of_a_control_group_is_a_bound(tmp_path: Path) -> None:
    assert _left_to_group(tmp_path) is None
    (tmp_path / "memory.current").write_text("600\n", encoding="ascii")
    (tmp_path / "memory.stat").write_text("anon 100\ninactive_file 250\n", encoding="ascii")
    (tmp_path / "memory.max").write_text("1000\n", encoding="ascii")
    assert _left_to_group(tmp_path) == 650
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert _left_to_group(tmp_path) is None


def test_peak_grows_with_what_is_taken() -> None:
    cpu = torch.device("cpu")
    before = peak_memory(cpu)
    if before is None:
        pytest.skip("this system does not tell")
    block = torch.ones(2**26)  # 256 MB
    assert (peak_memory(cpu) or 0) >= max(before, block.numel() * 4)
    assert free_memory(cpu) is None or (free_memory(cpu) or 0) > 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59, "59 s"), (150, "2 min"), (3600, "1 h 0 min"), (12_000, "3 h 20 min"),
     (190_800, "2 d 5 h")],
)  # fmt: skip
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_table_is_in_columns() -> None:
    assert table([("a", "1"), ("long", "2")]) == "a     1\nlong  2\n"
    assert [size_text(size) for size in (12, 1200, 2e6)] == ["12 B", "1.2 kB", "2.0 MB"]
