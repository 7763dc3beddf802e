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
    """Adagrad's step for the table at the start; both rates fall linearly to a fiftieth."""
    head_learning_rate: float
    """Adam's for the layers above the table."""
    table_rows: int
    """Rows of the hash table, a power of two."""
    width: int
    """Numbers in a row; even, for two of them share a byte."""
    hidden: int
    """Rectified linear units."""
    length_power: float
    """A text of n features is their sum divided by n to this power."""
    restricted: float
    """Share of the main languages' texts for which only the main languages are offered."""
    report_steps: int
    """Steps between two reports of the loss."""
    save_every: int
    """Examples between two savings of the state that an interrupted run goes on from."""
    tuning_examples: int
    """Texts drawn from the held-out part, to calibrate and to report."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What is read, and what of it is kept out of training."""

    folder: Path
    """Holds sentences.tsv.xz and words.tsv.xz; relative to the working directory."""
    hold_out_one_in: int
    """One text in this many is for tuning only, and more where that is few."""
    foreign_ratio: float
    """A word is dropped where it ranks this many times lower than in another language."""
    main_foreign_ratio: float
    """The same among the main languages; 1 leaves a word to the one that has it most."""
    least_count: int
    """A word of sentence pairs counts if it comes this often."""
    excluded: tuple[Path, ...]
    """Tables of texts (kind, language, text) that must not be trained on."""
    main_share: float
    """Share of the draws that the main languages have together."""
    size_power: float
    """The others are drawn by their number of sentences to this power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides what a run gives."""

    name: str
    version: str
    languages: Mapping[str, tuple[str, ...]]
    """Language code -> ISO 15924 codes of its scripts; the order is that of the classes."""
    main: tuple[str, ...]
    """The languages that the program translates; they are trained among themselves, too."""
    aliases: Mapping[str, str]
    """Code in the tables -> code of the language that it is counted as."""
    shares: Mapping[str, float]
    """How often a language is drawn, where not 1: few compete in its script."""
    sources: Mapping[str, str]
    """Source of sentences -> its licence; "words" is the word lists. Others are not read."""
    parallel: Mapping[str, Path]
    """Main language -> `a-b.tsv.xz` of sentence pairs (source, texts). Its words are added to the
    word list; of a language written in Han the sentences are drawn from."""
    data: Data
    training: Training
    sampling: Sampling


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe; raises `ConfigError` for any unknown, missing or wrong key."""
    recipe = build(Recipe, read_table(path))
    _check(recipe)
    return recipe


def _check(recipe: Recipe) -> None:
    rules = {**_training_rules(recipe), **_sampling_rules(recipe.sampling), **_other_rules(recipe)}
    for rule, holds in rules.items():
        if not holds:
            raise ConfigError("the recipe cannot be used", why=f"it must hold that {rule}")


def _training_rules(recipe: Recipe) -> dict[str, bool]:
    training, data = recipe.training, recipe.data
    rows = training.table_rows
    counts = ("examples", "batch", "tuning_examples", "width", "hidden", "report_steps")
    return {
        "table_rows is a power of two": rows > 1 and rows & (rows - 1) == 0,
        "width is even": training.width % 2 == 0,
        f"{', '.join(counts)} and save_every are positive": all(
            getattr(training, name) > 0 for name in (*counts, "save_every")
        ),
        "learning_rate and head_learning_rate are positive": min(
            training.learning_rate, training.head_learning_rate
        )
        > 0,
        "restricted and main_share lie in [0, 1]": 0 <= training.restricted <= 1
        and 0 <= data.main_share <= 1,
        "hold_out_one_in is at least 2": data.hold_out_one_in >= 2,
        "foreign_ratio, main_foreign_ratio and least_count are at least 1": min(
            data.foreign_ratio, data.main_foreign_ratio, data.least_count
        )
        >= 1,
    }


def _sampling_rules(sampling: Sampling) -> dict[str, bool]:
    chances = ("cut", "inner", "folded", "typos", "undetermined")
    kinds = ("words", "pairs", "short", "medium", "long", "whole", "han_runs")
    return {
        "undetermined_texts is positive": sampling.undetermined_texts > 0,
        f"{', '.join(chances)} lie in [0, 1]": all(
            0 <= getattr(sampling, name) <= 1 for name in chances
        ),
        f"{', '.join(kinds)} are not negative, and words is positive": sampling.words > 0
        and all(getattr(sampling, name) >= 0 for name in kinds),
    }


def _other_rules(recipe: Recipe) -> dict[str, bool]:
    known = set(recipe.languages)
    return {
        "sources has the licence of the words": "words" in recipe.sources,
        "every language has known scripts": bool(known)
        and all(codes and set(codes) <= set(SCRIPTS) for codes in recipe.languages.values()),
        "main names languages of the recipe": bool(recipe.main) and set(recipe.main) <= known,
        "parallel names main languages": set(recipe.parallel) <= set(recipe.main),
        "aliases lead to languages of the recipe": set(recipe.aliases.values()) <= known,
        "shares are positive and name languages of the recipe": set(recipe.shares) <= known
        and all(share > 0 for share in recipe.shares.values()),
    }
