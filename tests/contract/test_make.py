"""The two commands of the README, with a stand-in for pip: what is installed, when, and quoting."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

FAKE_PYTHON = '#!/bin/sh\nprintf "%s\\n" "$*" >>installed.log\n'
FAKE_PROGRAM = '#!/bin/sh\nfor argument; do printf "<%s>\\n" "$argument"; done\n'


def _executable(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Path:
    """The files that make reads, and an environment whose programs only echo their arguments."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(repository / name, tmp_path / name)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    _executable(programs / "python", FAKE_PYTHON)
    for name in ("mltranslate", "ruff", "mypy", "lint-imports"):
        _executable(programs / name, FAKE_PROGRAM)
    return tmp_path


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Flags of an outer `make test` must not reach the inner make.
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MAKE", "MFLAGS", "MLT_"))
    }
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )


def _installations(folder: Path) -> list[str]:
    log = folder / "installed.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.rpartition("constraints.txt ")[2] for line in lines if " pip install" in line]


@pytest.mark.parametrize(
    ("given", "received"),
    [
        ('text --to de "Good morning"', ["text", "--to", "de", "Good morning"]),
        ("""detect "it's" 'a "word"'""", ["detect", "it's", 'a "word"']),
        ("text 'costs $5 or ${HOME}' '*  ?'", ["text", "costs $5 or ${HOME}", "*  ?"]),
        ("text 'two\nlines; not a command'", ["text", "two\nlines; not a command"]),
        ("", []),
    ],
)
def test_run_keeps_the_quotes_of_args(checkout: Path, given: str, received: list[str]) -> None:
    done = _make(checkout, "run", f"ARGS={given}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(f"<{argument}>\n" for argument in received)


def test_run_installs_the_runtime_once(checkout: Path) -> None:
    _make(checkout, "run")
    _make(checkout, "run")
    assert _installations(checkout) == ["-e ."]


def test_new_file_dates_install_nothing(checkout: Path) -> None:
    _make(checkout, "run")
    for name in ("pyproject.toml", "constraints.txt"):
        os.utime(checkout / name, (2**32, 2**32))
    _make(checkout, "run")
    assert _installations(checkout) == ["-e ."]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_requirement_is_installed(checkout: Path, name: str) -> None:
    _make(checkout, "run")
    with (checkout / name).open("a") as file:
        file.write("\n# changed\n")
    _make(checkout, "run")
    assert _installations(checkout) == ["-e .", "-e ."]


def test_the_tests_have_an_installation_of_their_own(checkout: Path) -> None:
    _make(checkout, "run")
    assert _make(checkout, "test").returncode == 0
    _make(checkout, "run")
    assert _installations(checkout) == ["-e .", "-e .[dev]"]
    assert "-m pytest" in (checkout / "installed.log").read_text()


def test_a_failed_installation_is_tried_again(checkout: Path) -> None:
    _executable(checkout / ".venv" / "bin" / "python", FAKE_PYTHON + "exit 1\n")
    assert _make(checkout, "run").returncode != 0
    assert _make(checkout, "run").returncode != 0
    assert _installations(checkout) == ["-e .", "-e ."]


def test_no_python_is_one_clear_line(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    done = _make(checkout, "run", "PYTHON=/nonexistent/python")
    assert done.returncode != 0
    first, *rest = done.stderr.splitlines()
    assert first.startswith("No Python 3.11 or newer")
    assert all(line.startswith("make") for line in rest)


def test_bench_lists_what_it_can_run(checkout: Path) -> None:
    (checkout / "bench").mkdir()
    (checkout / "bench" / "speed.py").write_text('"""Measures nothing, slowly."""\n')
    assert _make(checkout, "bench").stdout.split(maxsplit=1) == [
        "bench/speed.py",
        "Measures nothing, slowly.\n",
    ]
    _make(checkout, "bench", "ARGS=bench/speed.py --lines '1 2'")
    assert (checkout / "installed.log").read_text().endswith("bench/speed.py --lines 1 2\n")


def test_help_lists_every_target(checkout: Path) -> None:
    listed = _make(checkout).stdout
    for target in ("run", "test", "lint", "format", "bench", "clean"):
        assert f"make {target}" in listed
