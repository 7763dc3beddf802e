"""The recipe of a translation model: every key with its default and meaning."""

from __future__ import annotations

import dataclasses
import functools
import math
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from mltranslate.errors import ConfigError
from mltranslate_train.model.transformer import TransformerConfig
from mltranslate_train.strict_toml import apply_override, build, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """One kind of parallel text: exactly one of `folder`, `tsv`, or `source` with `target`."""

    folder: str = ""
    """Folder of `<a>-<b>.tsv[.xz]` files: `origin TAB text in a TAB text in b`."""
    tsv: str = ""
    """One file of `text in a TAB text in b`; `languages` names a and b."""
    source: str = ""
    """Plain text, one sentence a line, parallel to `target`; `languages` names both."""
    target: str = ""
    languages: tuple[str, ...] = ()
    origin: str = ""
    """Name of `tsv` or `source` files in weights and provenance; default: the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutConfig:
    """Pairs kept out of training for choosing and reporting."""

    origins: tuple[str, ...] = ()
    """Origins to draw from, as shell patterns."""
    per_mille: int = 0
    """Share of distinct texts, drawn by hash; every pair that has such a text is left out."""
    lines: int = 500
    """Most pairs written as a dev set for one language pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseConfig:
    """Share of examples that get a noisy copy, by kind (after Mozilla's OpusTrainer)."""

    upper: float = 0.0
    title: float = 0.0
    lower: float = 0.0
    no_final_stop: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """What to train on."""

    corpora: tuple[CorpusConfig, ...]
    directions: tuple[str, ...]
    """For example "en-de"; both ways need both entries."""
    weights: dict[str, float] = field(default_factory=dict)
    """Repetitions an epoch by origin (shell patterns, the last match counts); default 1.

    An example of weight 0.4 comes in two epochs of five.
    """
    temperature: float = 1.0
    """Directions are drawn in proportion to size ** (1 / temperature)."""
    max_tokens: int = 128
    """Longest side of an example, in pieces, tag and end mark not counted."""
    licences: str = ""
    """TSV file with columns source and licence, copied into the pack's provenance."""
    holdout: HoldoutConfig = field(default_factory=HoldoutConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VocabularyConfig:
    """The joint SentencePiece vocabulary."""

    size: int = 16000
    algorithm: str = "unigram"
    """"unigram" or "bpe"."""
    sample: int = 1_000_000
    """Sentences drawn, in equal parts from all languages, to train it on."""
    character_coverage: float = 0.9995
    languages: tuple[str, ...] = ()
    """Languages that get a tag; default: those of the directions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSection:
    """Shape of the Transformer; the vocabulary's size comes from `vocabulary`."""

    d_model: int = 256
    heads: int = 8
    ffn: int = 1024
    encoder_layers: int = 6
    decoder_layers: int = 2
    dropout: float = 0.1
    max_length: int = 256

    def transformer(self, vocabulary_size: int) -> TransformerConfig:
        """The model's own configuration for a vocabulary of that size."""
        return TransformerConfig(vocabulary_size=vocabulary_size, **dataclasses.asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How to train."""

    max_steps: int
    batch_tokens: int = 4096
    """Padded tokens of the longer side in one batch."""
    accumulation: int = 1
    """Batches whose gradients are summed before a step."""
    learning_rate: float = 1e-3
    warmup_steps: int = 1000
    decay_steps: int = 0
    """Last steps, over which the learning rate falls linearly to zero (warm-up, stable, decay)."""
    inverse_sqrt: bool = False
    """Between warm-up and decay: fall with 1 / sqrt(step) instead of staying."""
    beta2: float = 0.98
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    label_smoothing: float = 0.1
    ema_decay: float = 0.999
    """Decay a step of the averaged weights that are evaluated and exported; 0 turns it off."""
    precision: str = "auto"
    """"bf16", "fp32", or "auto": bf16 where the device has matrix units for it."""
    device: str = "auto"
    """"cpu", "cuda", or "auto"."""
    threads: int = 0
    """CPU threads; 0 leaves torch's choice."""
    compile: bool = False
    """Run the model through torch.compile."""
    seed: int = 1
    log_every: int = 50
    save_every: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class DevSet:
    """Aligned plain text files `<prefix><language>`, one sentence a line."""

    name: str
    prefix: str
    lines: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """Evaluation during training, by greedy search with the averaged weights."""

    every: int = 2000
    dev: tuple[DevSet, ...] = ()
    batch: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole training run."""

    name: str
    data: DataConfig
    train: TrainConfig
    vocabulary: VocabularyConfig = field(default_factory=VocabularyConfig)
    model: ModelSection = field(default_factory=ModelSection)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)

    @property
    def directions(self) -> list[tuple[str, str]]:
        """Source and target codes, in the recipe's order."""
        return [_direction(text) for text in self.data.directions]

    @property
    def languages(self) -> list[str]:
        """Codes that get a tag, sorted."""
        used = {code for direction in self.directions for code in direction}
        return sorted(used | set(self.vocabulary.languages))


def _direction(text: str) -> tuple[str, str]:
    source, _, target = text.partition("-")
    if not source or not target or source == target:
        raise ConfigError(
            f"data.directions has {text!r}",
            why="a direction is two different language codes joined by a hyphen",
            fix='Write it as "en-de"',
        )
    return source, target


def load_recipe(path: Path, overrides: typing.Sequence[str] = ()) -> Recipe:
    """Read a recipe; each override is `section.key=value` with a TOML value (or a bare word).

    Raises:
        ConfigError: the file is missing, is no TOML, or has an unknown or wrong key.
    """
    table = read_table(path)
    for override in overrides:
        apply_override(table, override)
    recipe: Recipe = build(Recipe, table)
    _check(recipe)
    return recipe


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as TOML that `load_recipe` reads back to an equal value."""
    return tomlkit.dumps(dataclasses.asdict(recipe))


_COUNTED, _POSITIVE, _SHARE = (1, math.inf), (1e-9, math.inf), (0, 1)
_RANGES: dict[str, tuple[float, float]] = {
    "data.max_tokens": _COUNTED,
    "data.temperature": _POSITIVE,
    "data.holdout.per_mille": (0, 1000),
    "data.noise.upper": _SHARE,
    "data.noise.title": _SHARE,
    "data.noise.lower": _SHARE,
    "data.noise.no_final_stop": _SHARE,
    "vocabulary.size": (1, 2**16),  # shards hold 16-bit ids
    "vocabulary.sample": _COUNTED,
    "model.d_model": (4, math.inf),
    "model.heads": _COUNTED,
    "model.ffn": _COUNTED,
    "model.encoder_layers": _COUNTED,
    "model.decoder_layers": _COUNTED,
    "model.dropout": (0, 0.99),
    "train.max_steps": _COUNTED,
    "train.batch_tokens": _COUNTED,
    "train.accumulation": _COUNTED,
    "train.learning_rate": _POSITIVE,
    "train.warmup_steps": (0, math.inf),
    "train.decay_steps": (0, math.inf),
    "train.beta2": (0, 0.999999),
    "train.weight_decay": (0, math.inf),
    "train.clip_norm": _POSITIVE,
    "train.label_smoothing": (0, 0.99),
    "train.ema_decay": (0, 0.999999),
    "train.threads": (0, math.inf),
    "train.log_every": _COUNTED,
    "train.save_every": _COUNTED,
    "evaluate.every": _COUNTED,
    "evaluate.batch": _COUNTED,
}
"""Smallest and largest value of numbers that cannot be just any."""


def _check(recipe: Recipe) -> None:
    _check_choices(recipe)
    _check_numbers(recipe)
    if recipe.data.max_tokens + 2 > recipe.model.max_length:
        raise ConfigError(
            f"data.max_tokens {recipe.data.max_tokens} does not fit model.max_length",
            why=f"tag and end mark make it {recipe.data.max_tokens + 2}",
        )
    if not recipe.directions:
        raise ConfigError("data.directions is empty", fix='Name at least one, as "en-de"')
    if len(set(recipe.directions)) < len(recipe.directions):
        raise ConfigError(
            "data.directions names one twice", fix="data.weights repeats origins, if you mean that"
        )
    recipe.model.transformer(recipe.vocabulary.size)  # refuses a shape that does not fit


def _check_numbers(recipe: Recipe) -> None:
    for key, (low, high) in _RANGES.items():
        value = functools.reduce(getattr, key.split("."), recipe)
        if not low <= typing.cast(Any, value) <= high:
            least = "more than 0" if 0 < low < 1 else f"{low} at least"
            most = "" if high == math.inf else f", and {high} at most"
            raise ConfigError(f"{key} is {value}", why=f"it must be {least}{most}")
    for origin, weight in recipe.data.weights.items():
        if not 0 <= weight < math.inf:
            raise ConfigError(f"data.weights.{origin} is {weight}", why="it must be 0 at least")


def _check_choices(recipe: Recipe) -> None:
    choices = {
        "vocabulary.algorithm": (recipe.vocabulary.algorithm, ("unigram", "bpe")),
        "train.precision": (recipe.train.precision, ("auto", "bf16", "fp32")),
        "train.device": (recipe.train.device, ("auto", "cpu", "cuda")),
    }
    for key, (value, allowed) in choices.items():
        if value not in allowed:
            raise ConfigError(f"{key} is {value!r}", fix=f"Choose one of {', '.join(allowed)}")
