from typing import Any

import pytest
import torch
from torch import nn

from mltranslate_train.config import ModelSection
from mltranslate_train.lora import LoraLinear, add_lora, merge_lora
from mltranslate_train.model.build import make_config, make_model
from mltranslate_train.model.seq2seq import Seq2Seq

SIZE = 20
SHAPES: dict[str, dict[str, Any]] = {
    "transformer": {},
    "separate": {"embeddings": "separate"},
    "post-norm": {"norm": "post"},
    "ssru": {"decoder": "ssru"},
    "average": {"decoder": "average"},
    "lstm": {"architecture": "rnn"},
    "gru-luong": {"architecture": "rnn", "cell": "gru", "attention": "luong"},
    "no-attention": {"architecture": "rnn", "attention": "none"},
}


def tiny(**keys: Any) -> Seq2Seq:
    torch.manual_seed(1)
    shape = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2}
    if "architecture" not in keys:
        shape |= {"heads": 2, "ffn": 32}
    section = ModelSection(**{**shape, "dropout": 0.0, "max_length": 16, **keys})
    return make_model(make_config(section, SIZE))


def outputs(model: Seq2Seq) -> torch.Tensor:
    source = torch.tensor([[6, 7, 8, 3], [9, 10, 3, 0]])
    target = torch.tensor([[6, 11, 12], [9, 13, 0]])
    mask = (source != 0)[:, None, None, :]
    return model.logits(model(source, target, mask))


def disturb(model: Seq2Seq) -> None:
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora" in name:
                weight.add_(torch.randn_like(weight) * 0.1)


def test_update_begins_at_nothing_and_has_the_rank() -> None:
    linear = nn.Linear(6, 5)
    layer = LoraLinear(linear, rank=2, alpha=4.0)
    x = torch.randn(3, 6)
    assert torch.equal(layer(x), linear(x))
    with torch.no_grad():
        layer.lora_b.normal_()
    expected = linear.weight + 2.0 * layer.lora_b @ layer.lora_a
    assert torch.linalg.matrix_rank(expected - linear.weight) == 2
    torch.testing.assert_close(layer(x), nn.functional.linear(x, expected, linear.bias))


@pytest.mark.parametrize("keys", SHAPES.values(), ids=SHAPES.keys())
def test_only_the_updates_learn_and_all_of_them_do(keys: dict[str, Any]) -> None:
    model = tiny(**keys)
    before = outputs(model)
    add_lora(model, rank=2, alpha=4.0)
    # Kernels of some CPUs round by where a tensor lies in memory.
    torch.testing.assert_close(outputs(model), before, rtol=0, atol=1e-6)
    disturb(model)
    outputs(model).square().sum().backward()
    learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert learning
    assert all(name.endswith(("lora_a", "lora_b")) for name in learning)
    for name, weight in model.named_parameters():
        assert (weight.grad is not None and bool(weight.grad.any())) == (name in learning), name
    assert not isinstance(getattr(model, "output", None), LoraLinear)


@pytest.mark.parametrize("keys", SHAPES.values(), ids=SHAPES.keys())
def test_merged_weights_give_the_same_outputs_under_the_usual_names(keys: dict[str, Any]) -> None:
    model = tiny(**keys)
    add_lora(model, rank=3, alpha=5.0)
    disturb(model)
    plain = tiny(**keys)
    untouched = outputs(plain)
    plain.load_state_dict(merge_lora(dict(model.state_dict()), 3, 5.0))  # strict in its names
    torch.testing.assert_close(outputs(plain), outputs(model), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(outputs(plain), untouched, atol=1e-3)


def test_merging_leaves_its_input_and_plain_weights_alone() -> None:
    weights = dict(tiny().state_dict())
    merged = merge_lora(weights, 8, 16.0)
    assert merged.keys() == weights.keys()
    assert all(merged[name] is weights[name] for name in weights)
