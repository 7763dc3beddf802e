"""The recipe of a language identifier: TOML read into frozen dataclasses, strictly checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mltranslate.detect.scripts import SCRIPTS
from mltranslate.errors import ConfigError
from mltranslate_train.lid.sampling import Sampling
from mltranslate_train.strict_toml import build, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How the classifier is fitted."""

    examples: int
    """Texts drawn in all; none is drawn twice but by chance."""
    batch: int
    """Texts a step."""
    learning_rate: float
    """Adagrad's step at the start; it falls linearly to a hundredth."""
    table_rows: int
    """Rows of the hash table, a power of two."""
    length_power: float
    """The score of n features is their sum divided by n to this power."""
    tuning_examples: int
    """Texts drawn from the held-out part, to calibrate and to report."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What is read, and what of it is kept out of training."""

    folder: Path
    """Holds sentences.tsv.xz and words.tsv.xz; relative to the working directory."""
    hold_out_one_in: int
    """One text in this many is for tuning only."""
    foreign_ratio: float
    """A word is dropped where it ranks this many times lower than in another language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides what a run gives."""

    name: str
    version: str
    languages: Mapping[str, tuple[str, ...]]
    """Language code -> ISO 15924 codes of its scripts; the order is that of the classes."""
    shares: Mapping[str, float]
    """How often a language is drawn, where not 1: few compete in its script."""
    sources: Mapping[str, str]
    """Source of sentences -> its licence; "words" is the word lists. Others are not read."""
    data: Data
    training: Training
    sampling: Sampling


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe; raises `ConfigError` for any unknown, missing or wrong key."""
    recipe = build(Recipe, read_table(path))
    _check(recipe)
    return recipe


def _check(recipe: Recipe) -> None:
    training, sampling = recipe.training, recipe.sampling
    rows = training.table_rows
    chances = ("cut", "inner", "lower", "folded", "typos", "undetermined")
    kinds = ("words", "pairs", "short", "medium", "long", "han_runs")
    rules = {
        "table_rows is a power of two": rows > 1 and rows & (rows - 1) == 0,
        "examples, batch and tuning_examples are positive": min(
            training.examples, training.batch, training.tuning_examples
        )
        > 0,
        "learning_rate is positive": training.learning_rate > 0,
        "hold_out_one_in is at least 2": recipe.data.hold_out_one_in >= 2,
        "foreign_ratio is at least 1": recipe.data.foreign_ratio >= 1,
        f"{', '.join(chances)} lie in [0, 1]": all(
            0 <= getattr(sampling, name) <= 1 for name in chances
        ),
        f"{', '.join(kinds)} are not negative, and words is positive": sampling.words > 0
        and all(getattr(sampling, name) >= 0 for name in kinds),
        "sources has the licence of the words": "words" in recipe.sources,
        "every language has known scripts": bool(recipe.languages)
        and all(codes and set(codes) <= set(SCRIPTS) for codes in recipe.languages.values()),
        "shares are positive and name languages of the recipe": set(recipe.shares)
        <= set(recipe.languages)
        and all(share > 0 for share in recipe.shares.values()),
    }
    for rule, holds in rules.items():
        if not holds:
            raise ConfigError("the recipe cannot be used", why=f"it must hold that {rule}")
