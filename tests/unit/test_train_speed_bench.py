"""The training benchmark measures what it says, on a model of a few thousand weights."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from mltranslate_train.config import TrainConfig


@pytest.fixture
def bench(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark as a module; it is a script, not part of a package."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = repository / "bench" / "train_speed.py"
    spec = importlib.util.spec_from_file_location("bench_train_speed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tiny(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a shape that trains in no time."""
    shape = bench.Shape(
        vocabulary=400, d_model=16, heads=2, ffn=16, encoder_layers=1, decoder_layers=1
    )
    monkeypatch.setitem(bench.SHAPES, "tiny", shape)
    return "tiny"


def test_two_steps_of_both_trainers(bench: ModuleType, tiny: str) -> None:
    config = TrainConfig(max_steps=9, batch_tokens=512, precision="fp32", device="cpu", threads=1)
    found = bench.measure(bench.SHAPES[tiny], config, steps=2, examples=200)
    assert found["tokens_per_second"] > 0
    assert found["baseline_tokens_per_second"] > 0
    assert found["ratio"] == pytest.approx(
        found["tokens_per_second"] / found["baseline_tokens_per_second"], abs=0.02
    )
    assert (found["windows"], found["steps"], found["precision"]) == (2, 2, "float32")
    assert found["parameters"] > 400 * 16


def test_baseline_has_our_size_and_loss(bench: ModuleType, tiny: str, tmp_path: Path) -> None:
    config = TrainConfig(max_steps=9, batch_tokens=512, precision="fp32", device="cpu", threads=1)
    recipe = bench._recipe(bench.SHAPES[tiny], config, 0.0)
    bench._make_data(recipe, tmp_path, 200)
    trainer = bench.Trainer(recipe, tmp_path)
    baseline = bench.Baseline(recipe, 400, torch.device("cpu"))
    ours = sum(item.numel() for item in trainer.model.parameters())
    learnt = sum(item.numel() for item in baseline.all.parameters())
    assert learnt - baseline.positions.weight.numel() == ours
    batch = next(iter(trainer.sampler))
    loss = float(trainer.step([batch])) / batch.target_tokens
    assert loss == pytest.approx(baseline.step(batch), rel=0.2)


def test_command_line_ends_with_the_three_figures(
    bench: ModuleType, tiny: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    figures = {"tokens_per_second": 6, "baseline_tokens_per_second": 3, "ratio": 2.0}
    monkeypatch.setattr(bench, "measure", lambda *_: figures)
    report = tmp_path / "report.json"
    monkeypatch.setattr(sys, "argv", ["x", "--shape", tiny, "--json", str(report)])
    bench.main()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "train tokens_per_second=6 baseline=3 ratio=2.0"
    assert '"ratio": 2.0' in report.read_text("utf-8")
