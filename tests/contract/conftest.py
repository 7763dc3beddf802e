"""Child processes for the contract tests: console scripts, blocked imports, a cut network."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

Completed = subprocess.CompletedProcess[str]

NETWORK_GUARD = """
import socket, sys

def _guard(event, arguments):
    internet = (socket.AF_INET, socket.AF_INET6)
    if event == "socket.__new__" and arguments[1] in internet or event == "socket.getaddrinfo":
        raise PermissionError(f"network use: {event} {arguments[1:]}")

sys.addaudithook(_guard)
"""

NO_TRAINING = """
import sys

class _Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "onnx"):
            raise ModuleNotFoundError(f"blocked by a test: {name}", name=name)

sys.meta_path.insert(0, _Blocked())
"""


@pytest.fixture(scope="session")
def network_guard() -> str:
    """A `sitecustomize` that refuses internet sockets before the program's first import."""
    return NETWORK_GUARD


@pytest.fixture(scope="session")
def no_training() -> str:
    """A `sitecustomize` under which torch and onnx are not installed."""
    return NO_TRAINING


@pytest.fixture(scope="session")
def console_scripts(repository: Path) -> dict[str, str]:
    """Console script name -> `module:function`, as pyproject.toml declares them."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    return dict(project["project"]["scripts"])


@pytest.fixture(scope="session")
def script_code(console_scripts: dict[str, str]) -> Callable[[str], str]:
    """Python source that does what the installed console script does."""

    def code(script: str) -> str:
        module, function = console_scripts[script].split(":")
        return (
            f"import sys; from {module} import {function}; "
            f"sys.argv[0] = {script!r}; sys.exit({function}())"
        )

    return code


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., Completed]:
    """Run `python -c code`, with a `sitecustomize` and import path of the test's choice."""

    def run(
        code: str,
        *arguments: str,
        customize: str = "",
        path: Sequence[Path] = (),
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        guard = tmp_path / "guard"
        guard.mkdir(exist_ok=True)
        (guard / "sitecustomize.py").write_text(customize, encoding="utf-8")
        folders = [str(guard), *map(str, path)] if path else [str(guard), os.environ["PYTHONPATH"]]
        return subprocess.run(
            [*prefix, sys.executable, "-c", code, *arguments],
            env={**os.environ, **(environment or {}), "PYTHONPATH": os.pathsep.join(folders)},
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run
