import dataclasses
from typing import Any

import pytest

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import ModelSection
from mltranslate_train.model.build import describe, make_config, make_model, model_from_about
from mltranslate_train.model.rnn import RnnConfig
from mltranslate_train.model.seq2seq import ModelConfig
from mltranslate_train.model.transformer import Transformer, TransformerConfig

SMALL: dict[str, Any] = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1}


def test_every_key_of_a_recipe_s_model_reaches_some_model() -> None:
    keys = {item.name for item in dataclasses.fields(ModelSection)}
    known = {
        item.name for kind in (TransformerConfig, RnnConfig) for item in dataclasses.fields(kind)
    }
    assert keys - {"architecture"} == known - {"vocabulary_size"}


@pytest.mark.parametrize("kind", [TransformerConfig, RnnConfig])
def test_defaults_of_recipe_and_model_agree(kind: type[ModelConfig]) -> None:
    section = {item.name: item.default for item in dataclasses.fields(ModelSection)}
    fields = {item.name: item.default for item in dataclasses.fields(kind)}
    del fields["vocabulary_size"]
    assert fields == {name: section[name] for name in fields}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"architecture": "rnn", "norm": "post"}, "model.norm .* does not belong to an rnn"),
        ({"architecture": "rnn", "alignment_heads": 1}, "model.alignment_heads .* an rnn"),
        ({"architecture": "rnn", "heads": 4, "ffn": 9}, "model.heads .* does not belong"),
        ({"cell": "gru"}, "model.cell .* does not belong to a transformer"),
        ({"bidirectional": False}, "model.bidirectional .* a transformer"),
        ({"architecture": "rnn", "d_model": 9}, "model.d_model is 9"),
        ({"architecture": "rnn", "attention": "dot"}, "model.attention is 'dot'"),
        ({"architecture": "rnn", "cell": "rnn"}, "model.cell is 'rnn'"),
        ({"embeddings": "none"}, "model.embeddings is 'none'"),
        ({"norm": "both"}, "model.norm is 'both'"),
        ({"decoder": "rnn"}, "model.decoder is 'rnn'"),
        ({"d_model": 12, "heads": 8}, "model.d_model 12 does not fit 8 heads"),
        ({"d_model": 16, "heads": 2, "alignment_heads": 3}, "model.alignment_heads is 3"),
    ],
)
def test_keys_that_do_not_fit_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(ModelSection(**SMALL | keys), 20)


def test_an_odd_width_is_fine_when_reading_one_way() -> None:
    keys = SMALL | {"architecture": "rnn", "d_model": 9, "bidirectional": False}
    make_model(make_config(ModelSection(**keys), 20))


def test_descriptions_of_before_the_variants_make_the_default_model() -> None:
    old = {
        "vocabulary_size": 20, "d_model": 8, "heads": 2, "ffn": 16, "encoder_layers": 1,
        "decoder_layers": 1, "dropout": 0.1, "max_length": 12,
    }  # fmt: skip
    model = model_from_about({"architecture": "transformer", "model": old})
    assert isinstance(model, Transformer)
    assert model.config == TransformerConfig(**old)
    assert describe(model)["model"].items() > old.items()


@pytest.mark.parametrize(
    "about",
    [
        {"architecture": "oracle", "model": {"vocabulary_size": 20}},
        {"architecture": "rnn", "model": {"vocabulary_size": 20, "heads": 2}},
        {"architecture": "rnn", "model": {}},
        {"model": {"vocabulary_size": 20}},
    ],
)
def test_descriptions_that_are_not_understood_are_refused(about: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="description of a model is not understood"):
        model_from_about(about)
