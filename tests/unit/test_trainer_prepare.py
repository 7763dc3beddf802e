"""Preparing data: filters and their report, full disks, damaged corpora, and what comes after."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from toy_corpus import write, write_recipe

from mltranslate.errors import DataError
from mltranslate_train import cli
from mltranslate_train.config import load_recipe
from mltranslate_train.data.filters.judge import Filters
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.readers import Pair
from mltranslate_train.data.whole import whole_file, write_text

FILTER = "\n[data.filter]\nmax_characters = 20\nduplicates = true\n"


def made(run: Path) -> dict[str, bytes]:
    """All files of a run by name."""
    return {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file()
    }


def test_dropped_pairs_are_counted_by_reason_and_origin(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, FILTER)
    corpus = tmp_path / "corpus/aa-bb.tsv"
    lines = corpus.read_text("utf-8").splitlines(keepends=True)
    corpus.write_text("".join([*lines, *lines[:7], "more\t\tx\n"]), encoding="utf-8")
    long = [line for line in lines if max(map(len, line.rstrip().split("\t")[1:])) > 20]
    again = len([line for line in lines[:7] if line not in long])
    run = tmp_path / "run"
    prepare(load_recipe(path, ["data.max_tokens=18"]), run)
    summary = json.loads((run / "data.json").read_text("utf-8"))
    dropped = summary["dropped"]
    too_long = dropped.get("too long", {}).get("toy", 0)
    assert dropped["too many characters"] == {"toy": len(long) + 7 - again}
    assert dropped["duplicate"] == {"toy": again}
    assert dropped["empty side"] == {"more": 1}
    assert summary["origins"] == {"toy": len(lines) - len(long) - too_long}
    page = (run / "data-report.md").read_text("utf-8")
    assert f"{len(lines) + 8} pairs were read" in page
    assert "| empty side | 1 |" in page


def test_filters_judge_each_pair_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    reasons = Filters.reasons

    def counting(self: Filters, pairs: list[Pair]) -> list[str]:
        judged.extend(pairs)
        return reasons(self, pairs)

    monkeypatch.setattr(Filters, "reasons", counting)
    prepare(load_recipe(write_recipe(tmp_path, FILTER)), tmp_path / "run")
    assert len(judged) == 400


def test_noisy_copies_are_examples_and_no_pairs_that_were_read(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, "\n[data.noise]\nupper = 1.0\ntypos = 1.0\n")
    prepare(load_recipe(path), tmp_path / "run")
    summary = json.loads((tmp_path / "run/data.json").read_text("utf-8"))
    assert summary["origins"]["toy"] > 800
    assert "400 pairs were read" in (tmp_path / "run/data-report.md").read_text("utf-8")


@pytest.mark.parametrize(
    "change", ["longer", "as long", "an old copy", "touched", "gone", "not at all"]
)
def test_text_that_changed_since_the_data_was_made_is_named(
    tmp_path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    corpus, run = tmp_path / "corpus/aa-bb.tsv", tmp_path / "run"
    prepare(recipe, run)
    before, text = made(run), corpus.read_text("utf-8")
    later = (run / "data.json").stat().st_mtime + (-999 if change == "an old copy" else 10)
    if change == "gone":
        corpus.unlink()
    elif change != "not at all":
        ends = {
            "longer": text[-1] + "toy\tx\ty\n",
            "as long": "\r",
            "an old copy": "\r",
            "touched": text[-1],
        }
        corpus.write_text(text[:-1] + ends[change], encoding="utf-8", newline="")
        os.utime(corpus, (later, later))
    prepare(recipe, run)
    assert made(run) == before
    told = f"{corpus.absolute()} changed since the data of {run} was made" in caplog.text
    assert told == (change in ("longer", "as long", "an old copy"))
    assert "was added" not in caplog.text


def test_a_link_that_leads_to_another_text_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    corpus, run = tmp_path / "corpus/aa-bb.tsv", tmp_path / "run"
    first, second = tmp_path / "first.tsv", tmp_path / "second.tsv"
    text = corpus.read_text("utf-8")
    second.write_text(text.replace("sun", "sea"), encoding="utf-8")
    corpus.rename(first)
    corpus.symlink_to(first)
    prepare(recipe, run)
    prepare(recipe, run)
    assert not caplog.text
    corpus.unlink()
    corpus.symlink_to(second)
    prepare(recipe, run)
    assert f"{corpus} changed since the data of {run} was made" in caplog.text


@pytest.mark.parametrize("corpora", ["there", "partly there"])
def test_a_file_that_was_added_since_the_data_was_made_is_named(
    tmp_path: Path, corpora: str, caplog: pytest.LogCaptureFixture
) -> None:
    more = write(tmp_path / "more.tsv", "sun\tnus\n")
    place = tmp_path / "corpus"
    both = f'[{{ folder = "{place}" }}, {{ tsv = "{more}", languages = ["aa", "bb"] }}]'
    recipe = load_recipe(write_recipe(tmp_path), [f"data.corpora={both}"])
    run, added = tmp_path / "run", place / "aa-bb.new.tsv"
    prepare(recipe, run)
    before = made(run)
    write(place / "cc-dd.tsv", "toy\tno\tmatter\n")
    prepare(recipe, run)
    assert not caplog.text
    write(added, "toy\tmoon\tnoom\n")
    if corpora != "there":
        Path(more).unlink()
    prepare(recipe, run)
    assert made(run) == before
    told = f"{added} was added since the data of {run} was made" in caplog.text
    assert told == (corpora == "there")


def test_data_without_times_of_its_files_is_compared_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    corpus, run = tmp_path / "corpus/aa-bb.tsv", tmp_path / "run"
    prepare(recipe, run)
    summary = json.loads((run / "data.json").read_text("utf-8"))
    (facts,) = summary["files"].values()
    del facts["modified"]
    summary["files"] = {str(corpus): facts}
    write(run / "data.json", json.dumps(summary))
    write(tmp_path / "corpus/aa-bb.new.tsv", "toy\tmoon\tnoom\n")
    prepare(recipe, run)
    assert not caplog.text
    text = corpus.read_text("utf-8")
    write(corpus, text.replace("sun", "sea"))
    prepare(recipe, run)
    assert f"{corpus} changed since" in caplog.text


def test_malformed_line_is_named_while_the_vocabulary_is_made(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    with (tmp_path / "corpus/aa-bb.tsv").open("a", encoding="utf-8") as file:
        file.write("toy\tonly\n")
    with pytest.raises(DataError, match=r"aa-bb\.tsv:401 has 2 columns"):
        prepare(recipe, tmp_path / "run")


# Full disks


def test_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_text(path, "old")

    def stop() -> None:
        with whole_file(path) as new:
            new.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which is always full")
@pytest.mark.parametrize(
    "name",
    [
        "recipe.toml.new",
        "heldout/aa-bb.bb.new",
        "vocabulary.model.new",
        "shards/aa-bb/tokens.u16",
        "data-report.md.new",
        "data.json.new",
    ],
)
def test_full_disk_is_named_and_the_next_run_is_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    recipe = write_recipe(tmp_path, '[data.holdout]\norigins = ["*"]\nper_mille = 100\n')
    run, clean = tmp_path / "run", tmp_path / "clean"
    (run / name).parent.mkdir(parents=True)
    (run / name).symlink_to("/dev/full")
    assert cli.main(["prepare", str(recipe), "--out", str(run)]) == 6
    message = capsys.readouterr().err
    assert str(run) in message
    assert "No space left on device" in message
    assert not (run / "data.json").exists()
    (run / name).unlink(missing_ok=True)
    assert cli.main(["prepare", str(recipe), "--out", str(run)]) == 0
    prepare(load_recipe(recipe), clean)
    assert made(run) == made(clean)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may grow beyond `size`, as if the disk were full there."""
    resource = pytest.importorskip("resource")
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_disk_that_fills_up_on_the_way_leaves_nothing_half_made(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    clean = tmp_path / "clean"
    prepare(recipe, clean)
    for number, size in enumerate(sorted({len(content) for content in made(clean).values()})):
        run = tmp_path / f"run{number}"
        with (
            largest_file(max(0, size - 1)),
            pytest.raises(DataError, match=rf"{run}.*{os.strerror(errno.EFBIG)}"),
        ):
            prepare(recipe, run)
        assert not (run / "data.json").exists()
        prepare(recipe, run)
        assert made(run) == made(clean)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/run cannot be written: Not a directory\. Move away"):
        prepare(load_recipe(write_recipe(tmp_path)), tmp_path / "file/run")
