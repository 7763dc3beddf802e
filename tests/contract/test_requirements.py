"""Declared requirements: every one is pinned, and two builds of onnxruntime never meet."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PLATFORMS = tuple(
    itertools.product(("linux", "darwin", "win32"), ("x86_64", "AMD64", "aarch64", "arm64"))
)


def _project(repository: Path) -> dict[str, list[Requirement]]:
    """Extra name ("" for the runtime) -> its requirements."""
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [Requirement(line) for line in lines] for extra, lines in groups.items()}


def _pins(repository: Path) -> dict[str, str]:
    lines = (repository / "constraints.txt").read_text("utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_every_requirement_has_a_pin_that_it_allows(repository: Path) -> None:
    pins = _pins(repository)
    for requirement in itertools.chain.from_iterable(_project(repository).values()):
        if requirement.name != "mltranslate":
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_pins_are_exact(repository: Path) -> None:
    assert all(re.fullmatch(r"[\d.]+", version) for version in _pins(repository).values())


def test_both_builds_of_onnxruntime_have_one_version(repository: Path) -> None:
    pins = _pins(repository)
    assert pins["onnxruntime"] == pins["onnxruntime-gpu"]


@pytest.mark.parametrize(("system", "machine"), PLATFORMS)
def test_exactly_one_onnxruntime_is_installed(repository: Path, system: str, machine: str) -> None:
    environment = {"sys_platform": system, "platform_machine": machine}
    asked = {
        requirement.name
        for requirement in itertools.chain.from_iterable(_project(repository).values())
        if requirement.name.startswith("onnxruntime")
        and requirement.marker is not None
        and requirement.marker.evaluate(environment)
    }
    has_cuda_build = (system, machine) in {("linux", "x86_64"), ("win32", "AMD64")}
    assert asked == {"onnxruntime-gpu" if has_cuda_build else "onnxruntime"}


def test_the_runtime_needs_no_training_library(repository: Path) -> None:
    runtime = {requirement.name for requirement in _project(repository)[""]}
    assert runtime == {
        "numpy",
        "onnxruntime",
        "onnxruntime-gpu",
        "opencc",
        "platformdirs",
        "sentencepiece",
        "textual",
    }
