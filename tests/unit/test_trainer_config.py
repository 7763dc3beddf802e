import functools
from pathlib import Path

import pytest
from toy_corpus import write_recipe

from mltranslate.errors import ConfigError
from mltranslate_train import recipe_checks
from mltranslate_train.config import dump_recipe, load_recipe


@pytest.fixture
def recipe_path(tmp_path: Path) -> Path:
    return write_recipe(tmp_path)


def test_written_recipe_reads_back_equal(recipe_path: Path, tmp_path: Path) -> None:
    recipe = load_recipe(recipe_path)
    copy = tmp_path / "copy.toml"
    copy.write_text(dump_recipe(recipe), encoding="utf-8")
    assert load_recipe(copy) == recipe


def test_unknown_key_names_its_nearest_neighbour(recipe_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"train\.warmup_step'.*Did you mean 'warmup_steps'"):
        load_recipe(recipe_path, ["train.warmup_step=5"])


def test_unknown_key_in_a_list_is_named_in_full(recipe_path: Path) -> None:
    text = recipe_path.read_text(encoding="utf-8").replace("{ folder =", "{ foldr =")
    recipe_path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"data\.corpora\[0\]\.foldr"):
        load_recipe(recipe_path)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.max_steps=many", r"train\.max_steps is 'many'.*type int"),
        ("train.max_steps=true", r"train\.max_steps is True"),
        ("train.precision=fp64", r"Choose one of auto, bf16, fp32"),
        ("data.directions=['en']", r"joined by a hyphen"),
        ("data.max_tokens=40", r"does not fit model\.max_length"),
        ("data.directions=['aa-bb','aa-bb']", r"names one twice"),
        (
            "data.curriculum=[{from_step=2,directions=['aa-cc']}]",
            r"data\.curriculum has the direction 'aa-cc', which data does not have",
        ),
        (
            "evaluate.dev=[{name='d',prefix='x.',directions=['aa-cc']}]",
            r"dev set d has the direction aa-cc.*data\.directions does not have it",
        ),
        (
            "evaluate.dev=[{name='d',prefix='x.'},{name='d',prefix='y.'}]",
            r"evaluate\.dev has two sets named d",
        ),
        (
            "evaluate.dev=[{name='d',prefix='x.',directions=['aa-bb','aa-bb']}]",
            r"dev set d names a direction twice",
        ),
        ("evaluate.dev=[{name='d',prefix='x.',lines=-1}]", r"dev set d has lines -1.*0 uses all"),
        ("data.temperature=0", r"data\.temperature is 0\.0: it must be more than 0"),
        ("data.weights={toy=-1}", r"data\.weights\.toy is -1\.0"),
        ("data.direction_weights={aa-bb=0}", r"data\.direction_weights\.aa-bb is 0\.0"),
        ("data.direction_weights={aa-cc=2}", r"direction_weights names 'aa-cc': it is none of"),
        ("data.noise.upper=1.5", r"it must be 0 at least, and 1 at most"),
        ("vocabulary.size=70000", r"65536 at most"),
        ("model.heads=3", r"does not fit 3 heads"),
        ("model.heads=0", r"model\.heads is 0"),
        ("train.accumulation=0", r"train\.accumulation is 0: it must be 1 at least"),
        ("train.learning_rate=nan", r"train\.learning_rate is nan"),
        ("train.learning_rate=inf", r"learning_rate is inf: it must be more than 0, and finite"),
        ("train.weight_decay=inf", r"weight_decay is inf: it must be 0 at least, and finite"),
        ("train.clip_norm=inf", r"train\.clip_norm is inf"),
        ("train.log_every=0", r"train\.log_every is 0"),
        ("train.sampled_softmax=-1", r"train\.sampled_softmax is -1"),
        ("evaluate.every=0", r"evaluate\.every is 0"),
        ("train.patience=3", r"train\.patience is 3: no dev set.*evaluate\.dev"),
        ("model", r"has no value"),
        ("name.first=1", r"is a value, not a section"),
    ],
)
def test_wrong_value_is_refused(recipe_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(recipe_path, [override])


def test_override_takes_toml_values_and_bare_words(recipe_path: Path) -> None:
    recipe = load_recipe(recipe_path, ["train.learning_rate=1", "train.device=cuda"])
    assert recipe.train.learning_rate == 1.0
    assert isinstance(recipe.train.learning_rate, float)
    assert recipe.train.device == "cuda"


def test_a_recipe_extends_another_key_by_key(recipe_path: Path, tmp_path: Path) -> None:
    whole = load_recipe(recipe_path, ["train.max_steps=7", "data.weights={toy=2.0}", "name=one"])
    (tmp_path / "deep").mkdir()
    first, second = tmp_path / "deep/first.toml", tmp_path / "second.toml"
    first.write_text(
        f'extends = "../{recipe_path.name}"\nname = "one"\n[train]\nmax_steps = 3\n',
        encoding="utf-8",
    )
    second.write_text(
        'extends = "deep/first.toml"\n[train]\nmax_steps = 7\n[data.weights]\ntoy = 2.0\n',
        encoding="utf-8",
    )
    assert load_recipe(second) == whole


def test_here_is_the_folder_of_the_file_that_says_so(
    recipe_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep").mkdir()
    text = recipe_path.read_text(encoding="utf-8").replace(tmp_path.as_posix(), "{here}/..")
    (tmp_path / "deep/first.toml").write_text(text, encoding="utf-8")
    (tmp_path / "second.toml").write_text(
        'extends = "deep/first.toml"\n[data]\nlicences = "{here}/licences.tsv"\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    data = load_recipe(Path("second.toml")).data
    folder = tmp_path.resolve().as_posix()
    assert data.corpora[0].folder == f"{folder}/deep/../corpus"
    assert data.licences == f"{folder}/licences.tsv"


def test_keys_of_the_extended_recipe_can_be_left_out(recipe_path: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    text = recipe_path.read_text(encoding="utf-8").replace("[train]", "[train]\nseed = 7")
    first.write_text(text, encoding="utf-8")
    second.write_text('extends = "first.toml"\nwithout = ["train.seed"]\n', encoding="utf-8")
    assert load_recipe(first).train.seed == 7
    assert load_recipe(second) == load_recipe(recipe_path)


@pytest.mark.parametrize(
    "line",
    ['without = ["train.none"]', 'without = ["train.max_steps.x"]', "without = [3]", "without = 3"],
)
def test_what_is_not_there_cannot_be_left_out(recipe_path: Path, tmp_path: Path, line: str) -> None:
    path = tmp_path / "mine.toml"
    for extends in (f'extends = "{recipe_path.name}"\n', ""):
        path.write_text(extends + line, encoding="utf-8")
        with pytest.raises(ConfigError, match="cannot leave out"):
            load_recipe(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ('"mine.toml"', r"mine\.toml extends 'mine\.toml': that is no other file"),
        ("3", "extends 3"),
        ('"none.toml"', r"cannot read recipe .*none\.toml"),
    ],
)
def test_what_cannot_be_extended_is_refused(tmp_path: Path, name: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"extends = {name}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_recipe(path)


def test_missing_key_and_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    with pytest.raises(ConfigError, match="cannot read recipe"):
        load_recipe(path)
    path.write_text('name = "x"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="data is missing"):
        load_recipe(path)
    path.write_text("name = \n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no valid TOML"):
        load_recipe(path)


def test_every_range_names_a_number_and_holds_its_default(recipe_path: Path) -> None:
    recipe = load_recipe(recipe_path)
    for key, (low, high) in recipe_checks.RANGES.items():
        value = functools.reduce(getattr, key.split("."), recipe)
        assert low <= value <= high


def test_directions_of_a_step_are_those_of_its_stage(recipe_path: Path) -> None:
    stages = '[{from_step=5, directions=["bb-aa"]}, {from_step=9, weights={"*"=1}}]'
    recipe = load_recipe(recipe_path, [f"data.curriculum={stages}"])
    both = [("aa", "bb"), ("bb", "aa")]
    assert [recipe.directions_at(step) for step in (0, 4)] == [both, both]
    assert [recipe.directions_at(step) for step in (5, 8)] == [[("bb", "aa")]] * 2
    assert recipe.directions_at(9) == both
    first = load_recipe(recipe_path, ['data.curriculum=[{from_step=1, directions=["aa-bb"]}]'])
    assert first.directions_at(0) == [("aa", "bb")]


def test_sampled_softmax_with_r_drop_is_refused(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    with pytest.raises(ConfigError, match=r"sampled_softmax does not fit train\.r_drop"):
        load_recipe(path, ["train.r_drop=1", "train.sampled_softmax=9"])
