from pathlib import Path

import pytest

from mltranslate.errors import ConfigError
from mltranslate_train import cli, locations
from mltranslate_train.config import load_recipe
from mltranslate_train.locations import find_recipe


def test_shipped_recipe_is_found_by_its_name(repository: Path) -> None:
    found = find_recipe("small-en-de-zh")
    assert found == repository / "trainer/recipes/small-en-de-zh.toml"
    assert load_recipe(found).name == "small-en-de-zh"


def test_wheel_uses_the_recipes_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locations, "_PACKAGE", tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/mine.toml").touch()
    assert find_recipe("mine") == tmp_path / "recipes/mine.toml"


@pytest.mark.parametrize("text", ["missing.toml", "folder/small-en-de-zh", "/x/y"])
def test_paths_stay_paths(text: str) -> None:
    assert find_recipe(text) == Path(text)


def test_file_without_suffix_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lid").touch()
    assert find_recipe("lid") == Path("lid")


def test_unknown_name_is_refused_with_those_that_ship(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ConfigError, match=r"'big'.*lid, .*small-en-de-zh"):
        find_recipe("big")
    for command in (["run", "big"], ["prepare", "big"], ["lid", "big", "--out", "x"]):
        assert cli.main(command) == 2
        assert "small-en-de-zh" in capsys.readouterr().err
