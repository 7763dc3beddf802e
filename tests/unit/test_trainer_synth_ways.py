"""A corpus that is for one direction teaches only that one."""

from pathlib import Path

import pytest
from toy_corpus import pairs, write_recipe

from mltranslate.errors import ConfigError
from mltranslate_train.config import load_recipe
from mltranslate_train.data.prepare import SHARDS, prepare
from mltranslate_train.data.shards import Shard
from mltranslate_train.synth.lines import pairs_of


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A corpus for both directions and one, named the other way round, for one of them."""
    path = write_recipe(tmp_path)
    (tmp_path / "made").mkdir()
    lines = "".join(f"made\t{second}\t{first}\n" for first, second in pairs(30, seed=5))
    (tmp_path / "made" / "bb-aa.tsv").write_text(lines, "utf-8")
    both = f'{{ folder = "{(tmp_path / "corpus").as_posix()}" }}'
    one = f'{{ folder = "{(tmp_path / "made").as_posix()}", directions = ["bb-aa"] }}'
    text = path.read_text("utf-8").replace(f"[{both}]", f"[{both}, {one}]")
    assert one in text
    path.write_text(text, "utf-8")
    return path


def test_shards_say_which_way_each_origin_teaches(recipe: Path, tmp_path: Path) -> None:
    noise = ["data.noise.typos=1.0", "data.noise.upper=1.0"]
    prepare(load_recipe(recipe, noise), tmp_path / "run")
    groups = Shard(tmp_path / "run" / SHARDS / "aa-bb").groups
    found = {(group.origin, group.way) for group in groups}
    real = {("toy", "both"), ("toy", "forward"), ("toy", "backward")}
    assert found == real | {("made", "backward")}


def test_a_direction_that_the_recipe_lacks_is_refused(recipe: Path) -> None:
    with pytest.raises(ConfigError, match="for 'bb-aa', which data"):
        load_recipe(recipe, ['data.directions=["aa-bb"]'])


def test_distillation_leaves_out_what_is_for_the_other_direction(recipe: Path) -> None:
    forwards, backwards = pairs_of(str(recipe), [("aa", "bb"), ("bb", "aa")])
    assert {line.origin for line in forwards} == {"toy"}
    assert {line.origin for line in backwards} == {"toy", "made"}
    line = next(line for line in backwards if line.origin == "made")
    assert line.source == " ".join(word[::-1] for word in line.reference.split())
