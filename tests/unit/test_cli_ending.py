"""How all three programs end: errors, Ctrl-C, closed pipes and full disks."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mltranslate.cli.ending import ended
from mltranslate.errors import DataError

EXPORTER = """
import sys
from mltranslate_export import cli
from mltranslate_export.commands import verify
verify.run = lambda options: {"report": "x" * 10}
sys.exit(cli.main(["verify", "pack", "--run", "run"]))
"""
ENGINE = """
import sys
from mltranslate.cli.ending import ended
sys.exit(ended("mltranslate", lambda: print("x" * 10) or 0))
"""


@contextmanager
def closed_pipe() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def run_program(program: str, output: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], stdout=output, stderr=subprocess.PIPE, text=True,
        check=False, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


@pytest.mark.parametrize("program", [ENGINE, EXPORTER], ids=["engine", "exporter"])
def test_closed_pipe_is_silent(program: str) -> None:
    with closed_pipe() as output:
        done = run_program(program, output)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("program", [ENGINE, EXPORTER], ids=["engine", "exporter"])
def test_full_disk_behind_stdout_is_one_line(program: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run_program(program, full.fileno())
    assert done.returncode == 1
    assert "error: reading or writing failed: No space left on device. See" in done.stderr
    assert done.stderr.count("\n") == 1


def test_errors_and_interrupts_have_their_codes(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise DataError("a\nb is damaged", why="its end is missing", fix="Get it again")

    def interrupt() -> int:
        raise KeyboardInterrupt

    assert ended("name", lambda: 3) == 3
    assert ended("name", fail) == DataError.exit_code
    told = capsys.readouterr().err
    assert told == "name: error: a b is damaged: its end is missing. Get it again\n"
    assert ended("name", interrupt) == 130
    assert capsys.readouterr().err == ""


def test_a_file_that_nothing_foresaw_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mltranslate.cli.ending._forget_stdout", lambda: None)
    path = tmp_path / "none"
    assert ended("name", lambda: len(path.read_bytes())) == 1
    expected = f"name: error: {path} cannot be used: No such file or directory. See"
    assert capsys.readouterr().err.startswith(expected)
