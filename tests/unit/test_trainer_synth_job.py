"""Jobs that are interrupted anywhere end with the same bytes as one that never was."""

import json
import lzma
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import CorpusConfig
from mltranslate_train.data.readers import find_files
from mltranslate_train.evaluate.systems import Advance
from mltranslate_train.synth import job as module
from mltranslate_train.synth.job import Job, run_job
from mltranslate_train.synth.lines import Line, examine
from mltranslate_train.synth.make import Tally

LINES = [Line("text", f"satz {number}") for number in range(10)]


class Stopped(BaseException):
    """Stands for a kill: nothing of ours catches it."""


def shout(lines: Sequence[Line], start: int, advance: Advance) -> tuple[str, Tally]:
    """Every third line is dropped; the number shows that resumed chunks are told right."""
    rows, tally = [], Tally(tokens=len(lines), seconds=1.0)
    for number, line in enumerate(lines, start):
        if number % 3:
            rows.append(f"made\t{line.source.upper()} {number}\t{line.source}\n")
            tally.kept["made"] += 1
        else:
            tally.dropped["third"] += 1
    advance(len(lines))
    return "".join(rows), tally


def make_job(folder: Path, lines: Sequence[Line] = LINES, **other: Any) -> Job:
    settings = {"kind": "test", "input": examine(lines), **other.pop("settings", {})}
    return Job(
        out=folder / "de-en.tsv.xz", lines=lines, settings=settings,
        **{"make": shout, "chunk_lines": 3, "notes": {"parent": {}}, **other},
    )  # fmt: skip


def run(job: Job, **options: Any) -> dict[str, Any]:
    return run_job(job, lambda _: None, **options)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    job = make_job(tmp_path_factory.mktemp("unbroken"))
    run(job)
    return job.out.read_bytes()


def test_the_file_is_a_corpus_and_the_summary_stands_beside_it(tmp_path: Path) -> None:
    done: list[int] = []
    summary = run_job(make_job(tmp_path / "new" / "folder"), done.append)
    folder = tmp_path / "new" / "folder"
    (file,) = find_files([CorpusConfig(folder=str(folder))], [("de", "en")])
    pairs = [(pair.origin, pair.first, pair.second) for pair in file]
    assert pairs[0] == ("made", "SATZ 1 1", "satz 1")
    assert len(pairs) == summary["kept_lines"] == 6
    assert json.loads((folder / "de-en.tsv.xz.json").read_text("utf-8")) == summary
    assert summary["dropped"] == {"third": 4}
    assert summary["kept"] == {"made": 6}
    assert (summary["lines"], summary["tokens"], summary["tokens_per_second"]) == (10, 10, 2.5)
    assert sum(done) == 10
    assert sorted(path.name for path in folder.iterdir()) == ["de-en.tsv.xz", "de-en.tsv.xz.json"]


def failing(function: Callable[..., Any], at: int, *, before: bool) -> Callable[..., Any]:
    calls = Counter[str]()

    def wrapped(*arguments: Any, **options: Any) -> Any:
        calls["all"] += 1
        if calls["all"] == at and before:
            raise Stopped
        result = function(*arguments, **options)
        if calls["all"] == at:
            raise Stopped
        return result

    return wrapped


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    ("place", "number"),
    [("make", 1), ("make", 3), ("_append", 1), ("_append", 4), ("_write", 2), ("_write", 5),
     ("replace", 1), ("unlink", 1)],
)  # fmt: skip
def test_interrupted_anywhere_ends_the_same(
    place: str, number: int, before: bool, unbroken: bytes, tmp_path: Path
) -> None:
    job = make_job(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        if place == "make":
            job = make_job(tmp_path, make=failing(shout, number, before=before))
        elif place in ("replace", "unlink"):
            original = getattr(Path, place)
            stopping = failing(original, number, before=before)

            def some(self: Path, *arguments: Any, **options: Any) -> Any:
                wanted = self.suffix == ".part" if place == "replace" else self.exists()
                return (stopping if wanted else original)(self, *arguments, **options)

            patch.setattr(Path, place, some)
        else:
            patch.setattr(module, place, failing(getattr(module, place), number, before=before))
        with pytest.raises(Stopped):
            run(job)
    summary = run(make_job(tmp_path))
    assert job.out.read_bytes() == unbroken
    assert (summary["lines"], summary["kept_lines"], summary["tokens"]) == (10, 6, 10)
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob("*.progress.json"))


@settings(max_examples=25)
@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\t\r\n", codec="utf-8")), min_size=1),
    stops=st.lists(st.integers(1, 3), max_size=3),
    size=st.integers(1, 4),
)
def test_any_text_and_any_stops(
    texts: list[str], stops: list[int], size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [Line("x", text) for text in texts]
    folders = [tmp_path_factory.mktemp("any") for _ in range(2)]
    run(make_job(folders[0], lines, chunk_lines=size))
    for stop in stops:
        job = make_job(folders[1], lines, chunk_lines=size, make=failing(shout, stop, before=True))
        try:
            run(job)
        except Stopped:
            with (folders[1] / "de-en.tsv.xz.part").open("ab") as file:
                file.write(b"half a stre")
    run(make_job(folders[1], lines, chunk_lines=size))
    one, other = (folder / "de-en.tsv.xz" for folder in folders)
    assert one.read_bytes() == other.read_bytes()
    rows = lzma.decompress(one.read_bytes()).decode("utf-8").split("\n")[:-1]
    expected = [text for number, text in enumerate(texts) if number % 3]
    assert [row.split("\t")[2] for row in rows] == expected


def stop_after(folder: Path, chunks: int) -> None:
    with pytest.raises(Stopped):
        run(make_job(folder, make=failing(shout, chunks + 1, before=True)))


def test_other_settings_or_lines_do_not_continue(tmp_path: Path, unbroken: bytes) -> None:
    stop_after(tmp_path, 2)
    with pytest.raises(ConfigError, match="begun with another beam"):
        run(make_job(tmp_path, settings={"beam": 5}))
    with pytest.raises(ConfigError, match="begun with another input"):
        run(make_job(tmp_path, [*LINES[:-1], Line("text", "anders")]))
    run(make_job(tmp_path))
    assert (tmp_path / "de-en.tsv.xz").read_bytes() == unbroken


def test_a_complete_file_is_kept_and_replaced_by_force_only(
    tmp_path: Path, unbroken: bytes
) -> None:
    summary = run(make_job(tmp_path))
    broken = make_job(tmp_path, make=failing(shout, 1, before=True))
    assert run(broken) == summary  # nothing is made
    other = make_job(tmp_path, settings={"beam": 5})
    with pytest.raises(ConfigError, match=r"made with another beam\. Give --force"):
        run(other)
    assert (tmp_path / "de-en.tsv.xz").read_bytes() == unbroken
    assert run(other, force=True)["beam"] == 5
    assert run(other)["beam"] == 5


def test_a_foreign_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "de-en.tsv.xz").write_bytes(b"mine")
    with pytest.raises(ConfigError, match="there already"):
        run(make_job(tmp_path))
    assert (tmp_path / "de-en.tsv.xz").read_bytes() == b"mine"


@pytest.mark.parametrize("damage", ["part", "progress.json"])
def test_damage_is_noticed(damage: str, tmp_path: Path) -> None:
    stop_after(tmp_path, 2)
    path = tmp_path / f"de-en.tsv.xz.{damage}"
    os.truncate(path, path.stat().st_size - 4)
    with pytest.raises(DataError, match=f"{damage} .*--force"):
        run(make_job(tmp_path))


def test_lines_that_change_while_they_are_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="have changed"):
        run(make_job(tmp_path, settings={"input": {"lines": 11, "sha256": ""}}))
    assert not (tmp_path / "de-en.tsv.xz").exists()


def test_a_full_disk_is_one_line_and_what_was_done_stays(
    tmp_path: Path, unbroken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        full = iter([True, True, False])

        def fsync(number: int) -> None:
            if not next(full, False):
                raise OSError(28, "No space left on device")

        patch.setattr(os, "fsync", fsync)
        with pytest.raises(DataError, match=r"cannot be written: No space left on device\. Make"):
            run(make_job(tmp_path))
    assert (tmp_path / "de-en.tsv.xz.progress.json").is_file()
    run(make_job(tmp_path))
    assert (tmp_path / "de-en.tsv.xz").read_bytes() == unbroken


def test_nothing_kept_is_still_a_readable_file(tmp_path: Path) -> None:
    run(make_job(tmp_path, LINES[:1]))
    assert lzma.decompress((tmp_path / "de-en.tsv.xz").read_bytes()) == b""


def test_no_line_is_refused() -> None:
    with pytest.raises(DataError, match="no line"):
        examine([])
