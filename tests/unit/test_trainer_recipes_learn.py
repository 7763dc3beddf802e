"""Every recipe that ships learns a toy task, with all that it asks for but data and size."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from toy_corpus import pairs

from mltranslate.decode import Decoder, Request
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.checkpoint import load_run
from mltranslate_export.verify import parity
from mltranslate_train.align.run import AlignSettings, align_run
from mltranslate_train.config import (
    CorpusConfig,
    DataConfig,
    DevSet,
    FilterConfig,
    HoldoutConfig,
    ModelSection,
    Recipe,
    TrainConfig,
    load_recipe,
)
from mltranslate_train.data.prepare import VOCABULARY_FILE, prepare
from mltranslate_train.locations import recipes
from mltranslate_train.loop import train
from mltranslate_train.model.build import make_config, shaping
from mltranslate_train.recipe_checks import check_recipe
from mltranslate_train.tokenizer import Vocabulary

STEPS, LEARNT = 200, 50.0
"""Steps of a translation model, and the chrF2++ of unseen sentences that it must reach.

One that cannot read its source stays near 5.
"""
PAIRS, UNSEEN, LONGEST = 600, 50, 3
PIECES = {"unigram": 310, "bpe": 310, "word": 295}
"""By the vocabulary's algorithm; 256 bytes and 7 marks are among them."""
LARGEST: dict[str, float] = {
    "d_model": 48, "heads": 2, "ffn": 96, "encoder_layers": 2, "decoder_layers": 2,
    "alignment_heads": 1, "dropout": 0.05, "attention_dropout": 0.05, "activation_dropout": 0.05,
}  # fmt: skip
"""A small model bears less dropout, too."""


def shipped(*objectives: str) -> list[str]:
    """Names of the recipes that ship with one of the objectives; the identifier has none."""
    tables = {path: tomllib.loads(path.read_text("utf-8")) for path in recipes().glob("*.toml")}
    learning = [path for path, table in tables.items() if table.keys() & {"train", "extends"}]
    return sorted(path.stem for path in learning if load_recipe(path).train.objective in objectives)


def write_corpus(folder: Path, *, senseless: bool = False) -> Path:
    """Short sentences, which models without attention learn too, and `UNSEEN` more as a dev set.

    In a senseless corpus each sentence has the translation of another.
    """
    short = [pair for pair in pairs(3 * PAIRS) if len(pair[0].split()) <= LONGEST]
    learnt, unseen = short[:PAIRS], short[PAIRS:][:UNSEEN]
    assert len(unseen) == UNSEEN
    seconds = [learnt[number - senseless][1] for number in range(PAIRS)]
    folder.mkdir()
    rows = zip(learnt, seconds, strict=True)
    lines = "".join(f"toy\t{first}\t{second}\n" for (first, _), second in rows)
    (folder / "aa-bb.tsv").write_text(lines, encoding="utf-8")
    for code, side in zip(("aa", "bb"), zip(*unseen, strict=True), strict=True):
        (folder / f"dev.{code}").write_text("\n".join(side) + "\n", encoding="utf-8")
    return folder


def toy(name: str, corpus: Path, steps: int) -> Recipe:
    """The shipped recipe on a toy corpus, small and short; all else is as it is."""
    recipe = load_recipe(recipes() / f"{name}.toml")
    pieces = PIECES[recipe.vocabulary.algorithm]
    dev = DevSet(name="unseen", prefix=f"{corpus.as_posix()}/dev.")
    recipe = dataclasses.replace(
        recipe,
        data=_data(recipe.data, corpus),
        vocabulary=dataclasses.replace(
            recipe.vocabulary, size=pieces, character_coverage=1.0, languages=(), weights={}
        ),
        model=_small(recipe.model, recipe.train.objective),
        train=_short(recipe.train, steps),
        evaluate=dataclasses.replace(recipe.evaluate, every=steps, dev=(dev,)),
    )
    check_recipe(recipe)
    return recipe


def _data(data: DataConfig, corpus: Path) -> DataConfig:
    """The toy corpus both ways where the recipe has any direction both ways, else one way."""
    turned = {"-".join(reversed(direction.split("-"))) for direction in data.directions}
    both = ("aa-bb", "bb-aa") if turned & set(data.directions) else ("aa-bb",)
    return dataclasses.replace(
        data,
        corpora=(CorpusConfig(folder=corpus.as_posix()),),
        directions=both if data.directions else (),
        languages=("aa", "bb") if data.languages else (),
        licences="",
        weights={},
        holdout=HoldoutConfig(),
        filter=FilterConfig(),
        curriculum=(),
    )


def _small(model: ModelSection, objective: str) -> ModelSection:
    keys = LARGEST.keys() & shaping(make_config(model, 1, objective))
    sizes = {key: min(getattr(model, key), LARGEST[key]) for key in keys}
    return dataclasses.replace(model, **sizes)


def _short(config: TrainConfig, steps: int) -> TrainConfig:
    """The recipe's schedule and averages, in fewer steps."""
    share = steps / config.max_steps
    counts = {
        key: getattr(config, key) for key in ("warmup_steps", "decay_steps", "snapshot_every")
    }
    shorter: dict[str, Any] = {
        key: max(1, round(count * share)) if count else 0 for key, count in counts.items()
    }
    if config.inverse_sqrt:  # after a warm-up of two steps, nothing would be left of the rate
        shorter["warmup_steps"] = max(shorter["warmup_steps"], steps // 10)
    return dataclasses.replace(
        config,
        max_steps=steps,
        max_minutes=0.0,
        decay_minutes=0.0,
        **shorter,
        ema_decay=max(0.0, 1 - (1 - config.ema_decay) / share) if config.ema_decay else 0.0,
        batch_tokens=512,
        learning_rate=5e-3,  # fits the width
        precision="fp32",
        device="cpu",
        threads=1,
        log_every=10,
        save_every=steps,
    )


def learn(recipe: Recipe, run: Path) -> float:
    """Train by the recipe; gives the mean chrF2++ of unseen sentences."""
    prepare(recipe, run)
    if recipe.train.alignment_weight:
        align_run(run, AlignSettings())
    train(recipe, run)
    about = json.loads((run / "best/model.json").read_text(encoding="utf-8"))
    return fmean(about["dev_chrf"].values())


@pytest.mark.parametrize("name", shipped("translation"))
def test_translation_recipe_learns_and_exports(name: str, tmp_path: Path) -> None:
    recipe, run = toy(name, write_corpus(tmp_path / "corpus"), STEPS), tmp_path / "run"
    assert learn(recipe, run) > LEARNT
    checkpoint = load_run(run)
    plan = PackPlan(name="toy", version="0.0.1", licence="CC0-1.0", precisions=("fp32",))
    pack = build_pack(checkpoint, tmp_path, plan, ranges={})
    decoder = Decoder(pack, device="cpu", precision="fp32", threads=1)
    requests = unseen_requests(recipe, Vocabulary(run / VOCABULARY_FILE))
    for beam in (1, 4):
        parity.compare(decoder, checkpoint, requests, beam=beam).check()


def unseen_requests(recipe: Recipe, vocabulary: Vocabulary) -> list[Request]:
    (dev,) = recipe.evaluate.dev
    return [
        Request(pieces=tuple(pieces), target=target, max_tokens=12)
        for source, target in recipe.directions
        for pieces in vocabulary.encode(Path(dev.prefix + source).read_text("utf-8").splitlines())
    ]


def test_a_model_that_cannot_read_its_source_fails(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", senseless=True)
    assert learn(toy("multi30k", corpus, STEPS), tmp_path / "run") < LEARNT / 2


@pytest.mark.parametrize("name", shipped("masked", "language-model"))
def test_recipe_for_text_learns(name: str, tmp_path: Path) -> None:
    train(toy(name, write_corpus(tmp_path / "corpus"), 60), tmp_path / "run")
    lines = (tmp_path / "run/metrics.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [record["loss"] for record in map(json.loads, lines) if "loss" in record]
    assert losses[-1] < 0.7 * losses[0]
