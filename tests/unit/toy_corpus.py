"""A corpus small enough to learn in seconds: "bb" says each word of "aa" backwards, in order."""

from __future__ import annotations

import random
from pathlib import Path

WORDS = [
    "sun",
    "moon",
    "star",
    "tree",
    "rock",
    "bird",
    "fish",
    "lake",
    "wind",
    "fire",
    "snow",
    "rain",
    "road",
    "gold",
    "iron",
    "salt",
]
RECIPE = """
name = "toy"

[data]
corpora = [{{ folder = "{folder}" }}]
directions = ["aa-bb", "bb-aa"]
max_tokens = 24

[vocabulary]
size = 310
character_coverage = 1.0
sample = 1000

[model]
d_model = 32
heads = 2
ffn = 64
encoder_layers = 1
decoder_layers = 1
dropout = 0.1
max_length = 32

[train]
max_steps = 12
batch_tokens = 256
learning_rate = 5e-3
warmup_steps = 10
precision = "fp32"
device = "cpu"
threads = 1
log_every = 4
save_every = 1000

[evaluate]
every = 1000
"""


def pairs(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Distinct sentences of two to five words and their mirror images."""
    rng = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        words = rng.choices(WORDS, k=rng.randint(2, 5))
        found[" ".join(words)] = " ".join(word[::-1] for word in words)
    return list(found.items())


def write(path: Path, text: str) -> str:
    """Write a file as it is; its path."""
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def write_corpus(folder: Path, count: int = 400) -> Path:
    """Write `folder`/aa-bb.tsv in the corpus layout; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"toy\t{first}\t{second}\n" for first, second in pairs(count))
    (folder / "aa-bb.tsv").write_text(lines, encoding="utf-8")
    return folder


def write_recipe(folder: Path, extra: str = "") -> Path:
    """Write a corpus and a recipe over it; returns the recipe's path."""
    text = RECIPE.format(folder=write_corpus(folder / "corpus").as_posix())
    path = folder / "toy.toml"
    path.write_text(text + extra, encoding="utf-8")
    return path
