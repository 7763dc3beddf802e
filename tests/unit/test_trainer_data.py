import json
import lzma
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
from mltranslate_train.data.shards import Shard, ShardWriter
from mltranslate_train.tokenizer import Vocabulary

WAY = [("aa", "bb")]


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def test_folder_reads_plain_and_compressed_files_either_way_round(tmp_path: Path) -> None:
    write(tmp_path / "aa-bb.tsv", "news\teins\tone\r\n")
    with lzma.open(tmp_path / "cc-aa.tsv.xz", "wt", encoding="utf-8") as file:
        file.write("talk\tuno\teins\n")
    files = find_files([CorpusConfig(folder=str(tmp_path))], [("bb", "aa"), ("aa", "cc")])
    assert [file.languages for file in files] == [("aa", "bb"), ("cc", "aa")]
    assert [(pair.origin, pair.first, pair.second) for file in files for pair in file] == [
        ("news", "eins", "one"),
        ("talk", "uno", "eins"),
    ]


def test_files_of_both_orders_serve_one_language_pair(tmp_path: Path) -> None:
    one, two = write(tmp_path / "1", "a\tb\n"), write(tmp_path / "2", "d\tc\n")
    corpora = [
        CorpusConfig(tsv=one, languages=("aa", "bb")),
        CorpusConfig(tsv=two, languages=("bb", "aa")),
    ]
    files = find_files(corpora, WAY)
    assert [file.languages for file in files] == [("aa", "bb")] * 2
    assert [(p.first, p.second) for file in files for p in file] == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize("name", ["aa-bb.tsv", "aa-bb.tsv.xz"])
def test_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x\t\xff\tb\n")
    (file,) = find_files([CorpusConfig(folder=str(tmp_path))], WAY)
    with pytest.raises(DataError, match=r"aa-bb\.tsv.* cannot be read"):
        list(file)


def test_truncated_archive_is_named(tmp_path: Path) -> None:
    packed = lzma.compress(b"x\ta\tb\n" * 1000)
    (tmp_path / "aa-bb.tsv.xz").write_bytes(packed[: len(packed) // 2])
    (file,) = find_files([CorpusConfig(folder=str(tmp_path))], WAY)
    with pytest.raises(DataError, match="cannot be read"):
        list(file)


def test_plain_tsv_and_parallel_files_carry_their_origin(tmp_path: Path) -> None:
    tsv = write(tmp_path / "x.tsv", "a b\tc d\n")
    one, two = write(tmp_path / "x.aa", "e\n"), write(tmp_path / "x.bb", "f\n")
    corpora = [
        CorpusConfig(tsv=tsv, languages=("aa", "bb")),
        CorpusConfig(source=one, target=two, languages=("aa", "bb"), origin="mine"),
    ]
    read = [pair for file in find_files(corpora, WAY) for pair in file]
    assert [(pair.origin, pair.first, pair.second) for pair in read] == [
        ("x.tsv", "a b", "c d"),
        ("mine", "e", "f"),
    ]


def test_line_separator_characters_inside_a_side_do_not_split_it(tmp_path: Path) -> None:
    tsv = write(tmp_path / "x.tsv", "a\u2028b\x85c\td\n")
    (file,) = find_files([CorpusConfig(tsv=tsv, languages=("aa", "bb"))], WAY)
    assert [pair.first for pair in file] == ["a\u2028b\x85c"]


def test_malformed_line_is_named(tmp_path: Path) -> None:
    tsv = write(tmp_path / "x.tsv", "a\tb\nonly one side\n")
    (file,) = find_files([CorpusConfig(tsv=tsv, languages=("aa", "bb"))], WAY)
    with pytest.raises(DataError, match=r"x\.tsv:2 has 1 columns: 2 are needed"):
        list(file)


def test_parallel_files_of_unequal_length_are_refused(tmp_path: Path) -> None:
    one, two = write(tmp_path / "x.aa", "a\nb\n"), write(tmp_path / "x.bb", "c\n")
    (file,) = find_files([CorpusConfig(source=one, target=two, languages=("aa", "bb"))], WAY)
    with pytest.raises(DataError, match=r"x\.bb ends before line 2"):
        list(file)


@pytest.mark.parametrize(
    ("corpus", "error"),
    [
        (CorpusConfig(), ConfigError),
        (CorpusConfig(folder="x", tsv="y"), ConfigError),
        (CorpusConfig(tsv="missing.tsv"), ConfigError),
        (CorpusConfig(tsv="missing.tsv", languages=("aa", "bb")), DataError),
        (CorpusConfig(folder="missing"), DataError),
    ],
)
def test_unusable_corpus_is_refused(corpus: CorpusConfig, error: type[Exception]) -> None:
    with pytest.raises(error):
        find_files([corpus], WAY)


def test_direction_without_text_is_refused(tmp_path: Path) -> None:
    tsv = write(tmp_path / "x.tsv", "a\tb\n")
    with pytest.raises(DataError, match="no corpus has aa-cc"):
        find_files([CorpusConfig(tsv=tsv, languages=("aa", "bb"))], [*WAY, ("cc", "aa")])


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


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["x", "y"]),
            st.lists(st.integers(0, 65535), min_size=1, max_size=9),
            st.lists(st.integers(0, 65535), min_size=1, max_size=9),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_shard_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, list[int], list[int]]]
) -> None:
    folder = tmp_path_factory.mktemp("shard")
    with ShardWriter(folder, ("aa", "bb")) as writer:
        for row in rows:
            writer.add(*row)
    shard = Shard(folder)
    read = [
        (shard.origins[shard.records[i]["origin"]], *(side.tolist() for side in shard.pair(i)))
        for i in range(len(shard))
    ]
    assert read == rows


def test_truncated_shard_is_refused(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, ("aa", "bb")) as writer:
        writer.add("x", [1, 2, 3], [4, 5])
    tokens = tmp_path / "tokens.u16"
    tokens.write_bytes(tokens.read_bytes()[:-2])
    with pytest.raises(DataError, match="truncated: 4 of 5 tokens"):
        Shard(tmp_path)


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
    for override, key in (("model.ffn=128", r"model\.ffn"), ("data.seed=2", r"data\.seed")):
        with pytest.raises(ConfigError, match=f"was made with another {key}: .*--out"):
            prepare(load_recipe(path, [override]), run)
    assert (run / "recipe.toml").read_text("utf-8") == before


def test_what_only_uses_the_data_may_change(tmp_path: Path) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    prepare(load_recipe(path), run)
    recipe = load_recipe(path, ["train.max_steps=99", "data.temperature=2", "model.dropout=0.2"])
    prepare(recipe, run)
    assert load_recipe(run / "recipe.toml") == recipe


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
