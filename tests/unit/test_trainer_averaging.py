from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn
from toy_corpus import write_recipe

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.averaging import MovingAverage, Snapshots
from mltranslate_train.config import load_recipe
from mltranslate_train.distributed import World
from mltranslate_train.loop import train


def layer() -> nn.Linear:
    model = nn.Linear(1, 1, bias=False)
    fill(model, 0.0)
    return model


def fill(model: nn.Linear, value: float) -> None:
    with torch.no_grad():
        model.weight.fill_(value)


def names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.iterdir())


def test_mean_is_of_the_last_snapshots_and_of_fewer_at_the_beginning(tmp_path: Path) -> None:
    model = layer()
    snapshots = Snapshots(model, tmp_path / "s", every=2, last=3, step=0, world=World())
    fill(model, 100.0)
    assert snapshots.weights()["weight"].item() == 100.0  # none yet: the latest
    means = {}
    for step in range(1, 11):
        fill(model, float(step))
        snapshots.update(step)
        means[step] = snapshots.weights()["weight"].item()
    assert means == {
        1: 1.0, 2: 2.0, 3: 2.0, 4: 3.0, 5: 3.0, 6: 4.0, 7: 4.0, 8: 6.0, 9: 6.0, 10: 8.0
    }  # fmt: skip


def test_damaged_snapshot_is_a_clear_error(tmp_path: Path) -> None:
    snapshots = Snapshots(layer(), tmp_path, every=1, last=2, step=0, world=World())
    snapshots.update(1)
    (tmp_path / "1.safetensors").write_bytes(b"cut")
    with pytest.raises(DataError, match=r"snapshot .*1\.safetensors cannot be read.*Remove it"):
        snapshots.weights()


def test_snapshots_go_only_when_no_resume_can_need_them(tmp_path: Path) -> None:
    model = layer()
    snapshots = Snapshots(model, tmp_path, every=1, last=2, step=0, world=World())
    for step in range(1, 6):
        fill(model, float(step))
        snapshots.update(step)
        if step == 3:
            snapshots.saved(step)
    # A crash after step 5 goes back to step 3, whose average is of 2 and 3.
    assert names(tmp_path) == ["2", "3", "4", "5"]
    resumed = Snapshots(model, tmp_path, every=1, last=2, step=3, world=World())
    assert resumed.weights()["weight"].item() == 2.5
    fill(model, 40.0)
    resumed.update(4)
    assert resumed.weights()["weight"].item() == 21.5
    resumed.saved(4)
    assert names(tmp_path) == ["3", "4", "5"]


def test_what_is_frozen_is_not_averaged_but_evaluated() -> None:
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    average = MovingAverage(model, 0.9)
    assert set(average.state_dict()) == {"weight"}
    assert set(average.weights()) == {"weight", "bias"}


def test_run_evaluates_the_mean_of_its_snapshots_across_a_resume(tmp_path: Path) -> None:
    (tmp_path / "dev.aa").write_text("sun\n", encoding="utf-8")
    (tmp_path / "dev.bb").write_text("nus\n", encoding="utf-8")
    dev = f'dev = [{{ name = "d", prefix = "{tmp_path.as_posix()}/dev." }}]\n'
    path = write_recipe(tmp_path, dev)
    sets = ["train.ema_decay=0", "train.average_last=2", "train.snapshot_every=2"]
    train(load_recipe(path, [*sets, "train.max_steps=7"]), tmp_path / "unbroken")
    for stop in (5, 7):
        train(load_recipe(path, [*sets, f"train.max_steps={stop}"]), tmp_path / "broken")
    for run in ("unbroken", "broken"):
        assert names(tmp_path / run / "snapshots") == ["4", "6"]
        assert not safetensors.torch.load_file(tmp_path / run / "last/average.safetensors")
    four, six = (
        safetensors.torch.load_file(tmp_path / f"unbroken/snapshots/{step}.safetensors")
        for step in (4, 6)
    )
    # Scores are zero throughout, so that the best weights of the broken run are those of step 5.
    best = safetensors.torch.load_file(tmp_path / "unbroken/best/model.safetensors")
    assert all(torch.equal(best[name], (four[name] + six[name]) / 2) for name in best)
    assert not torch.equal(four["embedding.weight"], six["embedding.weight"])


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["train.average_last=2"], "Set both, or neither"),
        (["train.snapshot_every=2", "train.ema_decay=0"], "Set both, or neither"),
        (["train.average_last=2", "train.snapshot_every=5"], "does not fit train.ema_decay"),
    ],
)
def test_recipes_whose_averages_exclude_each_other_are_refused(
    tmp_path: Path, sets: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(write_recipe(tmp_path), sets)
