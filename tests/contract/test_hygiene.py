"""The repository itself: sizes of files and functions, and words that do not belong in it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 100
CODE_FOLDERS = ("mltranslate", "tui_app", "trainer", "exporters", "bench", "tests")
BINARY = frozenset({".onnx", ".model", ".safetensors", ".png", ".xz", ".npz", ".bin"})

# A bracket in each word keeps this file from containing it.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.~>])/(?:[w]ork|[r]oot|[t]mp|[h]ome/\w+|[U]sers)/\w",
    "a package registry's host": r"[p]ypi\.org|files\.[p]ythonhosted|download\.[p]ytorch\.org",
    "a note to nobody": r"\b(?:TO[D]O|FIX[M]E|XX[X])\b",
    "talk about who wrote it": r"(?i)sub[a]gent|language [m]odel assistant|\bas an [A]I\b",
    "a debugger": r"\b[b]reakpoint\(\)|\b[p]db\.set_trace",
}


def _tracked(repository: Path) -> list[Path]:
    """Files under version control or about to be; every file where git is not at hand."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        names = done.stdout.decode().split("\0")
        return [file for name in names if name and (file := repository / name).is_file()]
    hidden = (".venv", "__pycache__", ".git")
    return [
        file
        for file in repository.rglob("*")
        if file.is_file() and not set(hidden) & set(file.parts)
    ]


def _texts(repository: Path) -> Iterator[tuple[str, str]]:
    """Relative name and content of every text file."""
    for file in _tracked(repository):
        if file.suffix in BINARY:
            continue
        try:
            yield file.relative_to(repository).as_posix(), file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def _code(repository: Path) -> Iterator[tuple[str, str]]:
    for name, text in _texts(repository):
        if name.endswith(".py") and name.startswith(CODE_FOLDERS):
            yield name, text


@pytest.mark.parametrize("reason", FORBIDDEN)
def test_no_text_contains(repository: Path, reason: str) -> None:
    pattern = re.compile(FORBIDDEN[reason])
    hits = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in _texts(repository)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert not hits, reason


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("a path of somebody's machine", ("cd ", "home", "anna", "x")),
        ("a path of somebody's machine", ('open("', "root", 'file")')),
        ("a package registry's host", ("https:", "", "py" + "pi.org", "simple")),
        ("a note to nobody", ("# TO" + "DO: later",)),
    ],
)
def test_the_patterns_can_fail(reason: str, words: tuple[str, ...]) -> None:
    assert re.search(FORBIDDEN[reason], "/".join(words))


def test_files_are_short(repository: Path) -> None:
    sizes = {name: len(text.splitlines()) for name, text in _code(repository)}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > MAX_FILE_LINES} == {}


def test_functions_are_short(repository: Path) -> None:
    sizes = {
        f"{name}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for name, text in _code(repository)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert sizes
    assert {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES} == {}


def test_only_command_lines_print(repository: Path) -> None:
    """Libraries log; results and messages are written by the command line layers."""
    printing = [
        f"{name}:{node.lineno}"
        for name, text in _code(repository)
        if not name.startswith(("bench", "tests")) and "cli" not in name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert printing == []
