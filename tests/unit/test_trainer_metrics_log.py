import importlib.util
import json
from pathlib import Path

import pytest
import torch
from toy_corpus import write_recipe

from mltranslate.errors import ConfigError, TrainingError
from mltranslate_train import metrics_log
from mltranslate_train.config import TrainConfig, load_recipe
from mltranslate_train.distributed import World
from mltranslate_train.dryrun.check import dry_run
from mltranslate_train.loop import train
from mltranslate_train.metrics_log import JsonLines, Meter, TensorBoard, open_reports

RECORD = {"step": 3, "loss": 2.0, "tokens_per_second": 10.0, "learning_rate": 0.1}


def test_line_that_a_crash_cut_off_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n{"step": 2, "lo')
    lines = JsonLines(path)
    lines.trained({"step": 2})
    lines.close()
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [record["step"] for record in records] == [1, 2]
    assert records[1]["time"] > 0


def test_only_the_main_process_reports(tmp_path: Path) -> None:
    config = TrainConfig(max_steps=5)
    with open_reports(tmp_path, config, 0, main=False) as reports:
        reports.trained(RECORD)
    assert list(tmp_path.iterdir()) == []
    with open_reports(tmp_path, config, 0, main=True) as reports:
        reports.trained(RECORD)
    assert (tmp_path / "metrics.jsonl").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to stand for a full disk")
def test_full_disk_ends_the_run_with_advice(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/metrics.jsonl").symlink_to("/dev/full")
    with pytest.raises(TrainingError, match=r"metrics .* cannot be written: No space left.*room"):
        train(load_recipe(write_recipe(tmp_path), ["train.max_steps=1"]), tmp_path / "run")


def test_meter_gives_means_and_begins_anew() -> None:
    meter = Meter(torch.device("cpu"))
    for loss, tokens in ((30.0, 10), (10.0, 30)):
        meter.add(torch.tensor(loss), tokens)
        meter.seconds += 0.5
    assert meter.take(World()) == {"loss": 1.0, "tokens_per_second": 40.0}
    meter.add(torch.tensor(float("nan")), 1)
    with pytest.raises(TrainingError, match="the loss is nan"):
        meter.take(World())


def test_missing_tensorboard_is_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    recipe = load_recipe(write_recipe(tmp_path), ["train.tensorboard=true", "train.max_steps=1"])
    with pytest.raises(ConfigError, match="pip install tensorboard"):
        train(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()  # before any data is made
    with pytest.raises(ConfigError, match="pip install tensorboard"):
        dry_run(recipe, tmp_path / "run")


class Writer:
    """Keeps scalars as `SummaryWriter` would write them."""

    def __init__(self) -> None:
        self.scalars: dict[tuple[str, int], float] = {}
        self.closed = False

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars[name, step] = value

    def close(self) -> None:
        self.closed = True


def test_tensorboard_gets_loss_speed_rate_and_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer()
    monkeypatch.setattr(metrics_log, "open_tensorboard", lambda *_: writer)
    config = TrainConfig(max_steps=5, tensorboard=True)
    with open_reports(tmp_path, config, 0, main=True) as reports:
        reports.trained(RECORD)
        reports.evaluated({
            "step": 4, "chrf": {"d:a-b": 5.0}, "bleu": {"d:a-b": 3.0}, "mean": 5.0, "metric": "chrf"
        })  # fmt: skip
    assert writer.closed
    assert writer.scalars == {
        ("train/loss", 3): 2.0, ("train/tokens_per_second", 3): 10.0,
        ("train/learning_rate", 3): 0.1,
        ("chrf/d:a-b", 4): 5.0, ("bleu/d:a-b", 4): 3.0, ("dev/mean", 4): 5.0,
    }  # fmt: skip


def test_real_tensorboard_writes_events(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    writer = metrics_log.open_tensorboard(tmp_path, 0)
    TensorBoard(writer).trained(RECORD)
    writer.close()
    assert next(tmp_path.iterdir()).stat().st_size > 0
