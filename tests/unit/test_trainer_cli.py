"""`mltranslate-train`: what becomes of errors that are no errors of ours, and of damaged files."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from toy_corpus import write_recipe

from mltranslate.errors import DataError
from mltranslate_export.cli import main as export
from mltranslate_train.cli import main
from mltranslate_train.config import load_recipe
from mltranslate_train.data.prepare import SUMMARY, VOCABULARY_FILE, prepare
from mltranslate_train.loop import train
from mltranslate_train.tokenizer import Vocabulary

HELP = "import sys; from mltranslate_train.cli import main; sys.exit(main(sys.argv[1:]))"
LOOSE = "--filter script_share=0 --filter language_confidence=0"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    prepare(load_recipe(write_recipe(folder)), folder / "run")
    return folder


def dry_run(prepared: Path, output: int) -> subprocess.CompletedProcess[str]:
    recipe = str(prepared / "toy.toml")
    return subprocess.run(
        [sys.executable, "-c", HELP, "run", recipe, "--out", str(prepared / "run"), "--dry-run"],
        stdout=output, stderr=subprocess.PIPE, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_disk_behind_stdout_is_one_line(prepared: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = dry_run(prepared, full.fileno())
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("mltranslate-train: ")
    assert "Traceback" not in done.stderr


def test_closed_pipe_is_silent(prepared: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = dry_run(prepared, writer)
    os.close(writer)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr


def test_damaged_vocabulary_is_explained(tmp_path: Path) -> None:
    (tmp_path / VOCABULARY_FILE).write_bytes(b"no model")
    with pytest.raises(DataError, match="cannot be read"):
        Vocabulary(tmp_path / VOCABULARY_FILE)


def test_damaged_summary_is_explained(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    prepare(recipe, tmp_path / "run")
    (tmp_path / "run" / SUMMARY).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"Remove it"):
        prepare(recipe, tmp_path / "run")
    (tmp_path / "run" / SUMMARY).unlink()
    prepare(recipe, tmp_path / "run")


def test_missing_run_is_not_taken_for_a_pack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "runs/nope", "--on", "dev=dev."]) == DataError.exit_code
    assert "there is no folder runs/nope" in capsys.readouterr().err


def test_run_without_dev_set_is_told_to_name_one(
    prepared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(prepared / "run"), "--on", "dev=dev."]) == DataError.exit_code
    error = capsys.readouterr().err
    assert "evaluate.dev" in error
    assert "Errno" not in error


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of two steps, its dev set, and files that are wrong in several ways."""
    folder = tmp_path_factory.mktemp("messages")
    for language, text in (("aa", "sun moon\nlake\n"), ("bb", "nus noom\nekal\n")):
        (folder / f"dev.{language}").write_text(text, encoding="utf-8")
        (folder / f"bad.{language}").write_bytes(b"good\nbad \xff\n")
    dev = f'dev = [{{ name = "unseen", prefix = "{folder.as_posix()}/dev." }}]\n'
    recipe = load_recipe(write_recipe(folder, dev), ["train.max_steps=2"])
    train(recipe, folder / "run")
    (folder / "latin.toml").write_bytes(b'name = "\xff"')
    (folder / "empty").mkdir()
    return folder


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (2, "No such file or directory. Give the path", "run none.toml"),
        (2, "Is a directory. Give the path", "run ."),
        (2, "it is no UTF-8. Mend it", "run latin.toml"),
        (6, "File exists. Move away", "run toy.toml --out dev.aa"),
        (6, "Not a directory. Move away", "prepare toy.toml --out dev.aa/x"),
        (6, "No such file or directory. Correct evaluate.dev",
         "run toy.toml --out new --set evaluate.dev=[{name='d',prefix='none.'}]"),
        (6, "bad.aa:2 cannot be read: it is no UTF-8: invalid start byte. Correct evaluate.dev",
         "run toy.toml --out new --set evaluate.dev=[{name='d',prefix='bad.'}]"),
        (6, "bad.aa:2 cannot be read: it is no UTF-8: invalid start byte. Convert it",
         "evaluate run --on d=bad."),
        (6, "set d has no files none.<language>, nor pairs in a folder, for any direction. Correct",
         "evaluate run --on d=none."),
        (6, "Not a directory. Move away", "run toy.toml --out dev.aa/x --dry-run"),
        (6, "Not a directory. Move away", "run toy.toml --out dev.aa --dry-run"),
        (6, "Not a directory. Move away", "evaluate run --on d=dev. --outputs dev.aa"),
        (6, "Is a directory. Move away", "evaluate run --on d=dev. --json empty"),
        (6, "Not a directory. Move away", "evaluate run --on d=dev. --json dev.aa/x"),
        (6, "there is no folder ./none. Give", "evaluate ./none --on d=dev."),
        (6, "there is no folder ./none. Give", "run toy.toml --out new --from ./none"),
        (6, "File exists. Move away", "report run --out dev.aa"),
        (6, "there is no folder none. Give", "score none dev.aa"),
        (6, "File exists. Move away", "filter toy.toml --out dev.aa"),
        (6, "No such file or directory. Correct its path",
         f"backtranslate run --text none --from aa --to bb --out aa-bb.tsv.xz {LOOSE}"),
        (6, "File exists. Move away",
         f"backtranslate run --text dev.aa --from aa --to bb --out dev.aa/aa-bb.tsv.xz {LOOSE}"),
        (2, "Turn it off, as in --filter script_share=0",
         "backtranslate run --text dev.aa --from aa --to bb --out aa-bb.tsv.xz"),
        (6, "there is no folder none. Give", "export pack none --out packs"),
        (6, "best/model.json: No such file or directory. Give", "export pack empty --out packs"),
        (6, "No such file or directory. Correct its path",
         "export pack run --out packs --verify-data none"),
        (6, "File exists. Move away", "export pack run --out dev.aa --verify-data pairs.tsv"),
        (3, "there is no folder none. Give", "export verify none --run run"),
        (6, "No such file or directory. Train one", "export lid none --out x"),
    ],
)  # fmt: skip
def test_errors_say_what_why_and_what_to_do(
    code: int, words: str, arguments: str, trained: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(trained)
    (trained / "pairs.tsv").write_text("aa\tbb\tsun\tnus\nbb\taa\tnus\tsun\n", encoding="utf-8")
    before = sorted(trained.rglob("*"))
    program, *rest = arguments.split()
    found = export(rest) if program == "export" else main([program, *rest])
    error = capsys.readouterr().err
    assert found == code
    assert words in error
    assert "Errno" not in error
    assert "codec" not in error
    assert error.count("\n") == 1
    assert [path for path in before if not path.exists()] == []


def test_what_cannot_be_written_is_told_before_the_work(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object) -> None:
        raise AssertionError("it was translated first")

    monkeypatch.chdir(trained)
    monkeypatch.setattr("mltranslate_train.evaluate.run_system.translate", work)
    for option in ("--json empty", "--outputs dev.aa"):
        assert main(["evaluate", "run", "--on", "d=dev.", *option.split()]) == DataError.exit_code


def test_a_run_without_a_step_to_do_says_so_and_how_to_go_on(
    trained: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    caplog.set_level(logging.INFO)
    kept = [trained / "run" / name for name in ("metrics.jsonl", "recipe.toml")]
    before = [path.read_bytes() for path in kept]
    for steps in (2, 1):
        caplog.clear()
        command = ["run", "toy.toml", "--out", "run", "--set", f"train.max_steps={steps}"]
        assert main(command) == 0
        assert "nothing left to train: it has made 2 steps" in caplog.text
        assert f"train.max_steps is {steps}. To train on, raise it" in caplog.text
        assert "trained" not in caplog.text
        assert [path.read_bytes() for path in kept] == before, "it tells what made the steps"
    patience = ["train.max_steps=9", "train.patience=1", "evaluate.every=1"]
    assert main(["run", "toy.toml", "--out", "other", *_sets(patience)]) == 0
    caplog.clear()
    assert main(["run", "toy.toml", "--out", "other", *_sets(patience)]) == 0
    assert "the last 1 evaluations brought nothing better. To train on, raise" in caplog.text
    more = ["train.max_steps=10", "train.patience=3", "evaluate.every=1"]
    assert main(["run", "toy.toml", "--out", "other", *_sets(more)]) == 0
    assert load_recipe(trained / "other/recipe.toml").train.patience == 3


def _sets(overrides: list[str]) -> list[str]:
    return [part for override in overrides for part in ("--set", override)]
