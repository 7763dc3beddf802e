"""The language identifier: its batches, recipe, training, calibration and export."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tomlkit
import torch
from toy_lid import LANGUAGES, RECIPE, wanted_of, write_recipe

from mltranslate.detect.features import letters
from mltranslate.errors import ConfigError, DataError
from mltranslate.types import UNDETERMINED
from mltranslate_train.lid.batches import Batch, Batcher
from mltranslate_train.lid.calibrate import Calibration, calibrate, calibration_error
from mltranslate_train.lid.corpus import read_corpus
from mltranslate_train.lid.evaluate import Column, columns, evaluate
from mltranslate_train.lid.model import Classifier, RowAdagrad, UsedRows
from mltranslate_train.lid.recipe import read_recipe
from mltranslate_train.lid.train import train_lid, weights


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_recipe(tmp_path)


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


def test_a_step_moves_the_rows_of_its_batch_alone() -> None:
    batch = _batch(
        Batcher({"en": ("Latn",), "de": ("Latn",)}, ["en"], 1024), "the", "the die", labels=[0, 1]
    )
    torch.manual_seed(0)
    model = Classifier(1024, 4, 4, 3, 0.5)
    torch.nn.init.normal_(model.table.weight)
    before = model.table.weight.detach().clone()
    labels = torch.from_numpy(batch.labels)
    whole = torch.nn.functional.cross_entropy(model.gated(batch), labels)
    (gradient,) = torch.autograd.grad(whole, model.table.weight)

    used = UsedRows(model.table.weight, torch.from_numpy(batch.rows))
    loss = torch.nn.functional.cross_entropy(model.gated(batch, used), labels)
    assert loss.item() == whole.item()
    loss.backward()
    RowAdagrad(model.table.parameters(), lr=0.5).step_rows(used)

    # One step size a row: the root of the mean square of its gradient.
    size = gradient.square().mean(dim=1, keepdim=True).add(1e-12).sqrt()
    assert torch.allclose(model.table.weight, before - 0.5 * gradient / size, atol=1e-5)
    untouched = torch.ones(1024, dtype=torch.bool)
    untouched[torch.from_numpy(batch.rows).long()] = False
    assert torch.equal(model.table.weight[untouched], before[untouched])


def test_columns_are_held_out_words_pairs_pieces_and_han_runs(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", wanted_of(*LANGUAGES))
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


def test_the_shipped_recipe_trains(repository: Path, recipe: Path, tmp_path: Path) -> None:
    """Its own keys, with fewer languages and examples."""
    shipped = repository / "trainer" / "recipes" / "lid.toml"
    assert "de" in read_recipe(shipped).languages
    table, toy = (tomllib.loads(path.read_text("utf-8")) for path in (shipped, recipe))
    small = {name: toy[name] for name in ("main", "languages", "aliases", "sources", "parallel")}
    table |= small | {"shares": {"zh": table["shares"]["zh"]}}
    table["data"] |= {"folder": "corpus", "excluded": [], "hold_out_one_in": 4}
    table["training"] |= {"examples": 60_000, "table_rows": 4096, "tuning_examples": 300}
    table["sampling"]["undetermined_texts"] = 200
    (tmp_path / "small.toml").write_text(tomlkit.dumps(table), "utf-8")
    assert train_lid(tmp_path / "small.toml", tmp_path / "run")["accuracy"] > 0.7


def test_weights_give_the_main_languages_their_share(recipe: Path) -> None:
    read = read_recipe(recipe)
    found = weights(read, read_corpus(read.data.folder, wanted_of(*LANGUAGES)).training)
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
