"""What a recipe may say: ranges, choices, and keys that must fit each other."""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import math
import typing
from typing import TYPE_CHECKING, Any

from mltranslate.errors import ConfigError
from mltranslate_train.model.build import make_config

if TYPE_CHECKING:
    from mltranslate_train.config import DataConfig, FilterConfig, Recipe, TrainConfig

_COUNTED, _NATURAL = (1, math.inf), (0, math.inf)
_POSITIVE, _SHARE = (1e-9, math.inf), (0, 1)
RANGES: dict[str, tuple[float, float]] = {
    "data.max_tokens": (1, 2**16 - 1),  # as shards hold lengths
    "data.temperature": _POSITIVE,
    "data.holdout.per_mille": (0, 1000),
    "data.holdout.min_letters": _NATURAL,
    "data.holdout.lines": _NATURAL,
    "data.noise.upper": _SHARE,
    "data.noise.title": _SHARE,
    "data.noise.lower": _SHARE,
    "data.noise.chat": _SHARE,
    "data.noise.fragments": _SHARE,
    "data.noise.no_final_stop": _SHARE,
    "data.noise.typos": _SHARE,
    "data.noise.accents": _SHARE,
    "data.noise.tags": _SHARE,
    "data.noise.emoji": _SHARE,
    "data.noise.pass_through": _SHARE,
    "data.noise.lines": _SHARE,
    "data.filter.min_characters": _NATURAL,
    "data.filter.max_characters": _NATURAL,
    "data.filter.max_ratio": _NATURAL,
    "data.filter.script_share": _SHARE,
    "data.filter.language_confidence": _SHARE,
    "data.filter.near_duplicates": _SHARE,
    "data.subword_sampling": _SHARE,
    "data.subword_alpha": _SHARE,
    "vocabulary.size": (1, 2**16),  # shards hold 16-bit ids
    "vocabulary.sample": _COUNTED,
    "vocabulary.character_coverage": (0.5, 1),
    "model.d_model": (4, math.inf),
    "model.heads": _COUNTED,
    "model.ffn": _COUNTED,
    "model.encoder_layers": _COUNTED,
    "model.decoder_layers": _COUNTED,
    "model.max_length": _COUNTED,
    "model.dropout": (0, 0.99),
    "model.word_dropout": (0, 0.99),
    "model.attention_dropout": (0, 0.99),
    "model.activation_dropout": (0, 0.99),
    "model.alignment_heads": _NATURAL,
    "train.max_steps": _COUNTED,
    "train.max_minutes": _NATURAL,
    "train.decay_minutes": _NATURAL,
    "train.batch_tokens": _COUNTED,
    "train.accumulation": _COUNTED,
    "train.learning_rate": _POSITIVE,
    "train.warmup_steps": _NATURAL,
    "train.decay_steps": _NATURAL,
    "train.beta2": (0, 0.999999),
    "train.weight_decay": _NATURAL,
    "train.clip_norm": _POSITIVE,
    "train.label_smoothing": (0, 0.99),
    "train.r_drop": _NATURAL,
    "train.sampled_softmax": _NATURAL,
    "train.alignment_weight": _NATURAL,
    "train.ema_decay": (0, 0.999999),
    "train.average_last": _NATURAL,
    "train.snapshot_every": _NATURAL,
    "train.patience": _NATURAL,
    "train.prefetch": _NATURAL,
    "train.threads": _NATURAL,
    "train.log_every": _COUNTED,
    "train.save_every": _COUNTED,
    "evaluate.every": _COUNTED,
    "evaluate.batch": _COUNTED,
    "evaluate.beam": _COUNTED,
    "evaluate.samples": _NATURAL,
    "finetune.rank": _COUNTED,
    "finetune.alpha": _POSITIVE,
}
"""Smallest and largest value of numbers that cannot be just any."""


def check_recipe(recipe: Recipe) -> None:
    """Refuse values out of range and keys that do not fit each other; raises ConfigError."""
    _check_choices(recipe)
    _check_numbers(recipe)
    _check_filter(recipe.data.filter)
    if recipe.data.max_tokens + 2 > recipe.model.max_length:
        raise ConfigError(
            f"data.max_tokens {recipe.data.max_tokens} does not fit model.max_length",
            why=f"tag and end mark make it {recipe.data.max_tokens + 2}",
            fix=f"Set model.max_length to {recipe.data.max_tokens + 2} at least",
        )
    _check_objective(recipe)
    if len(set(recipe.directions)) < len(recipe.directions):
        raise ConfigError(
            "data.directions names one twice", fix="data.weights repeats origins, if you mean that"
        )
    _check_dev_sets(recipe)
    _check_corpora(recipe.data)
    _check_curriculum(recipe.data)
    _check_averaging(recipe.train)
    _check_decay(recipe.train)
    _check_sampled_softmax(recipe.train)
    if recipe.train.patience and not recipe.evaluate.dev:
        raise ConfigError(
            f"train.patience is {recipe.train.patience}",
            why="no dev set tells whether the scores still rise",
            fix="Add one to evaluate.dev, or leave it 0",
        )
    _check_alignment(recipe)
    _check_parallel(recipe.train)
    if recipe.data.subword_sampling and recipe.vocabulary.algorithm == "word":
        raise ConfigError(
            'data.subword_sampling does not fit vocabulary.algorithm "word"',
            why="words that were cut before have one segmentation only",
            fix="Leave it 0",
        )
    # Refuses a shape that does not fit.
    make_config(recipe.model, recipe.vocabulary.size, recipe.train.objective)
    if recipe.finetune.mode == "lora" and recipe.finetune.vocabulary == "own":
        raise ConfigError(
            'finetune.mode "lora" does not fit finetune.vocabulary "own"',
            why="embeddings are frozen, so that those of new pieces would never be learnt",
            fix='Choose another mode, or the vocabulary of the "parent"',
        )
    if recipe.finetune.grow and recipe.finetune.mode != "full":
        raise ConfigError(
            f"finetune.grow does not fit finetune.mode {recipe.finetune.mode!r}",
            why="what is frozen is new in part, and would stay random",
            fix='Choose finetune.mode "full"',
        )


def _check_parallel(train: TrainConfig) -> None:
    """Refuse what FSDP, which has parts of weights only, cannot do."""
    if train.parallel != "fsdp":
        return
    if not train.autocast:
        raise ConfigError(
            'train.autocast false does not fit train.parallel "fsdp"',
            why="weights are cast whole, and FSDP has parts of them",
            fix='Leave train.autocast true, or set train.parallel to "ddp"',
        )
    if train.optimizer == "muon":
        raise ConfigError(
            'train.optimizer "muon" does not fit train.parallel "fsdp"',
            why="it needs whole matrices, and FSDP has parts of them",
            fix='Choose the optimizer "adamw", or set train.parallel to "ddp"',
        )


_TRANSLATION_ONLY = (
    "train.r_drop", "train.alignment_weight", "train.autocast",
    "data.noise.typos", "data.noise.accents",
    "evaluate.beam", "evaluate.metric", "evaluate.joiner", "evaluate.tokenized",
)  # fmt: skip
"""Keys that do nothing with another objective."""


def _check_objective(recipe: Recipe) -> None:
    """Refuse data and keys that the objective has no use for."""
    objective, data = recipe.train.objective, recipe.data
    if objective == "translation":
        if not data.directions:
            raise ConfigError("data.directions is empty", fix='Name at least one, as "en-de"')
        if data.languages:
            raise ConfigError(
                "data.languages does not fit train.objective 'translation'",
                why="text in one language does not teach to translate",
                fix="Remove it: data.directions says what is learnt",
            )
        return
    _check_texts(recipe)
    for key in _TRANSLATION_ONLY:
        *sections, name = key.split(".")
        holder = functools.reduce(getattr, sections, typing.cast(Any, recipe))
        defaults = {item.name: item.default for item in dataclasses.fields(holder)}
        if (value := getattr(holder, name)) != defaults[name]:
            raise ConfigError(
                f"{key} is {value!r}",
                why=f"it does nothing with train.objective {objective!r}",
                fix="Remove it",
            )


def _check_texts(recipe: Recipe) -> None:
    """Refuse languages, pairs and lengths that a model of text cannot learn from."""
    data, objective = recipe.data, recipe.train.objective
    if len(set(data.languages)) < len(data.languages):
        raise ConfigError("data.languages names one twice", fix="Name each language once")
    if objective == "language-model" and data.directions:
        raise ConfigError(
            "data.directions does not fit train.objective 'language-model'",
            why="it learns from text in one language at a time",
            fix="Name the languages in data.languages",
        )
    if not data.languages and not data.directions:
        raise ConfigError("data.languages is empty", fix='Name at least one, as "en"')
    joined = 2 * data.max_tokens + 3
    if data.directions and joined > recipe.model.max_length:
        raise ConfigError(
            f"data.max_tokens {data.max_tokens} does not fit model.max_length",
            why=f"the two sides of a pair make one sequence of up to {joined} pieces",
            fix=f"Set model.max_length to {joined}",
        )


def _check_decay(train: TrainConfig) -> None:
    if train.decay_minutes > train.max_minutes:
        raise ConfigError(
            f"train.decay_minutes is {train.decay_minutes}",
            why=f"train.max_minutes, of which they are the last, is {train.max_minutes}",
            fix="Set train.max_minutes higher, or decay_steps for a run that steps end",
        )


def _check_sampled_softmax(train: TrainConfig) -> None:
    if train.sampled_softmax and train.r_drop:
        raise ConfigError(
            "train.sampled_softmax does not fit train.r_drop",
            why="the divergence between two passes is one of the whole vocabulary",
            fix="Set one of them to 0",
        )


def _check_averaging(train: TrainConfig) -> None:
    if bool(train.average_last) != bool(train.snapshot_every):
        raise ConfigError(
            f"train.average_last is {train.average_last}"
            f" and train.snapshot_every is {train.snapshot_every}",
            why="one says how many snapshots are averaged, the other how often one is kept",
            fix="Set both, or neither",
        )
    if train.average_last and train.ema_decay:
        raise ConfigError(
            f"train.average_last {train.average_last} does not fit"
            f" train.ema_decay {train.ema_decay}",
            why="only one average can be evaluated and exported",
            fix="Set train.ema_decay to 0, or leave average_last and snapshot_every out",
        )


def _check_alignment(recipe: Recipe) -> None:
    """Refuse what guided alignment cannot be learnt with."""
    if not recipe.train.alignment_weight:
        return
    if not recipe.model.alignment_heads:
        raise ConfigError(
            "train.alignment_weight does not fit model.alignment_heads 0",
            why="no attention head would learn word alignments",
            fix="Set model.alignment_heads to 1 at least, or train.alignment_weight to 0",
        )
    if recipe.train.r_drop:
        raise ConfigError(
            "train.alignment_weight does not fit train.r_drop",
            why="alignments are learnt in one pass over a batch, and R-Drop makes two",
            fix="Set one of them to 0",
        )
    if not recipe.train.autocast:
        raise ConfigError(
            "train.alignment_weight does not fit train.autocast false",
            why="alignments are learnt in fp32",
            fix="Leave train.autocast true, or set train.alignment_weight to 0",
        )
    if recipe.data.subword_sampling == 1:
        raise ConfigError(
            "train.alignment_weight does not fit data.subword_sampling 1",
            why="a sentence in other pieces has no word alignment, and none would be left",
            fix="Set data.subword_sampling below 1, or train.alignment_weight to 0",
        )


def _check_dev_sets(recipe: Recipe) -> None:
    """Refuse sets whose scores would share a name, and what no set can be cut to."""
    names = [dev.name for dev in recipe.evaluate.dev]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(
            f"evaluate.dev has two sets named {twice[0]}", fix="Give each set its own name"
        )
    for dev in recipe.evaluate.dev:
        if dev.lines < 0:
            raise ConfigError(
                f"dev set {dev.name} has lines {dev.lines}", fix="Give 1 or more; 0 uses all"
            )
        if len(set(dev.directions)) < len(dev.directions):
            raise ConfigError(
                f"dev set {dev.name} names a direction twice", fix="Name each direction once"
            )
        if strange := set(dev.directions) - set(recipe.data.directions):
            raise ConfigError(
                f"dev set {dev.name} has the direction {min(strange)}",
                why="data.directions does not have it",
                fix="Correct one of the two in the recipe",
            )


def _check_corpora(data: DataConfig) -> None:
    for corpus in data.corpora:
        for direction in corpus.directions:
            if direction not in data.directions:
                raise ConfigError(
                    f"a corpus is for {direction!r}, which data.directions does not have",
                    why=f"there are {', '.join(data.directions)}",
                )


def _check_curriculum(data: DataConfig) -> None:
    steps = [stage.from_step for stage in data.curriculum]
    if any(step < 1 for step in steps) or steps != sorted(set(steps)):
        raise ConfigError(
            f"data.curriculum has the steps {', '.join(map(str, steps))}",
            why="stages begin at 1 or later, each after the one before",
        )
    for stage in data.curriculum:
        for name in stage.directions:
            if name not in (*data.directions, *data.languages):
                raise ConfigError(
                    f"data.curriculum has the direction {name!r}, which data does not have",
                    why=f"there are {', '.join((*data.directions, *data.languages))}",
                )
        for origin, weight in stage.weights.items():
            if not 0 <= weight < math.inf:
                raise ConfigError(
                    f"data.curriculum gives {origin} the weight {weight}",
                    why="it must be 0 at least",
                )


def _check_filter(config: FilterConfig) -> None:
    """Refuse what would drop every pair."""
    if 0 < config.max_ratio < 1:
        raise ConfigError(
            f"data.filter.max_ratio is {config.max_ratio}",
            why="the longer side is never shorter than the shorter one",
            fix="Give 1 at least, or 0 to turn the rule off",
        )
    if 0 < config.max_characters < config.min_characters:
        raise ConfigError(
            f"data.filter.min_characters {config.min_characters} is more than max_characters",
            why=f"max_characters is {config.max_characters}",
        )


def _check_numbers(recipe: Recipe) -> None:
    for key, (low, high) in RANGES.items():
        value = typing.cast(Any, functools.reduce(getattr, key.split("."), recipe))
        # Infinite temperature, for one, has a meaning; no optimiser learns by infinite numbers.
        endless = value == math.inf and not key.startswith("data.")
        if endless or not low <= value <= high:
            least = "more than 0" if 0 < low < 1 else f"{low} at least"
            bound = "" if high == math.inf else f", and {high} at most"
            most = ", and finite" if endless else bound
            raise ConfigError(f"{key} is {value}", why=f"it must be {least}{most}")
    for origin, weight in recipe.data.weights.items():
        if not 0 <= weight < math.inf:
            raise ConfigError(f"data.weights.{origin} is {weight}", why="it must be 0 at least")
    for pattern, weight in recipe.data.direction_weights.items():
        if not 0 < weight < math.inf:
            raise ConfigError(
                f"data.direction_weights.{pattern} is {weight}", why="it must be more than 0"
            )
        if not fnmatch.filter(recipe.data.directions, pattern):
            raise ConfigError(
                f"data.direction_weights names {pattern!r}",
                why="it is none of data.directions",
                fix="Correct or remove it",
            )
    for language, weight in recipe.vocabulary.weights.items():
        if not 0 < weight < math.inf:
            raise ConfigError(
                f"vocabulary.weights.{language} is {weight}", why="it must be more than 0"
            )
        if language not in recipe.languages:
            raise ConfigError(
                f"vocabulary.weights names {language!r}",
                why=f"the recipe's languages are {', '.join(recipe.languages)}",
            )


_CHOICES: dict[str, tuple[str, ...]] = {
    "vocabulary.algorithm": ("unigram", "bpe", "word"),
    "model.architecture": ("transformer", "rnn"),
    "model.embeddings": ("shared", "target", "separate"),
    "model.norm": ("pre", "post"),
    "model.decoder": ("attention", "average", "ssru"),
    "model.cell": ("lstm", "gru"),
    "model.attention": ("bahdanau", "luong", "none"),
    "train.objective": ("translation", "masked", "language-model"),
    "train.optimizer": ("adamw", "muon"),
    "train.parallel": ("ddp", "fsdp"),
    "train.precision": ("auto", "bf16", "fp32"),
    "train.device": ("auto", "cpu", "cuda"),
    "evaluate.metric": ("chrf", "bleu"),
    "finetune.mode": ("full", "frozen-encoder", "embeddings", "lora"),
    "finetune.vocabulary": ("parent", "own"),
}


def _check_choices(recipe: Recipe) -> None:
    for key, allowed in _CHOICES.items():
        value = typing.cast(Any, functools.reduce(getattr, key.split("."), recipe))
        if value not in allowed:
            raise ConfigError(f"{key} is {value!r}", fix=f"Choose one of {', '.join(allowed)}")
