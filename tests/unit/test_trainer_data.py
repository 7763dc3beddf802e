import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_corpus import pairs, write_recipe

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import CorpusConfig, HoldoutConfig, NoiseConfig, load_recipe
from mltranslate_train.data.holdout import Holdout, is_drawn, letters
from mltranslate_train.data.noise import noisy_copies
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.readers import find_files, weight_of
from mltranslate_train.data.shards import Shard
from mltranslate_train.tokenizer import Vocabulary

WAY = [("aa", "bb")]


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def test_last_matching_weight_counts() -> None:
    weights = {"*": 0.5, "news*": 2.0}
    assert weight_of("newstest", weights) == 2.0
    assert weight_of("talk", weights) == 0.5
    assert weight_of("talk", {}) == 1.0


@given(st.text())
def test_holdout_ignores_case_and_punctuation(text: str) -> None:
    assert letters(f" «{letters(text)}»!") == letters(text)
    assert is_drawn(text, 500) == is_drawn(f"({text}).", 500)


def test_drawn_share_is_near_the_wanted_one() -> None:
    drawn = sum(is_drawn(f"sentence {number}", 100) for number in range(20_000))
    assert 1_800 < drawn < 2_200


def test_no_training_pair_shares_a_side_with_a_held_out_one(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, '[data.holdout]\norigins = ["t*"]\nper_mille = 100\n')
    recipe = load_recipe(path)
    prepare(recipe, tmp_path / "run")
    held = (tmp_path / "run/heldout/aa-bb.aa").read_text(encoding="utf-8").splitlines()
    shard = Shard(tmp_path / "run/shards/aa-bb")
    vocabulary = Vocabulary(tmp_path / "run/vocabulary.model")
    trained = {vocabulary.decode([shard.pair(i)[0].tolist()])[0] for i in range(len(shard))}
    assert len(held) > 10
    assert trained.isdisjoint(held)
    assert trained | set(held) == {first for first, _ in pairs(400)}


def test_holdout_covers_other_origins_with_the_same_text(tmp_path: Path) -> None:
    lines = "".join(f"kept\ttext {n}\tTEXT {n}\nother\ttext {n}!\tTEXT {n}\n" for n in range(50))
    write(tmp_path / "aa-bb.tsv", lines)
    files = find_files([CorpusConfig(folder=str(tmp_path))], WAY)
    holdout = Holdout(files, HoldoutConfig(origins=("kept",), per_mille=500, lines=5))
    touched = [pair for pair in files[0] if holdout.touches(pair)]
    assert {pair.origin for pair in touched} == {"kept", "other"}
    assert len(holdout.dev["aa", "bb"]) == 5
    assert 20 < len(touched) < 80


def test_noise_changes_both_sides_alike() -> None:
    every = NoiseConfig(upper=1, title=1, lower=1, no_final_stop=1)
    copies = noisy_copies("How are you?", "Wie geht es?", every, random.Random(0))
    assert copies == [
        ("HOW ARE YOU?", "WIE GEHT ES?"),
        ("How Are You?", "Wie Geht Es?"),
        ("how are you?", "wie geht es?"),
        ("How are you", "Wie geht es"),
    ]
    assert noisy_copies("好。", "好。", NoiseConfig(upper=1), random.Random(0)) == []


def test_vocabulary_round_trips_any_text_without_control_characters(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    prepare(recipe, tmp_path / "run")
    vocabulary = Vocabulary(tmp_path / "run/vocabulary.model")
    text = "sun Привет 漢字 🦊 ñ 42"
    ids = vocabulary.encode([text])
    assert vocabulary.decode(ids) == [text]
    assert np.max(ids) < len(vocabulary) == recipe.vocabulary.size
    assert vocabulary.encode(["<2bb> <mask>"])[0] != [vocabulary.tag_id("bb"), 4]
    with pytest.raises(DataError, match="no tag for 'xx'"):
        vocabulary.tag_id("xx")


def test_too_small_a_vocabulary_is_refused(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path), ["vocabulary.size=100"])
    with pytest.raises(DataError, match=r"no vocabulary of 100 pieces.*vocabulary\.size"):
        prepare(recipe, tmp_path / "run")
    assert not (tmp_path / "run/vocabulary.model").exists()


def test_run_of_another_recipe_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    prepare(load_recipe(path), run)
    before = (run / "recipe.toml").read_text("utf-8")
    (run / "last").mkdir()  # weights make the model's shape count, too
    for override, key in (("model.ffn=128", r"model\.ffn"), ("data.seed=2", r"data\.seed")):
        with pytest.raises(ConfigError, match=f"was made with another {key}: .*--out"):
            prepare(load_recipe(path, [override]), run)
    assert (run / "recipe.toml").read_text("utf-8") == before


def test_what_only_uses_the_data_may_change(tmp_path: Path) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    prepare(load_recipe(path), run)
    made = (run / "data.json").stat().st_mtime_ns
    changes = ["train.max_steps=99", "data.temperature=2", "data.subword_sampling=0.5"]
    changes.append('data.curriculum=[{from_step=5, weights={"*"=2.0}}]')
    recipe = load_recipe(path, [*changes, "model.ffn=128"])
    prepare(recipe, run)
    assert load_recipe(run / "recipe.toml") == recipe
    (run / "best").mkdir()
    recipe = load_recipe(path, [*changes, "model.ffn=128", "model.dropout=0.3"])
    prepare(recipe, run)
    assert load_recipe(run / "recipe.toml") == recipe
    assert (run / "data.json").stat().st_mtime_ns == made


def test_an_origin_that_was_left_out_gets_no_weight_later(tmp_path: Path) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    with (tmp_path / "corpus/aa-bb.tsv").open("a", encoding="utf-8") as file:
        file.write("other\tsun\tnus\n")
    prepare(load_recipe(path, ["data.weights={other=0}"]), run)
    with pytest.raises(ConfigError, match=r"data\.weights now uses other: .*--out"):
        prepare(load_recipe(path), run)
    assert load_recipe(run / "recipe.toml").data.weights == {"other": 0}
    prepare(load_recipe(path, ["data.weights={other=0, toy=2}"]), run)


def test_mended_recipe_continues_where_the_first_one_failed(tmp_path: Path) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    with pytest.raises(DataError, match="no usable example for aa-bb"):
        prepare(load_recipe(path, ["data.max_tokens=1"]), run)
    assert (run / "vocabulary.model").is_file()
    prepare(load_recipe(path, ["vocabulary.size=300"]), run)
    assert len(Vocabulary(run / "vocabulary.model")) == 300
    assert not list(run.glob("unfinished*"))


@pytest.mark.parametrize("table", [None, "", "name\tlicence\nx\tCC0\n", "source\tlicence\nx\n"])
def test_unusable_licences_are_refused_before_the_work(tmp_path: Path, table: str | None) -> None:
    if table is not None:
        write(tmp_path / "licences.tsv", table)
    file = (tmp_path / "licences.tsv").as_posix()
    recipe = load_recipe(write_recipe(tmp_path), [f"data.licences={file}"])
    with pytest.raises(DataError, match=r"data\.licences .* cannot be read.*source and licence"):
        prepare(recipe, tmp_path / "run")
    assert not (tmp_path / "run/vocabulary.model").exists()


def test_licences_of_the_sources_used_are_kept(tmp_path: Path) -> None:
    table = "source\turl\tlicence\ntoy\tx\tCC0-1.0\nother\ty\tMIT\n"
    file = Path(write(tmp_path / "licences.tsv", table)).as_posix()
    prepare(load_recipe(write_recipe(tmp_path), [f"data.licences={file}"]), tmp_path / "run")
    summary = json.loads((tmp_path / "run/data.json").read_text("utf-8"))
    assert summary["licences"] == {"toy": "CC0-1.0"}
