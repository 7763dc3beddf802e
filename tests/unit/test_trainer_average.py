"""`mltranslate-train average`: the mean of two runs, as a run that can be scored and exported."""

import json
from pathlib import Path

import pytest
import torch
from test_trainer_finetune import EVALUATED, about, best, parent, write_game

from mltranslate.errors import DataError, UsageError
from mltranslate_export.checkpoint import describe, load_run
from mltranslate_train import cli
from mltranslate_train.config import load_recipe
from mltranslate_train.finetune.average import average
from mltranslate_train.finetune.parent import open_parent
from mltranslate_train.loop import train

__all__ = ["parent"]  # a fixture of the other module


@pytest.fixture
def child(parent: Path, tmp_path: Path) -> Path:
    """A run that was fine-tuned from `parent`."""
    path = write_game(tmp_path, reverse=True)
    recipe = load_recipe(path, [*EVALUATED, "train.max_steps=4"])
    train(recipe, tmp_path / "child", parent=str(parent))
    return tmp_path / "child"


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_weights_lie_between_those_of_both(
    parent: Path, child: Path, tmp_path: Path, share: float
) -> None:
    command = ["average", str(child), "--with", str(parent), "--out", str(tmp_path / "mean")]
    assert cli.main([*command, "--share", str(share)]) == 0
    ours, theirs, mean = best(child), best(parent), best(tmp_path / "mean")
    assert mean.keys() == ours.keys()
    apart = 0
    for name, value in mean.items():
        torch.testing.assert_close(value, (1 - share) * ours[name] + share * theirs[name])
        apart += not ours[name].equal(theirs[name])
    assert apart > 10, "the runs do not differ: nothing is shown"


def test_the_mean_says_what_it_is_made_of(parent: Path, child: Path, tmp_path: Path) -> None:
    average(child, str(parent), 0.25, tmp_path / "mean")
    found = about(tmp_path / "mean")
    note = found["averaged"]
    assert isinstance(note, dict)
    assert note["weights_sha256"] == open_parent(str(parent)).sha256
    assert (note["share"], note["step"]) == (0.25, 60)
    assert (found["step"], found["sources"]) == (4, about(child)["sources"])
    assert "dev_chrf" in about(child)
    assert "dev_chrf" not in found
    provenance = describe(load_run(tmp_path / "mean"))
    assert provenance["averaged"] == note


def test_the_new_folder_is_scored_and_has_the_data(
    parent: Path, child: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    average(child, str(parent), 0.5, tmp_path / "mean")
    shards = sorted(path.relative_to(child) for path in child.glob("shards/*/*"))
    assert shards
    assert shards == sorted(
        path.relative_to(tmp_path / "mean") for path in (tmp_path / "mean").glob("shards/*/*")
    )
    assert not (tmp_path / "mean/last").exists()
    dev = f"unseen={tmp_path}/dev."
    assert cli.main(["evaluate", str(tmp_path / "mean"), "--on", dev]) == 0
    assert "unseen" in capsys.readouterr().out


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_a_share_that_is_none_is_refused(parent: Path, tmp_path: Path, share: float) -> None:
    with pytest.raises(UsageError, match="is no average"):
        average(parent, str(parent), share, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_what_is_there_is_left_alone(parent: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is there already"):
        average(parent, str(parent), 0.5, tmp_path)


@pytest.mark.parametrize("change", ["shape", "vocabulary"])
def test_models_that_differ_are_refused(
    parent: Path, child: Path, tmp_path: Path, change: str
) -> None:
    if change == "shape":
        path = child / "best/model.json"
        found = json.loads(path.read_text("utf-8"))
        found["model"]["max_length"] += 1
        path.write_text(json.dumps(found), "utf-8")
    else:
        with (child / "vocabulary.model").open("ab") as file:
            file.write(b"\n")
    with pytest.raises(DataError, match=f"{'shape' if change == 'shape' else 'vocabular'}"):
        average(child, str(parent), 0.5, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_a_folder_without_a_recipe_is_no_run(parent: Path, child: Path, tmp_path: Path) -> None:
    (child / "recipe.toml").unlink()
    with pytest.raises(DataError, match=r"has no recipe\.toml"):
        average(child, str(parent), 0.5, tmp_path / "mean")
