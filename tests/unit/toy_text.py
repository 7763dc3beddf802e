"""Recipes over the toy corpus for models of text."""

from __future__ import annotations

from pathlib import Path

from toy_corpus import pairs, write_corpus

from mltranslate_train.config import Recipe, load_recipe

RECIPE = """
name = "toy-text"

[data]
corpora = [{{ folder = "{folder}" }}]
languages = ["aa", "bb"]
max_tokens = 24

[vocabulary]
size = 310
character_coverage = 1.0
sample = 1000

[model]
d_model = 32
dropout = 0.0
max_length = 64

[train]
max_steps = 12
batch_tokens = 512
learning_rate = 5e-3
warmup_steps = 10
label_smoothing = 0.0
ema_decay = 0.98
precision = "fp32"
device = "cpu"
threads = 1
log_every = 4
save_every = 1000

[evaluate]
every = 1000
dev = [{{ name = "unseen", prefix = "{folder}/dev." }}]
"""
MASKED = [
    'train.objective="masked"', 'data.directions=["aa-bb"]', "model.encoder_layers=1",
    "model.heads=2", "model.ffn=64",
]  # fmt: skip
CAUSAL = [
    'train.objective="language-model"', "model.decoder_layers=1", "model.heads=2", "model.ffn=64",
]  # fmt: skip
RECURRENT = [
    'train.objective="language-model"', 'model.architecture="rnn"', "model.decoder_layers=1",
]  # fmt: skip


def text_recipe(folder: Path, *overrides: str) -> Recipe:
    """Write the corpus, dev sets and a recipe; returns the recipe with the overrides."""
    corpus = write_corpus(folder / "corpus")
    for language, side in (("aa", 0), ("bb", 1)):
        text = "".join(f"{pair[side]}\n" for pair in pairs(460)[400:])
        (corpus / f"dev.{language}").write_text(text, encoding="utf-8")
    path = folder / "text.toml"
    path.write_text(RECIPE.format(folder=corpus.as_posix()), encoding="utf-8")
    return load_recipe(path, overrides)
