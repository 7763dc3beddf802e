"""Our own trainer: what `mltranslate-train run` does, step by step, its averaging included."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "trainer")]

import torch  # noqa: E402
from corpus import LANGUAGES, LONGEST, words_of  # noqa: E402
from gate import Gate  # noqa: E402

from mltranslate_train.config import (  # noqa: E402
    CorpusConfig,
    DataConfig,
    ModelSection,
    Recipe,
    TrainConfig,
    VocabularyConfig,
)
from mltranslate_train.data.prefetch import prefetch  # noqa: E402
from mltranslate_train.data.prepare import VOCABULARY_FILE, prepare  # noqa: E402
from mltranslate_train.loop import Trainer  # noqa: E402
from mltranslate_train.tokenizer import train_vocabulary  # noqa: E402


def recipe_of(spec: dict[str, Any]) -> Recipe:
    """The recipe of the benchmark's model and data."""
    corpus = Path(spec["corpus"])
    files = [str(corpus / f"train.{language}") for language in LANGUAGES]
    return Recipe(
        name="speed",
        data=DataConfig(
            corpora=(CorpusConfig(source=files[0], target=files[1], languages=LANGUAGES),),
            directions=("-".join(LANGUAGES),),
            max_tokens=LONGEST,
        ),
        # One piece a word, so that the size comes out exactly.
        vocabulary=VocabularyConfig(
            size=spec["vocabulary"], algorithm="word", character_coverage=1
        ),
        model=ModelSection(
            d_model=spec["d_model"], heads=spec["heads"], ffn=spec["ffn"],
            encoder_layers=spec["encoder_layers"], decoder_layers=spec["decoder_layers"],
            dropout=spec["dropout"], attention_dropout=spec["dropout"],
            activation_dropout=spec["dropout"],
        ),
        train=TrainConfig(
            max_steps=10**9, batch_tokens=spec["batch_tokens"], warmup_steps=0,
            learning_rate=spec["learning_rate"], weight_decay=spec["weight_decay"],
            label_smoothing=spec["label_smoothing"], precision=spec["precision"],
            device=spec["device"], threads=spec["threads"], seed=spec["seed"],
        ),
    )  # fmt: skip


def make_trainer(spec: dict[str, Any]) -> Trainer:
    """A trainer whose data is prepared, under the run's folder."""
    recipe, run = recipe_of(spec), Path(spec["run"])
    prefix = (run / VOCABULARY_FILE).with_suffix("")
    words = words_of(spec["vocabulary"])
    lines = (" ".join(words[start : start + 50]) for start in range(0, len(words), 50))
    train_vocabulary(lines, LANGUAGES, recipe.vocabulary, prefix)
    prepare(recipe, run)
    return Trainer(recipe, run)


def precision_name(precision: torch.dtype) -> str:
    """As recipes call it."""
    return {torch.float32: "fp32", torch.bfloat16: "bf16"}[precision]


def wait_for(device: torch.device) -> None:
    """Return when the device has nothing to do any more."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    """Train until the benchmark ends."""
    gate = Gate(lambda: wait_for(trainer.device))
    trainer = make_trainer(gate.spec)
    parameters = sum(item.numel() for item in trainer.model.parameters())
    gate.introduce(parameters, precision_name(trainer.precision))
    with prefetch(iter(trainer.sampler), trainer.recipe.train.prefetch) as batches:
        while True:
            gate.step()
            batch = next(batches)
            gate.learnt(float(trainer.step([batch])), batch.target_tokens)


if __name__ == "__main__":
    main()
