import logging
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from toy_corpus import write_recipe

from mltranslate.errors import ConfigError, DivergenceError
from mltranslate_train.config import TrainConfig, load_recipe
from mltranslate_train.loop import train
from mltranslate_train.model.transformer import Transformer, TransformerConfig
from mltranslate_train.muon import Muon, hidden_matrices, orthogonal
from mltranslate_train.optim import DivergenceGuard, load_whole_state, make_optimizer, whole_state

CONFIG = TrainConfig(
    max_steps=100, learning_rate=0.1, weight_decay=0.5, optimizer="muon", precision="fp32"
)
ADAMW = TrainConfig(max_steps=100, learning_rate=0.1, weight_decay=0.5)


def transformer(embeddings: str = "shared") -> Transformer:
    return Transformer(
        TransformerConfig(
            vocabulary_size=40, d_model=8, heads=2, ffn=16, encoder_layers=1, decoder_layers=1,
            dropout=0.0, max_length=16, embeddings=embeddings,
        )
    )  # fmt: skip


def learned(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    for weight in model.parameters():
        weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    optimizer.step()


@given(
    rows=st.integers(1, 24), columns=st.integers(1, 24), seed=st.integers(0, 99),
    size=st.floats(1e-4, 1e4),
)  # fmt: skip
def test_singular_values_come_near_one(rows: int, columns: int, seed: int, size: float) -> None:
    random = torch.Generator().manual_seed(seed)
    left = torch.linalg.qr(torch.randn(rows, rows, generator=random))[0]
    right = torch.linalg.qr(torch.randn(columns, columns, generator=random))[0]
    short = min(rows, columns)
    values = torch.rand(short, generator=random) * 0.8 + 0.2  # no direction is nearly lost
    matrix = size * left[:, :short] @ values.diag() @ right[:short]
    found = orthogonal(matrix[None])[0]
    assert found.shape == matrix.shape
    near = left[:, :short] @ right[:short]  # the nearest orthogonal matrix
    stretched = (left.T @ found @ right.T).diagonal()
    assert ((stretched > 0.6) & (stretched < 1.25)).all()
    assert (found - near).abs().max() < 0.45


def test_without_a_gradient_there_is_no_direction() -> None:
    assert orthogonal(torch.zeros(2, 3, 4)).abs().max() == 0


def test_a_step_has_the_size_of_adamws_in_each_of_the_matrices() -> None:
    layer = nn.Linear(32, 96, bias=False)
    before = layer.weight.detach().clone()
    optimizer = Muon(
        [{"params": [layer.weight], "weight_decay": 0.0}], {layer.weight: 3}, torch.float32, lr=0.01
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        layer.weight.grad = torch.cat([torch.randn(32, 32) * size for size in (1e-3, 1.0, 50.0)])
    optimizer.step()
    moved = (before - layer.weight.detach()).view(3, 32, 32)
    sizes = moved.square().mean(dim=(1, 2)).sqrt() / 0.01
    assert ((sizes > 0.12) & (sizes < 0.26)).all()  # one for all three would be 0.01 to 0.35
    assert (moved * layer.weight.grad.view(3, 32, 32)).sum(dim=(1, 2)).min() > 0  # downhill


@pytest.mark.parametrize("embeddings", ["shared", "separate"])
def test_embeddings_and_vectors_stay_adamws(embeddings: str) -> None:
    model = transformer(embeddings)
    matrices = hidden_matrices(model)
    names = {weight: name for name, weight in model.named_parameters()}
    counts = {names[weight]: count for weight, count in matrices.items()}
    assert counts["encoder_layers.0.attention.qkv.weight"] == 3
    assert counts["decoder_layers.0.cross_attention.kv.weight"] == 2
    assert counts["decoder_layers.0.cross_attention.q.weight"] == 1
    assert not [name for name in counts if "embedding" in name or name.startswith("output")]
    assert len(counts) == 4 + 7
    muon, adamw = transformer(embeddings), transformer(embeddings)
    for other in (muon, adamw):
        other.load_state_dict(model.state_dict())
    learned(muon, make_optimizer(muon, CONFIG))
    learned(adamw, make_optimizer(adamw, ADAMW))
    mine = dict(adamw.named_parameters())
    for name, weight in muon.named_parameters():
        assert torch.equal(weight, mine[name]) == (name not in counts)


def test_what_does_not_learn_is_left_out() -> None:
    model = transformer()
    model.encoder_layers.requires_grad_(False)
    assert len(hidden_matrices(model)) == 7


def test_gradients_are_there_after_the_step_and_matrices_decay() -> None:
    model = nn.Linear(3, 2)
    optimizer = make_optimizer(model, CONFIG)
    model.weight.grad = torch.zeros(2, 3)
    before = model.weight.detach().clone()
    optimizer.step()
    assert model.weight.grad is not None
    assert torch.allclose(model.weight, before * (1 - 0.1 * 0.5))


def test_a_broken_gradient_changes_no_weight_and_no_momentum() -> None:
    model = transformer()
    optimizer = make_optimizer(model, CONFIG)
    guard = DivergenceGuard(optimizer, torch.device("cpu"), 0)
    learned(model, optimizer)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    momentum = {weight: optimizer.state[weight]["momentum"].clone() for weight in
                hidden_matrices(model)}  # fmt: skip
    for weight in model.parameters():
        weight.grad = torch.full_like(weight, torch.nan)
    guard.note(torch.tensor(torch.nan))
    optimizer.step()
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert all(torch.equal(optimizer.state[w]["momentum"], old) for w, old in momentum.items())
    with pytest.raises(DivergenceError):
        guard.check()


def test_a_closure_is_refused() -> None:
    with pytest.raises(ValueError, match="closure"):
        make_optimizer(nn.Linear(2, 2), CONFIG).step(lambda: 0.0)


@pytest.mark.parametrize(("first", "then"), [(ADAMW, CONFIG), (CONFIG, ADAMW)])
def test_moments_of_another_optimiser_start_afresh_and_the_others_stay(
    first: TrainConfig, then: TrainConfig, caplog: pytest.LogCaptureFixture
) -> None:
    model = nn.Linear(3, 2)
    before, after = make_optimizer(model, first), make_optimizer(model, then)
    learned(model, before)
    with caplog.at_level(logging.INFO):
        load_whole_state(after, whole_state(before))
    assert "1 of 2 weights start afresh" in caplog.text
    assert model.weight not in after.state
    assert torch.equal(after.state[model.bias]["exp_avg"], before.state[model.bias]["exp_avg"])
    learned(model, after)  # it goes on
    assert model.weight in after.state


def test_a_run_resumes_bit_for_bit_and_learns(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    overrides = ["train.optimizer=muon", "train.precision=bf16"]
    for stop in (5, 12):
        train(load_recipe(path, [*overrides, f"train.max_steps={stop}"]), tmp_path / "broken")
    train(load_recipe(path, [*overrides, "train.max_steps=12"]), tmp_path / "unbroken")
    train(load_recipe(path, ["train.precision=bf16", "train.max_steps=12"]), tmp_path / "adamw")
    one, two, other = (
        safetensors.torch.load_file(tmp_path / run / "last/model.safetensors")
        for run in ("broken", "unbroken", "adamw")
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_sharded_matrices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not fit train"):
        load_recipe(write_recipe(tmp_path), ["train.optimizer=muon", "train.parallel=fsdp"])
