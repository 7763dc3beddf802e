"""Whether a recipe fits the parent that it is to start from."""

from __future__ import annotations

from typing import Any

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import Recipe
from mltranslate_train.finetune.grow import GROWING, check_growth
from mltranslate_train.finetune.parent import Parent
from mltranslate_train.model.build import architecture_of, make_config, shaping
from mltranslate_train.model.seq2seq import ModelConfig
from mltranslate_train.tokenizer import Vocabulary

_NO_SHAPE = {
    "vocabulary_size", "dropout", "word_dropout", "attention_dropout", "activation_dropout",
    "max_length", "alignment_heads",
}  # fmt: skip
"""Fields of a model's configuration that decide no weight: they may differ from the parent's."""

_PRETRAINED = {"masked": ("full", "frozen-encoder"), "language-model": ("full",)}
"""Models of text that a translation Transformer can start from, and the modes that make sense.

In the others, weights that the parent lacks would stay random.
"""

Differing = dict[str, tuple[Any, Any]]
"""By key: the recipe's value and the parent's."""


def check_fit(recipe: Recipe, parent: Parent) -> None:
    """Raise ConfigError unless model, vocabulary and languages of the recipe fit the parent's.

    All keys that differ are named at once, with the options that take over the parent's.
    """
    own = make_config(recipe.model, parent.vocabulary_size, recipe.train.objective)
    _check_kinds(recipe, own, parent)
    differing = _model_keys(own, parent)
    if recipe.finetune.grow:
        check_growth(own, parent.config)
        for name in GROWING:
            differing.pop(f"model.{name}", None)
    if recipe.finetune.vocabulary == "parent":
        differing |= _vocabulary_keys(recipe, parent)
    if differing:
        items = differing.items()
        found = ", ".join(f"{key} {own!r} (parent: {its!r})" for key, (own, its) in items)
        raise ConfigError(
            f"the recipe does not fit the parent {parent.name}",
            why=found,
            fix="Take the parent's: " + " ".join(f"--set {key}={its}" for key, (_, its) in items),
        )
    if recipe.finetune.vocabulary == "parent":
        _check_tags(recipe, parent)


def shape_differences(own: ModelConfig, its: ModelConfig) -> Differing:
    """Keys of `[model]` that decide weights in both models and differ, with both values."""
    names = shaping(own) & shaping(its) - _NO_SHAPE
    pairs = {name: (getattr(own, name), getattr(its, name)) for name in sorted(names)}
    return {f"model.{name}": pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _check_kinds(recipe: Recipe, own: ModelConfig, parent: Parent) -> None:
    """Raise ConfigError unless a model of text is continued, or begins a translation model."""
    mine, its = architecture_of(own), parent.about["architecture"]
    if mine == its or {mine, its} <= {"transformer", "rnn"}:
        return
    if mine != "transformer" or its not in _PRETRAINED:
        raise ConfigError(
            f"a model of the kind {mine} cannot start from {parent.name}",
            why=f"that is of the kind {its}",
            fix="Only a transformer that translates can start from another kind of model: "
            + " or ".join(_PRETRAINED),
        )
    if recipe.finetune.mode not in _PRETRAINED[its]:
        raise ConfigError(
            f"finetune.mode {recipe.finetune.mode!r} does not fit the parent {parent.name}",
            why=f"what a {its} model lacks of a translation model would stay random",
            fix=f"Choose {' or '.join(_PRETRAINED[its])}",
        )


def _model_keys(own: ModelConfig, parent: Parent) -> Differing:
    mine, architecture = architecture_of(own), parent.about["architecture"]
    if mine != architecture and architecture not in _PRETRAINED:
        return {"model.architecture": (mine, architecture)}
    return shape_differences(own, parent.config)


def _vocabulary_keys(recipe: Recipe, parent: Parent) -> Differing:
    """Of the keys that describe a vocabulary, those that can be told from a finished one."""
    own = recipe.vocabulary
    pairs: Differing = {
        "vocabulary.size": (own.size, parent.vocabulary_size),
        "vocabulary.algorithm": (own.algorithm, parent.algorithm or own.algorithm),
    }
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _check_tags(recipe: Recipe, parent: Parent) -> None:
    vocabulary = Vocabulary(parent.vocabulary)
    missing = [code for code in recipe.languages if not _has_tag(vocabulary, code)]
    if missing:
        raise ConfigError(
            f"the vocabulary of the parent {parent.name} has no tag for {', '.join(missing)}",
            why="a tag is a piece of the vocabulary, and that is taken over",
            fix='Set finetune.vocabulary to "own": pieces in common keep their embeddings',
        )


def _has_tag(vocabulary: Vocabulary, code: str) -> bool:
    try:
        vocabulary.tag_id(code)
    except DataError:
        return False
    return True
