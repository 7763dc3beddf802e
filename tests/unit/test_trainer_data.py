import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_corpus import WORDS, pairs, write, write_recipe

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import (
    CorpusConfig,
    DataConfig,
    HoldoutConfig,
    NoiseConfig,
    load_recipe,
)
from mltranslate_train.data.filters.hashes import letters
from mltranslate_train.data.filters.report import FilterReport
from mltranslate_train.data.filters.selection import select
from mltranslate_train.data.holdout import Holdout, is_drawn
from mltranslate_train.data.noise import noisy_copies
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.readers import Pair, find_files, weight_of
from mltranslate_train.data.sentences import sample_sentences
from mltranslate_train.data.shards import Shard
from mltranslate_train.data.weights import check_patterns, origins_of
from mltranslate_train.tokenizer import Vocabulary, train_vocabulary

WAY = [("aa", "bb")]


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


def held_out(folder: Path, ways: list[tuple[str, str]], **config: int) -> Holdout:
    files = find_files([CorpusConfig(folder=str(folder))], ways)
    return Holdout(files, HoldoutConfig(origins=("toy",), **config))


def test_short_pairs_are_not_held_out(tmp_path: Path) -> None:
    texts = [("hello!", "hi"), ("one", "a word with many letters"), ("twelveletter", "short")]
    write(tmp_path / "aa-bb.tsv", "".join(f"toy\t{one}\t{two}\n" for one, two in texts))
    holdout = held_out(tmp_path, WAY, per_mille=1000, min_letters=12)
    assert {(pair.first, pair.second) for pair in holdout.dev["aa", "bb"]} == set(texts[1:])
    assert not holdout.touches(Pair("toy", *texts[0]))
    assert holdout.touches(Pair("other", "one", "else"))


@given(st.permutations(range(60)))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_dev_set_does_not_depend_on_the_order_of_the_corpus(
    tmp_path: Path, order: list[int]
) -> None:
    lines = [f"toy\ttext {n // 2}\tTEXT {n}\n" for n in range(60)]  # two translations each
    write(tmp_path / "aa-bb.tsv", "".join(lines))
    expected = held_out(tmp_path, WAY, per_mille=900, lines=10).dev["aa", "bb"]
    write(tmp_path / "aa-bb.tsv", "".join(lines[number] for number in order))
    found = held_out(tmp_path, WAY, per_mille=900, lines=10).dev["aa", "bb"]
    assert found == expected
    assert len({pair.first for pair in found}) == len(found) == 10


def test_dev_set_comes_from_all_over_the_corpus(tmp_path: Path) -> None:
    write(tmp_path / "aa-bb.tsv", "".join(f"toy\ttext {n}\tTEXT {n}\n" for n in range(2000)))
    found = held_out(tmp_path, WAY, per_mille=500, lines=50).dev["aa", "bb"]
    numbers = [int(pair.first.split()[1]) for pair in found]
    assert len(numbers) == 50
    assert min(numbers) < 500
    assert max(numbers) > 1500


def test_what_is_held_out_is_in_no_other_language_pair(tmp_path: Path) -> None:
    """A text that is drawn takes its translations with it, in whatever pair they come."""
    texts = [f"{WORDS[n % 16]} {WORDS[n // 16 % 16]} {n}" for n in range(300)]
    for name, origin, mark in (("aa-bb", "toy", ""), ("bb-cc", "x", "!"), ("cc-aa", "x", "?")):
        one, two = name.split("-")
        lines = [f"{origin}\t{one}{text}{mark}\t{two} {text}\n" for text in texts]
        write(tmp_path / f"{name}.tsv", "".join(lines))
    directions = 'data.directions=["aa-bb", "bb-cc", "cc-aa"]'
    (tmp_path / "toy").mkdir()
    recipe = load_recipe(
        write_recipe(tmp_path / "toy"),
        [f'data.corpora=[{{folder="{tmp_path}"}}]', directions,
         'data.holdout={origins=["toy"], per_mille=200}', "vocabulary.sample=2000"],
    )  # fmt: skip
    run = tmp_path / "run"
    prepare(recipe, run)
    held = set((run / "heldout/aa-bb.aa").read_text("utf-8").splitlines())
    assert len(held) > 30
    vocabulary = Vocabulary(run / "vocabulary.model")
    for name in ("aa-bb", "bb-cc", "cc-aa"):
        shard = Shard(run / "shards" / name)
        sides = [side.tolist() for i in range(len(shard)) for side in shard.pair(i)]
        numbers = {re.sub(r"\D", "", text) for text in vocabulary.decode(sides)}
        assert len(numbers) == 300 - len(held)
        assert numbers.isdisjoint(re.sub(r"\D", "", text) for text in held)


def test_noise_changes_both_sides_alike() -> None:
    every = NoiseConfig(upper=1, title=1, lower=1, no_final_stop=1)
    copies = noisy_copies("How are you?", "Wie geht es?", ("en", "de"), every, random.Random(0))
    assert copies == [
        ("HOW ARE YOU?", "WIE GEHT ES?", "both"),
        ("How Are You?", "Wie Geht Es?", "both"),
        ("how are you?", "wie geht es?", "both"),
        ("How are you", "Wie geht es", "both"),
    ]
    assert noisy_copies("好。", "好。", ("zh", "ja"), NoiseConfig(upper=1), random.Random(0)) == []


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


def test_no_text_is_no_question_of_the_size(tmp_path: Path) -> None:
    config = load_recipe(write_recipe(tmp_path)).vocabulary
    with pytest.raises(DataError, match=r"no text to make a vocabulary of.*data\.corpora"):
        train_vocabulary(["", "  "], ["aa"], config, tmp_path / "vocabulary")


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
    changes = [
        "train.max_steps=99",
        "data.temperature=2",
        "data.direction_weights={'*'=2}",
        "data.subword_sampling=0.5",
    ]
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


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.weights={tyo=2}", r"data\.weights has 'tyo', which is no origin .* are toy\."),
        ('data.weights={"n*"=0.5, toy=2}', r"data\.weights has 'n\*'"),
        ("data.curriculum=[{from_step=5, weights={new=1}}]", r"data\.curriculum has 'new'"),
        ('data.holdout={origins=["toy", "x"], per_mille=9}', r"data\.holdout\.origins has 'x'"),
    ],
)
def test_names_of_no_origin_are_refused(tmp_path: Path, override: str, message: str) -> None:
    path = write_recipe(tmp_path)
    with pytest.raises(ConfigError, match=message):
        prepare(load_recipe(path, [override]), tmp_path / "run")
    assert not (tmp_path / "run/shards").exists()
    prepare(load_recipe(path), tmp_path / "run")
    if "holdout" not in override:
        with pytest.raises(ConfigError, match=message):  # also where the data is there already
            prepare(load_recipe(path, [override]), tmp_path / "run")


def test_origins_are_read_only_until_all_names_were_found() -> None:
    def origins() -> Iterator[str]:
        yield from ("a", "b", "news", "news")
        raise AssertionError("read too far")

    data = DataConfig(corpora=(), weights={"n*": 2.0, "b": 1.0})
    with pytest.raises(AssertionError, match="read too far"):
        check_patterns(replace(data, weights={"c": 1.0}), origins())
    check_patterns(data, origins())
    check_patterns(replace(data, weights={}), origins())


def test_origins_of_every_kind_of_file(tmp_path: Path) -> None:
    write(tmp_path / "aa-bb.tsv", "x\ta\tb\nx\tc\td\ny\te\tf\n")
    pairs_only = write(tmp_path / "two.tsv", "a\tb\n")
    named = CorpusConfig(tsv=pairs_only, languages=("aa", "bb"), origin="mine")
    corpora = [CorpusConfig(folder=str(tmp_path)), replace(named, origin=""), named]
    found = [list(origins_of(file)) for file in find_files(corpora, WAY)]
    assert found == [["x", "y"], ["two.tsv"], ["mine"]]


def test_vocabulary_sample_follows_the_weights_of_languages_and_origins(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, "[data.weights]\nrare = 0.1\nnone = 0\n")
    lines = [f"rare\tsun {n}\tnus {n}\n" for n in range(1000)]
    lines += [f"none\tzip {n}\tpiz {n}\n" for n in range(10)]
    with (tmp_path / "corpus/aa-bb.tsv").open("a", encoding="utf-8") as file:
        file.writelines(lines)
    changes = ["vocabulary.sample=400", "vocabulary.weights={bb=3}"]
    recipe = load_recipe(path, changes)
    files = find_files(recipe.data.corpora, WAY)
    texts = list(sample_sentences(recipe, select(files, recipe.data, FilterReport())))
    assert len(texts) == 400
    firsts, seconds = texts[:100], texts[100:]
    assert {word for text in firsts for word in text.split() if word.isalpha()} <= set(WORDS)
    assert {word[::-1] for text in seconds for word in text.split() if word.isalpha()} <= set(WORDS)
    rare = sum(bool(re.search(r"\d", text)) for text in texts)
    assert 40 < rare < 130  # 100 of 500 on an average


@pytest.mark.parametrize(
    ("weights", "message"),
    [("{bb=0}", r"vocabulary\.weights\.bb is 0\.0"), ("{xx=2}", r"vocabulary\.weights names 'xx'")],
)
def test_weights_of_languages_are_checked(tmp_path: Path, weights: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(write_recipe(tmp_path), [f"vocabulary.weights={weights}"])


def test_mended_recipe_continues_where_the_first_one_failed(tmp_path: Path) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    told = r"no usable example for aa-bb: dropped: \d+ [^{}]*\. .*data\.filter"
    with pytest.raises(DataError, match=told):
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


def test_licences_may_come_from_several_tables(tmp_path: Path) -> None:
    one = write(tmp_path / "one.tsv", "source\tlicence\nelsewhere\tMIT\n")
    two = write(tmp_path / "two.tsv", "licence\tsource\nCC0-1.0\ttoy\n")
    recipe = load_recipe(write_recipe(tmp_path), [f"data.licences={json.dumps([one, two])}"])
    prepare(recipe, tmp_path / "run")
    summary = json.loads((tmp_path / "run/data.json").read_text("utf-8"))
    assert summary["licences"] == {"toy": "CC0-1.0"}
    assert load_recipe(tmp_path / "run/recipe.toml") == recipe
