"""From recipes and saved descriptions to models."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.model.language_model import (
    CausalConfig,
    CausalTransformer,
    RecurrentConfig,
    RecurrentModel,
)  # fmt: skip
from mltranslate_train.model.masked import MaskedConfig, MaskedModel
from mltranslate_train.model.rnn import Rnn, RnnConfig
from mltranslate_train.model.seq2seq import ModelConfig, Seq2Seq, TextModel
from mltranslate_train.model.transformer import Transformer, TransformerConfig

if TYPE_CHECKING:
    from mltranslate_train.config import ModelSection

_KINDS: dict[str, tuple[type[ModelConfig], type[TextModel]]] = {
    "transformer": (TransformerConfig, Transformer),
    "rnn": (RnnConfig, Rnn),
    "masked": (MaskedConfig, MaskedModel),
    "language-model": (CausalConfig, CausalTransformer),
    "rnn-language-model": (RecurrentConfig, RecurrentModel),
}
"""Configuration and model of every architecture, by the name that `best/model.json` has for it."""
_TRAINED: dict[tuple[str, str], str] = {
    ("transformer", "translation"): "transformer",
    ("rnn", "translation"): "rnn",
    ("transformer", "masked"): "masked",
    ("transformer", "language-model"): "language-model",
    ("rnn", "language-model"): "rnn-language-model",
}
"""Architecture by the recipe's `model.architecture` and `train.objective`."""


def make_config(
    section: ModelSection, vocabulary_size: int, objective: str = "translation"
) -> ModelConfig:
    """The configuration of the model that a recipe trains, for a vocabulary of that size.

    Raises:
        ConfigError: the keys do not fit each other, or one belongs to another architecture.
    """
    name = _TRAINED.get((section.architecture, objective))
    if name is None:
        raise ConfigError(
            f"model.architecture {section.architecture!r} does not fit"
            f" train.objective {objective!r}",
            fix='Choose the architecture "transformer"',
        )
    kind, _ = _KINDS[name]
    _refuse_others(section, name, kind)
    shape = {item: getattr(section, item) for item in shaping(kind) - {"vocabulary_size"}}
    return kind(vocabulary_size=vocabulary_size, **shape)


def shaping(kind: type[ModelConfig] | ModelConfig) -> set[str]:
    """Names of the fields that shape a model of that kind."""
    return {item.name for item in dataclasses.fields(kind)} - kind.unused


def _refuse_others(section: ModelSection, name: str, kind: type[ModelConfig]) -> None:
    """Raise ConfigError if a key that the architecture lacks was set: it would do nothing."""
    names = shaping(kind) | {"architecture"}
    for item in dataclasses.fields(section):
        value = getattr(section, item.name)
        if item.name not in names and value != item.default:
            label = f"{'an' if name.startswith('r') else 'a'} {name.replace('-', ' ')}"
            raise ConfigError(
                f"model.{item.name} {value!r} does not belong to {label}",
                fix="Remove it, or set model.architecture or train.objective",
            )


def make_model(config: ModelConfig) -> Seq2Seq:
    """A translation model with fresh random weights; TypeError for another configuration."""
    model = make_any_model(config)
    if not isinstance(model, Seq2Seq):
        raise TypeError(f"a {type(config).__name__} makes no translation model")
    return model


def make_any_model(config: ModelConfig) -> TextModel:
    """A model of whatever kind the configuration is for, with fresh random weights."""
    _, kind = _KINDS[architecture_of(config)]
    return kind(config)


def architecture_of(config: ModelConfig) -> str:
    """The name of the architecture that the configuration is for."""
    (name,) = (name for name, (kind, _) in _KINDS.items() if type(config) is kind)
    return name


def describe(model: TextModel) -> dict[str, Any]:
    """What `model_from_about` needs to make the same model: architecture and configuration."""
    return describe_config(model.config)


def describe_config(config: ModelConfig) -> dict[str, Any]:
    """What `describe` says of a model with that configuration."""
    names, values = shaping(config), dataclasses.asdict(config)
    shape = {name: value for name, value in values.items() if name in names}
    return {"architecture": architecture_of(config), "model": shape}


def model_from_about(about: dict[str, Any]) -> Seq2Seq:
    """A translation model of the described shape, with fresh weights.

    Raises:
        DataError: it is no translation model, or as for `any_model_from_about`.
    """
    model = any_model_from_about(about)
    if not isinstance(model, Seq2Seq):
        raise DataError(
            "this model does not translate",
            why=f"its architecture is {about['architecture']!r}",
            fix="Start the training of a translation model from it: run RECIPE --from RUN",
        )
    return model


def any_model_from_about(about: dict[str, Any]) -> TextModel:
    """A model of the described shape, of whatever kind, with fresh weights.

    Raises:
        DataError: no architecture has that name, or it has no such configuration.
    """
    try:
        kind, _ = _KINDS[about["architecture"]]
        config = kind(**about["model"])
    except (KeyError, TypeError) as error:
        raise DataError(
            "the description of a model is not understood",
            why=f"{error}",
            fix="Use the version of the trainer that wrote it, or a newer one",
        ) from error
    return make_any_model(config)
