"""From a model of text to a translation model."""

import json
import logging
from pathlib import Path

import pytest
import safetensors.torch
import torch
from toy_corpus import write_recipe
from toy_text import CAUSAL, MASKED, RECURRENT, text_recipe

from mltranslate.errors import ConfigError
from mltranslate_train.checkpoint import BEST, MODEL
from mltranslate_train.config import Recipe, load_recipe
from mltranslate_train.finetune.start import adopt
from mltranslate_train.loop import Trainer, train

CHILD = ["train.max_steps=40", "train.label_smoothing=0", "model.dropout=0", "train.log_every=40"]


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A masked model that has seen text and pairs."""
    folder = tmp_path_factory.mktemp("masked")
    train(text_recipe(folder, *MASKED, "train.max_steps=150"), folder / "run")
    return folder / "run"


def child_recipe(folder: Path, *overrides: str) -> Recipe:
    return load_recipe(write_recipe(folder), [*CHILD, *overrides])


def started(recipe: Recipe, run: Path, parent: Path) -> dict[str, torch.Tensor]:
    """Weights of a new run before its first step."""
    from mltranslate_train.data.prepare import prepare

    adopt(recipe, run, str(parent))
    prepare(recipe, run)
    return Trainer(recipe, run).model.state_dict()


def test_the_encoder_and_all_embeddings_are_taken_over(
    parent: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    its = safetensors.torch.load_file(parent / BEST / MODEL)
    recipe = child_recipe(tmp_path, "model.embeddings=separate", "model.decoder=ssru")
    with caplog.at_level(logging.INFO):
        own = started(recipe, tmp_path / "run", parent)
    for name, weight in own.items():
        if name.startswith("encoder"):
            assert torch.equal(weight, its[name])
    for name in ("embedding", "source_embedding", "output"):
        assert torch.equal(own[f"{name}.weight"], its["embedding.weight"])
    assert "new in part or whole: decoder_layers, decoder_norm" in caplog.text


def test_a_vocabulary_of_its_own_keeps_the_common_pieces(parent: Path, tmp_path: Path) -> None:
    recipe = child_recipe(tmp_path, "finetune.vocabulary=own", "vocabulary.size=305")
    own = started(recipe, tmp_path / "run", parent)
    its = safetensors.torch.load_file(parent / BEST / MODEL)["embedding.weight"]
    assert own["embedding.weight"].shape == (305, 32)
    assert torch.equal(own["embedding.weight"][:5], its[:5])


def test_a_language_model_begins_the_decoder(tmp_path: Path) -> None:
    train(text_recipe(tmp_path, *CAUSAL, "train.max_steps=2"), tmp_path / "lm")
    its = safetensors.torch.load_file(tmp_path / "lm" / BEST / MODEL)
    own = started(child_recipe(tmp_path), tmp_path / "run", tmp_path / "lm")
    assert its.keys() <= own.keys()
    assert all(torch.equal(own[name], weight) for name, weight in its.items())


def last_loss(run: Path) -> float:
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return float([r["loss"] for r in map(json.loads, lines) if "loss" in r][-1])


def test_pre_training_helps_where_pairs_are_few(parent: Path, tmp_path: Path) -> None:
    """The mean loss of the first steps over two seeds lies clearly below that from scratch."""
    tuned = fresh = 0.0
    for seed in (1, 2):
        recipe = child_recipe(tmp_path, f"train.seed={seed}")
        train(recipe, tmp_path / f"tuned{seed}", str(parent))
        train(recipe, tmp_path / f"fresh{seed}")
        tuned += last_loss(tmp_path / f"tuned{seed}")
        fresh += last_loss(tmp_path / f"fresh{seed}")
    assert tuned < 0.93 * fresh, (tuned, fresh)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["finetune.mode=lora"], "finetune.mode 'lora' does not fit"),
        (["finetune.mode=embeddings"], "finetune.mode 'embeddings' does not fit"),
        (["model.ffn=32"], r"model.ffn 32 \(parent: 64\)"),
        (["model.encoder_layers=2"], r"model.encoder_layers 2 \(parent: 1\)"),
    ],
)
def test_recipes_that_do_not_fit_are_refused(
    parent: Path, tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        adopt(child_recipe(tmp_path, *overrides), tmp_path / "run", str(parent))


def test_other_kinds_of_models_do_not_start_from_one(parent: Path, tmp_path: Path) -> None:
    for kind in (CAUSAL, RECURRENT):
        with pytest.raises(ConfigError, match="cannot start from toy-text"):
            adopt(text_recipe(tmp_path, *kind), tmp_path / "run", str(parent))


def test_masked_training_can_go_on_from_a_masked_model(parent: Path, tmp_path: Path) -> None:
    recipe = text_recipe(tmp_path, *MASKED, "train.max_steps=1")
    own = started(recipe, tmp_path / "run", parent)
    its = safetensors.torch.load_file(parent / BEST / MODEL)
    assert own.keys() == its.keys()
    assert all(torch.equal(own[name], its[name]) for name in own)
