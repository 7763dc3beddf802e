"""A dev set of what the run itself holds out: `{run}` in its prefix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toy_corpus import write_recipe

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import load_recipe
from mltranslate_train.dryrun.check import dry_run
from mltranslate_train.loop import train

OWN = 'dev = [{ name = "held", prefix = "{run}/heldout/aa-bb." }]\n'
HOLDOUT = ["data.holdout.origins=['toy']", "data.holdout.per_mille=100"]


def test_the_held_out_text_chooses_the_weights_wherever_the_run_lies(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, OWN)
    recipe = load_recipe(path, [*HOLDOUT, "train.max_steps=2"])
    assert "held" in dry_run(recipe, tmp_path / "run")
    train(recipe, tmp_path / "run")
    about = json.loads((tmp_path / "run/best/model.json").read_text(encoding="utf-8"))
    assert set(about["dev_chrf"]) == {"held:aa-bb", "held:bb-aa"}
    moved = (tmp_path / "run").rename(tmp_path / "moved")
    longer = load_recipe(moved / "recipe.toml", ["train.max_steps=4"])
    assert longer.evaluate.dev[0].prefix == "{run}/heldout/aa-bb."
    train(longer, moved)
    lines = (moved / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [record["step"] for record in map(json.loads, lines) if "mean" in record] == [2, 4]


@pytest.mark.parametrize("command", [train, dry_run])
def test_a_run_that_holds_nothing_out_is_refused_at_once(command: object, tmp_path: Path) -> None:
    assert callable(command)
    recipe = load_recipe(write_recipe(tmp_path, OWN))
    with pytest.raises(ConfigError, match=r"dev set held .*holds nothing out.*data\.holdout"):
        command(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_was_not_held_out_is_told_before_a_step(tmp_path: Path) -> None:
    text = OWN.replace("aa-bb.", "aa-cc.")
    recipe = load_recipe(write_recipe(tmp_path, text), HOLDOUT)
    with pytest.raises(DataError, match=r"dev set held: .*aa-cc\.aa cannot be read"):
        train(recipe, tmp_path / "run")
    assert not (tmp_path / "run/last").exists()
