from __future__ import annotations

import json
import lzma
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.errors import ConfigError, DataError
from mltranslate.types import UNDETERMINED

pytest.importorskip("torch")

from mltranslate_train.lid.batches import Batcher
from mltranslate_train.lid.calibrate import Calibration, calibrate, calibration_error
from mltranslate_train.lid.corpus import read_corpus, split
from mltranslate_train.lid.recipe import read_recipe
from mltranslate_train.lid.sampling import Sampler, fold
from mltranslate_train.lid.train import train_lid
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
}
RECIPE = """
name = "toy"
version = "0"
[languages]
en = ["Latn"]
de = ["Latn"]
zh = ["Hani"]
ja = ["Hani", "Kana"]
[shares]
zh = 0.5
[sources]
made = "CC0-1.0"
words = "CC0-1.0"
[data]
folder = "corpus"
hold_out_one_in = 4
foreign_ratio = 4.0
[training]
examples = 3000
batch = 64
learning_rate = 1.0
table_rows = 4096
length_power = 0.5
tuning_examples = 300
seed = 7
[sampling]
words = 0.3
pairs = 0.1
short = 0.2
medium = 0.2
long = 0.2
han_runs = 0.3
cut = 0.5
inner = 0.3
lower = 0.4
folded = 0.2
typos = 0.05
undetermined = 0.1
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
        file.write("de\t900\twater\nxx\t1\tignored\n")
    with lzma.open(folder / "sentences.tsv.xz", "wt", encoding="utf-8") as file:
        for language, words in WORDS.items():
            glue = "" if language in ("zh", "ja") else " "
            for _ in range(120):
                sentence = glue.join(rng.choices(words, k=6))
                file.write(f"{language}\tmade\t{sentence}\n")
    path = tmp_path / "lid.toml"
    path.write_text(RECIPE, "utf-8")
    return path


def test_words_of_another_language_are_dropped(recipe: Path) -> None:
    corpus, _ = read_corpus(recipe.parent / "corpus", ["en", "de"], ["made"], 4.0)
    assert "water" in corpus["en"].words
    assert "water" not in corpus["de"].words
    assert set(corpus) == {"en", "de"}


def test_missing_language_and_missing_file(recipe: Path) -> None:
    with pytest.raises(DataError, match="no sentences in fr"):
        read_corpus(recipe.parent / "corpus", ["en", "fr"], ["made"], 4.0)
    with pytest.raises(DataError, match="cannot read"):
        read_corpus(recipe.parent, ["en"], ["made"], 4.0)


def test_sources_that_are_not_named_are_not_read(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    _, sizes = read_corpus(folder, list(WORDS), ["made"], 4.0)
    assert sizes == {"made": 480, "words": 30}
    with pytest.raises(DataError, match="no sentences"):
        read_corpus(folder, list(WORDS), ["other"], 4.0)


def test_damaged_row(recipe: Path) -> None:
    with lzma.open(recipe.parent / "corpus" / "words.tsv.xz", "wt", encoding="utf-8") as file:
        file.write("en\t1\n")
    with pytest.raises(DataError, match="line 1"):
        read_corpus(recipe.parent / "corpus", ["en"], ["made"], 4.0)


def test_split_keeps_no_text_on_both_sides(recipe: Path) -> None:
    corpus, _ = read_corpus(recipe.parent / "corpus", list(WORDS), ["made"], 4.0)
    training, held_out = split(corpus, 4)
    train = {text for part in training.values() for text in (*part.sentences, *part.words)}
    held = {text for part in held_out.values() for text in (*part.sentences, *part.words)}
    assert train
    assert held
    assert not train & held
    assert split(corpus, 4) == (training, held_out)


def test_sampler_is_reproducible_and_covers_all(recipe: Path) -> None:
    read = read_recipe(recipe)
    corpus, _ = read_corpus(read.data.folder, tuple(read.languages), read.sources, 4.0)
    one, other = (Sampler(corpus, read.sampling, read.shares, 3) for _ in range(2))
    drawn = [one.draw() for _ in range(2000)]
    assert drawn == [other.draw() for _ in range(2000)]
    assert {language for _, language in drawn} == {*WORDS, UNDETERMINED}
    assert any(text != text.lower() or len(text) > 20 for text, _ in drawn)


@given(st.randoms(use_true_random=False))
def test_undetermined_is_one_line(rng: random.Random) -> None:
    text = undetermined(rng)
    assert text
    assert "\n" not in text.strip()


@pytest.mark.parametrize(
    ("text", "expected"), [("Straße", "strasse"), ("ÉTÉ", "ete"), ("Łódź", "lodz"), ("ığ", "ig")]
)
def test_fold(text: str, expected: str) -> None:
    assert fold(text) == expected


def test_batches_leave_out_what_teaches_nothing() -> None:
    batcher = Batcher({"en": ("Latn",), "ko": ("Hang",)}, 64)
    batch = batcher.batch([("hello", "en"), ("123", "und"), ("안녕", "en"), ("you", "en")])
    assert batch.labels.tolist() == [0, 0]
    assert batch.possible.tolist() == [[True, False, True]] * 2
    parts = list(batch.parts(1))
    assert [part.rows.tolist() for part in parts] == [
        batch.rows[: batch.ends[0]].tolist(),
        batch.rows[batch.ends[0] :].tolist(),
    ]
    assert [part.ends.tolist() for part in parts] == [[len(part.rows)] for part in parts]


def test_calibration_makes_boasting_scores_honest() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 4000)
    said = np.where(rng.random(4000) < 0.7, labels, rng.integers(0, 3, 4000))
    scores = (np.eye(3)[said] * 9).astype(np.float32)
    sizes = rng.integers(1, 50, 4000)
    found = calibrate(scores, sizes, labels)
    batch = Batcher({"en": ("Latn",)}, 2).batch([("a", "en"), ("b", UNDETERMINED)])
    batch = type(batch)(batch.rows, np.cumsum(sizes), np.ones((4000, 3), np.bool_), labels)
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
        ("zh = 0.5", "fr = 0.5", "shares"),
        ('zh = ["Hani"]', 'zh = ["Chinese"]', "known scripts"),
        ("[data]", "[data", "no valid TOML"),
        ("hold_out_one_in = 4", "hold_out_one_in = 1", "at least 2"),
    ],
)
def test_recipe_is_checked(recipe: Path, old: str, new: str, message: str) -> None:
    recipe.write_text(RECIPE.replace(old, new), "utf-8")
    with pytest.raises(ConfigError, match=message):
        read_recipe(recipe)


def test_shipped_recipe_is_valid(repository: Path) -> None:
    assert "de" in read_recipe(repository / "trainer" / "recipes" / "lid.toml").languages


def test_training_learns_and_repeats_bit_for_bit(recipe: Path, tmp_path: Path) -> None:
    reported: list[int] = []
    figures = train_lid(recipe, tmp_path / "one", lambda done, _loss: reported.append(done))
    assert figures["accuracy"] > 0.7
    train_lid(recipe, tmp_path / "two")
    with np.load(tmp_path / "one" / "lid.npz") as one, np.load(tmp_path / "two" / "lid.npz") as two:
        assert np.array_equal(one["table"], two["table"])
        assert np.array_equal(one["bias"], two["bias"])
        assert one["table"].shape == (4096, 5)
    result = json.loads((tmp_path / "one" / "lid.json").read_text("utf-8"))
    assert result["classes"] == [*WORDS, UNDETERMINED]


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
        return np.zeros(table.shape, np.int8), np.ones(1, np.float32)

    monkeypatch.setattr(lid, "quantise", ruined)
    with pytest.raises(VerificationError):
        lid.export_lid(tmp_path / "run", tmp_path / "out")


def test_export_refuses_what_is_no_run(tmp_path: Path) -> None:
    lid = pytest.importorskip("mltranslate_export.lid")
    with pytest.raises(DataError, match="no run"):
        lid.export_lid(tmp_path, tmp_path / "out")
