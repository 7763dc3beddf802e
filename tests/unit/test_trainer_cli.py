"""`mltranslate-train`: what becomes of errors that are no errors of ours, and of damaged files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from toy_corpus import write_recipe

from mltranslate.errors import DataError
from mltranslate_train.cli import main
from mltranslate_train.config import load_recipe
from mltranslate_train.data.prepare import SUMMARY, VOCABULARY_FILE, prepare
from mltranslate_train.tokenizer import Vocabulary

HELP = "import sys; from mltranslate_train.cli import main; sys.exit(main(sys.argv[1:]))"


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
    assert main(["evaluate", "runs/nope", "--set", "dev=dev."]) == DataError.exit_code
    assert "there is no folder runs/nope" in capsys.readouterr().err


def test_run_without_dev_set_is_told_to_name_one(
    prepared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(prepared / "run"), "--set", "dev=dev."]) == DataError.exit_code
    error = capsys.readouterr().err
    assert "evaluate.dev" in error
    assert "Errno" not in error
