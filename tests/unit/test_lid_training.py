from __future__ import annotations

import dataclasses
import json
import lzma
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.errors import ConfigError, DataError
from mltranslate.types import UNDETERMINED

pytest.importorskip("torch")

import torch

from mltranslate.detect.features import clean, letters
from mltranslate_train.lid.batches import Batch, Batcher
from mltranslate_train.lid.calibrate import Calibration, calibrate, calibration_error
from mltranslate_train.lid.corpus import Split, Wanted, read_corpus
from mltranslate_train.lid.evaluate import Column, columns, evaluate
from mltranslate_train.lid.model import Classifier
from mltranslate_train.lid.recipe import read_recipe
from mltranslate_train.lid.sampling import Sampler, fold
from mltranslate_train.lid.train import train_lid, weights
from mltranslate_train.lid.undetermined import undetermined

WORDS = {
    "en": [
        "the",
        "house",
        "water",
        "weather",
        "never",
        "always",
        "little",
        "people",
        "morning",
        "thing",
    ],
    "de": [
        "das",
        "haus",
        "wasser",
        "wetter",
        "niemals",
        "immer",
        "wenig",
        "leute",
        "morgen",
        "ding",
    ],
    "zh": ["我们", "天气", "房子", "总是", "早上"],
    "ja": ["私たち", "天気", "家屋", "毎日", "早朝"],
    "yy": ["hus", "vann", "dag", "aldri", "alltid", "folk", "ting", "liten"],
}
LANGUAGES = ("en", "de", "zh", "ja", "xx")
RECIPE = """
name = "toy"
version = "0"
main = ["en", "de", "zh", "ja"]
[languages]
en = ["Latn"]
de = ["Latn"]
zh = ["Hani"]
ja = ["Hani", "Kana"]
xx = ["Latn"]
[aliases]
yy = "xx"
[shares]
zh = 0.5
[sources]
made = "CC0-1.0"
words = "CC0-1.0"
[parallel]
[data]
folder = "corpus"
hold_out_one_in = 4
foreign_ratio = 4.0
main_foreign_ratio = 4.0
least_count = 1
excluded = []
main_share = 0.8
size_power = 0.5
[training]
examples = 6400
batch = 64
learning_rate = 0.5
head_learning_rate = 0.01
table_rows = 4096
width = 8
hidden = 16
length_power = 0.5
restricted = 0.5
report_steps = 10
save_every = 3200
tuning_examples = 300
seed = 7
[sampling]
words = 0.3
pairs = 0.1
short = 0.2
medium = 0.2
long = 0.2
whole = 0.1
han_runs = 0.3
cut = 0.5
inner = 0.3
folded = 0.2
typos = 0.05
undetermined = 0.1
undetermined_texts = 200
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe and a made-up corpus of four languages in the working directory."""
    monkeypatch.chdir(tmp_path)
    rng = random.Random(5)
    folder = tmp_path / "corpus"
    folder.mkdir()
    with lzma.open(folder / "words.tsv.xz", "wt", encoding="utf-8") as file:
        for language, words in WORDS.items():
            file.writelines(f"{language}\t{rank}\t{w}\n" for rank, w in enumerate(words, 1))
        file.write("de\t900\twater\nqq\t1\tignored\n")
    with lzma.open(folder / "sentences.tsv.xz", "wt", encoding="utf-8") as file:
        for language, words in WORDS.items():
            glue = "" if language in ("zh", "ja") else " "
            for _ in range(120):
                sentence = glue.join(rng.choices(words, k=6))
                file.write(f"{language}\tmade\t{sentence}\n")
    path = tmp_path / "lid.toml"
    path.write_text(RECIPE, "utf-8")
    return path


def _wanted(
    *languages: str, sources: Sequence[str] = ("made",), one_in: int = 4, **changed: Any
) -> Wanted:
    wanted = Wanted(
        languages=languages,
        aliases={"yy": "xx"},
        main=[language for language in languages if language != "xx"],
        sources=sources,
        foreign_ratio=4.0,
        main_foreign_ratio=4.0,
        hold_out_one_in=one_in,
        parallel={},
        least_count=1,
        unspaced=("zh", "ja"),
        excluded=(),
    )
    return dataclasses.replace(wanted, **changed)


def _words(split: Split, language: str) -> set[str]:
    return {*split.training[language].words, *split.held_out[language].words}


def test_words_of_another_language_are_dropped(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", _wanted("en", "de"))
    assert "water" in _words(split, "en")
    assert "water" not in _words(split, "de")
    assert set(split.training) == {"en", "de"}


def _add(path: Path, *lines: str) -> None:
    with lzma.open(path, "at", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def test_words_that_only_training_sentences_have_are_added(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    made = [f"Wort{chr(97 + one)}{chr(97 + two)}" for one in range(20) for two in range(20)]
    _add(folder / "sentences.tsv.xz", *(f"de\tmade\tEin {word}!" for word in made))
    split = read_corpus(folder, _wanted("de"))
    held = {word.lower() for word in made} & set(
        "".join(split.held_out["de"].sentences).split(),
    )
    learnt = {word.lower() for word in made} - held
    assert held
    assert learnt <= _words(split, "de")
    assert not held & _words(split, "de")


def test_words_of_sentence_pairs_are_added_if_they_are_frequent(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    lines = ["made\tthe kettle\tder Kessel", "made\tkettle here\tein Kessel", "made\tx\tKlinge"]
    _add(folder / "en-de.tsv.xz", *lines, "other\tx\tFremdes", "other\ty\tFremdes")
    parallel = dict.fromkeys(("en", "de"), folder / "en-de.tsv.xz")
    split = read_corpus(folder, _wanted("en", "de", parallel=parallel, least_count=2))
    assert "kettle" in _words(split, "en")
    assert "kessel" in _words(split, "de")
    assert not {"klinge", "fremdes", "kettle"} & _words(split, "de")
    assert split.sizes["made"] == 240 + 3 + 3
    assert all(
        " der kessel" not in part["de"].sentences for part in (split.training, split.held_out)
    )


def test_han_sentences_of_pairs_are_added(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    _add(folder / "en-zh.tsv.xz", "made\twatch\t手表很好", "made\tagain\t手表很好")
    split = read_corpus(folder, _wanted("zh", parallel={"zh": folder / "en-zh.tsv.xz"}))
    assert split.training["zh"].sentences.count(" 手表很好") == 1
    assert "手表很好" not in _words(split, "zh")


def test_pairs_in_other_languages_are_refused(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    _add(folder / "en-fr.tsv.xz", "made\ta\tb")
    with pytest.raises(DataError, match="has no de"):
        read_corpus(folder, _wanted("de", parallel={"de": folder / "en-fr.tsv.xz"}))


def test_what_others_are_judged_by_stays_unknown(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    known = read_corpus(folder, _wanted("de"))
    sentence, word = known.training["de"].sentences[0], known.training["de"].words[0]
    held = known.held_out["de"].sentences[0]
    _add(folder / "exam.tsv.xz", *(f"any\tde\t{text.upper()}!" for text in (sentence, word, held)))
    split = read_corpus(folder, _wanted("de", excluded=[folder / "exam.tsv.xz"]))
    assert word not in _words(split, "de")
    for part in (split.training["de"], split.held_out["de"]):
        assert not {sentence, held} & set(part.sentences)


def test_words_belong_to_the_main_language_that_has_them_most(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    _add(folder / "words.tsv.xz", "en\t20\tradio", "de\t30\tradio", "yy\t60\tradio")
    both = read_corpus(folder, _wanted("en", "de", "xx"))
    assert all("radio" in _words(both, name) for name in ("en", "de", "xx"))
    one = read_corpus(folder, _wanted("en", "de", "xx", main_foreign_ratio=1.0))
    assert [name for name in ("en", "de", "xx") if "radio" in _words(one, name)] == ["en", "xx"]


def test_alias_is_read_as_its_language(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", _wanted("xx"))
    assert "alltid" in _words(split, "xx")
    assert {line.language for line in split.sentences} == {"xx"}


def test_missing_language_and_missing_file(recipe: Path) -> None:
    with pytest.raises(DataError, match="no sentences in fr"):
        read_corpus(recipe.parent / "corpus", _wanted("en", "fr"))
    with pytest.raises(DataError, match="cannot read"):
        read_corpus(recipe.parent, _wanted("en"))


def test_sources_that_are_not_named_are_not_read(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    split = read_corpus(folder, _wanted("en", "de", "zh", "ja", "xx"))
    assert split.sizes == {"made": 600, "words": 39}
    with pytest.raises(DataError, match="no sentences"):
        read_corpus(folder, _wanted("en", sources=["other"]))


def test_damaged_row(recipe: Path) -> None:
    with lzma.open(recipe.parent / "corpus" / "words.tsv.xz", "wt", encoding="utf-8") as file:
        file.write("en\t1\n")
    with pytest.raises(DataError, match="line 1"):
        read_corpus(recipe.parent / "corpus", _wanted("en"))


def test_split_keeps_no_text_on_both_sides(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", _wanted(*LANGUAGES))
    train = {text for part in split.training.values() for text in (*part.sentences, *part.words)}
    held = {text for part in split.held_out.values() for text in (*part.sentences, *part.words)}
    assert train
    assert held
    assert not train & held
    assert {clean(line.text) for line in split.sentences} <= held
    assert read_corpus(recipe.parent / "corpus", _wanted(*LANGUAGES)) == split


def test_few_sentences_are_held_out_more(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", _wanted("en", one_in=100))
    assert len(split.sentences) == 120 // 5


def _drawn(sampler: Sampler, count: int) -> list[tuple[str, str]]:
    drawn = sampler.draw(count)
    text = drawn.letters.codes.tobytes().decode("utf-32-le")
    names = (*LANGUAGES, UNDETERMINED)
    texts = text.split("\0")[:-1]
    return [(one, names[label]) for one, label in zip(texts, drawn.labels.tolist(), strict=True)]


def test_sampler_is_reproducible_and_covers_all(recipe: Path) -> None:
    read = read_recipe(recipe)
    training = read_corpus(read.data.folder, _wanted(*LANGUAGES)).training
    weights = dict.fromkeys(LANGUAGES, 1.0)
    one, other = (Sampler(training, read.sampling, weights, ["zh", "ja"], 3) for _ in range(2))
    drawn = _drawn(one, 2000)
    assert drawn == _drawn(other, 2000)
    assert {language for _, language in drawn} == {*LANGUAGES, UNDETERMINED}
    assert all(text[0] == " " and "  " not in text for text, _ in drawn)
    assert max(len(text) for text, _ in drawn) > 30


def test_sampler_cuts_what_is_there(recipe: Path) -> None:
    read = read_recipe(recipe)
    calm = dataclasses.replace(read.sampling, typos=0.0, folded=0.0, undetermined=0.0)
    training = read_corpus(read.data.folder, _wanted(*LANGUAGES)).training
    sampler = Sampler(training, calm, dict.fromkeys(LANGUAGES, 1.0), ["zh", "ja"], 3)
    known = {
        language: " ".join((*part.sentences, *part.words)) for language, part in training.items()
    }
    for text, language in _drawn(sampler, 1000):
        first, _, second = text[1:].partition(" ")
        assert text[1:] in known[language] or (
            first in training[language].words and second in known[language]
        )


def test_slips_change_one_letter(recipe: Path) -> None:
    read = read_recipe(recipe)
    slips = dataclasses.replace(
        read.sampling, **dict.fromkeys(("pairs", "short", "medium", "long", "whole", "han_runs"), 0)
    )
    slips = dataclasses.replace(slips, typos=1.0, cut=0.0, folded=0.0, undetermined=0.0)
    training = read_corpus(read.data.folder, _wanted("en")).training
    words = training["en"].words
    for text, _ in _drawn(Sampler(training, slips, {"en": 1.0}, [], 3), 300):
        word = text[1:]
        assert any(
            word == other or sorted(word) == sorted(other) or abs(len(word) - len(other)) == 1
            for other in words
        )


@given(st.randoms(use_true_random=False))
def test_undetermined_is_one_line(rng: random.Random) -> None:
    text = undetermined(rng)
    assert text
    assert "\n" not in text.strip()


@pytest.mark.parametrize(
    ("character", "expected"),
    [("ß", "s"), ("é", "e"), ("ł", "l"), ("ı", "i"), ("й", "и"), ("が", "が"), ("a", "a")],
)
def test_fold(character: str, expected: str) -> None:
    assert fold(character) == expected


def _batch(batcher: Batcher, *texts: str, labels: list[int]) -> Batch:
    return batcher.batch(letters(texts), np.array(labels))


def test_batches_leave_out_what_teaches_nothing() -> None:
    batcher = Batcher({"en": ("Latn",), "ko": ("Hang",)}, ["en"], 64)
    batch = _batch(batcher, "hello", "123", "안녕", "you", labels=[0, 2, 0, 0])
    assert batch.labels.tolist() == [0, 0]
    assert batch.possible.tolist() == [[True, False, True]] * 2
    parts = list(batch.parts(1))
    assert [part.rows.tolist() for part in parts] == [
        batch.rows[: batch.ends[0]].tolist(),
        batch.rows[batch.ends[0] :].tolist(),
    ]
    assert [part.ends.tolist() for part in parts] == [[len(part.rows)] for part in parts]


def test_restricted_texts_are_offered_the_main_languages_only() -> None:
    batcher = Batcher({"en": ("Latn",), "de": ("Latn",), "xx": ("Latn",)}, ["en", "de"], 64)
    cleaned, labels = letters(["hello", "hello"]), np.array([0, 0])
    batch = batcher.batch(cleaned, labels, np.array([True, False]))
    assert batch.possible.tolist() == [[True, True, False, True], [True] * 4]


def test_texts_without_usable_letters_are_wrong() -> None:
    batcher = Batcher({"en": ("Latn",), "de": ("Latn",)}, ["en", "de"], 64)
    model = Classifier(64, 4, 4, 3, 0.5)
    with torch.no_grad():
        model.output.bias.copy_(torch.tensor([5.0, 0.0, 0.0]))
    texts = (("yes", "en"), ("12 345", "en"), ("привет", "en"), ("ja", "de"))
    column = Column(texts, restricted=True)
    figures = evaluate(model, batcher, column, Calibration(log_scale=0.0, length_scale=0.0))
    assert figures["accuracy"] == 0.25
    assert figures["macro"] == round((1 / 3 + 0) / 2, 4)


def test_columns_are_held_out_words_pairs_pieces_and_han_runs(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", _wanted(*LANGUAGES))
    made = columns(split.held_out, split.sentences, ["en", "zh"])
    words = {text for text, _ in made["word"].texts}
    assert words <= {*split.held_out["en"].words, *split.held_out["zh"].words}
    assert {len(text.split()) for text, _ in made["pair"].texts} == {2}
    assert {name for _, name in made["han"].texts} == {"zh"}
    assert {len(text) for text, _ in made["han"].texts} == {4}


def test_calibration_makes_boasting_scores_honest() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 4000)
    said = np.where(rng.random(4000) < 0.7, labels, rng.integers(0, 3, 4000))
    scores = (np.eye(3)[said] * 9).astype(np.float32)
    sizes = rng.integers(1, 50, 4000)
    found = calibrate(scores, sizes, labels)
    batch = _batch(Batcher({"en": ("Latn",)}, ["en"], 2), "a", "b", labels=[0, 1])
    batch = Batch(batch.rows, np.cumsum(sizes), np.ones((4000, 3), np.bool_), labels)
    none = Calibration(log_scale=0.0, length_scale=0.0)
    assert calibration_error(scores, batch, none) > 0.15
    assert calibration_error(scores, batch, found) < 0.02


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("batch = 64", "bach = 64", "'batch'"),
        ("seed = 7", "", "training.seed is missing"),
        ("seed = 7", 'seed = "7"', "type int"),
        ("seed = 7", "seed = true", "type int"),
        ("table_rows = 4096", "table_rows = 4000", "power of two"),
        ("cut = 0.5", "cut = 1.5", "lie in"),
        ("restricted = 0.5", "restricted = 2.0", "lie in"),
        ("width = 8", "width = 0", "positive"),
        ('yy = "xx"', 'yy = "zz"', "aliases"),
        ('main = ["en", ', 'main = ["fr", ', "main"),
        ("zh = 0.5", "fr = 0.5", "shares"),
        ('zh = ["Hani"]', 'zh = ["Chinese"]', "known scripts"),
        ("[data]", "[data", "no valid TOML"),
        ("hold_out_one_in = 4", "hold_out_one_in = 1", "at least 2"),
        ("least_count = 1", "least_count = 0", "at least 1"),
        ("[parallel]", '[parallel]\nxx = "en-xx.tsv.xz"', "parallel"),
    ],
)
def test_recipe_is_checked(recipe: Path, old: str, new: str, message: str) -> None:
    recipe.write_text(RECIPE.replace(old, new), "utf-8")
    with pytest.raises(ConfigError, match=message):
        read_recipe(recipe)


def test_shipped_recipe_is_valid(repository: Path) -> None:
    assert "de" in read_recipe(repository / "trainer" / "recipes" / "lid.toml").languages


def test_weights_give_the_main_languages_their_share(recipe: Path) -> None:
    read = read_recipe(recipe)
    found = weights(read, read_corpus(read.data.folder, _wanted(*LANGUAGES)).training)
    assert sum(found[language] for language in read.main) == pytest.approx(0.8)
    assert found["xx"] == pytest.approx(0.2)
    assert found["zh"] == pytest.approx(found["en"] / 2)


def test_training_learns_and_repeats_bit_for_bit(recipe: Path, tmp_path: Path) -> None:
    reported: list[int] = []
    figures = train_lid(recipe, tmp_path / "one", lambda done, _loss: reported.append(done))
    assert figures["accuracy"] > 0.7
    assert reported == list(range(640, 6401, 640))
    assert set(figures["columns"]) >= {"word", "5 characters", "sentence"}
    train_lid(recipe, tmp_path / "two")
    _assert_same(tmp_path / "one", tmp_path / "two")
    result = json.loads((tmp_path / "one" / "lid.json").read_text("utf-8"))
    assert result["classes"] == [*LANGUAGES, UNDETERMINED]
    assert not (tmp_path / "one" / "state.pt").exists()
    held = (tmp_path / "one" / "heldout.tsv").read_text("utf-8").splitlines()
    assert {line.split("\t")[0] for line in held} == set(LANGUAGES)


def _assert_same(one: Path, other: Path) -> None:
    with np.load(one / "lid.npz") as first, np.load(other / "lid.npz") as second:
        assert set(first) == set(second)
        assert all(np.array_equal(first[name], second[name]) for name in first)
        assert first["table"].shape == (4096, 8)


def test_interrupted_training_goes_on_to_the_same_arrays(recipe: Path, tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(done: int, _loss: float) -> None:
        if done > 4000:
            raise StopError

    with pytest.raises(StopError):
        train_lid(recipe, tmp_path / "cut", stop)
    assert (tmp_path / "cut" / "state.pt").exists()
    reported: list[int] = []
    train_lid(recipe, tmp_path / "cut", lambda done, _loss: reported.append(done))
    assert reported[0] == 3840
    train_lid(recipe, tmp_path / "whole")
    _assert_same(tmp_path / "cut", tmp_path / "whole")


def test_state_of_another_recipe_or_damaged_is_refused(recipe: Path, tmp_path: Path) -> None:
    def stop(done: int, _loss: float) -> None:
        raise KeyboardInterrupt

    recipe.write_text(RECIPE.replace("save_every = 3200", "save_every = 64"), "utf-8")
    with pytest.raises(KeyboardInterrupt):
        train_lid(recipe, tmp_path / "cut", stop)
    recipe.write_text(RECIPE, "utf-8")
    with pytest.raises(DataError, match="another recipe"):
        train_lid(recipe, tmp_path / "cut")
    (tmp_path / "cut" / "state.pt").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="cannot be read"):
        train_lid(recipe, tmp_path / "cut")


def test_export_answers_like_the_trained_arrays(recipe: Path, tmp_path: Path) -> None:
    lid = pytest.importorskip("mltranslate_export.lid")
    from mltranslate.detect import Detector

    train_lid(recipe, tmp_path / "run")
    report = lid.export_lid(tmp_path / "run", tmp_path / "out")
    assert report["verified"]["same_answer"] > 0.97
    detector = Detector(tmp_path / "out")
    assert detector.detect("always the weather")[0].language == "en"
    assert detector.detect("immer das wetter")[0].language == "de"


def test_export_refuses_a_table_that_quantisation_ruined(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lid = pytest.importorskip("mltranslate_export.lid")
    from mltranslate.errors import VerificationError

    train_lid(recipe, tmp_path / "run")

    def ruined(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(table.shape, np.int8), np.ones((1, table.shape[1]), np.float32)

    monkeypatch.setattr(lid, "quantise", ruined)
    with pytest.raises(VerificationError):
        lid.export_lid(tmp_path / "run", tmp_path / "out")


def test_export_refuses_what_is_no_run(tmp_path: Path) -> None:
    lid = pytest.importorskip("mltranslate_export.lid")
    with pytest.raises(DataError, match="no run"):
        lid.export_lid(tmp_path, tmp_path / "out")
