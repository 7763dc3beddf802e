from __future__ import annotations

import importlib.util
import lzma
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def bench(repository: Path) -> ModuleType:
    """The benchmark as a module; it is a script, not part of a package."""
    spec = importlib.util.spec_from_file_location("bench_lid", repository / "bench" / "lid.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _data(folder: Path) -> Path:
    path = folder / "dev.tsv.xz"
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.write("word\tde\tStraße\ntatoeba\tfr\tÉcoute-moi bien, s'il te plaît.\n")
        file.write("sentence\tzh\t我们明天去公园。\n")
    return path


def test_columns(bench: ModuleType, tmp_path: Path) -> None:
    columns = bench.read_columns(_data(tmp_path))
    assert columns["word"] == [("de", "Straße")]
    assert columns["ta:5"] == [("fr", "Écout")]
    assert columns["fold20"] == [("fr", "ecoute-moi bien, s'i")]
    assert columns["han"] == [("zh", "我们明天"), ("zh", "去公园")]


def test_accuracy_can_fall(bench: ModuleType, tmp_path: Path) -> None:
    columns = bench.read_columns(_data(tmp_path))
    answers = {"Straße": "de"}
    result = bench.measure(lambda text: answers.get(text, "xx"), columns)
    assert result["accuracy"]["word"] == 100
    assert result["accuracy"]["ta"] == 0
    shown = bench.table({"some": {"load": 0.1, **result}}, columns)
    assert "| some | 100.0 |" in shown
    assert shown.splitlines()[-2].startswith("| n | 1 |")
