"""A wider model begins as the parent that it is grown from."""

import dataclasses
import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_trainer_finetune import EVALUATED, losses, parent, write_game

from mltranslate.errors import ConfigError, DataError
from mltranslate_export.lineage import Lineage
from mltranslate_train.config import load_recipe
from mltranslate_train.finetune.grow import _Widening, check_growth, grown
from mltranslate_train.finetune.record import read_record
from mltranslate_train.finetune.start import adopt
from mltranslate_train.loop import train
from mltranslate_train.model.rnn import RnnConfig
from mltranslate_train.model.transformer import Transformer, TransformerConfig

__all__ = ["parent"]  # a fixture of the other module
WIDER = ["finetune.grow=true", "model.d_model=48", "model.heads=3", "model.ffn=80"]


def with_old_positions(model: Transformer, old: Transformer) -> Transformer:
    """`model` with the positions of `old`, where new dimensions have what growth reckons with."""
    to = _Widening.of(old.config, model.config)
    length = len(model.positions)
    mean = old.positions[:length].mean(1, keepdim=True)
    model.positions[:, to.old] = old.positions[:length]
    model.positions[:, to.new] = mean - to.offset
    return model


@settings(max_examples=30, deadline=None)
@given(
    shape=st.sampled_from([(16, 2), (24, 3), (8, 1)]),
    more=st.integers(0, 3),
    units=st.integers(0, 9),
    embeddings=st.sampled_from(["shared", "target", "separate"]),
    seed=st.integers(0, 999),
)
def test_but_for_positions_a_grown_model_does_what_its_parent_does(
    shape: tuple[int, int], more: int, units: int, embeddings: str, seed: int
) -> None:
    torch.manual_seed(seed)
    width, heads = shape
    narrow = TransformerConfig(
        vocabulary_size=30, d_model=width, heads=heads, ffn=20, encoder_layers=2,
        decoder_layers=2, dropout=0.0, max_length=12, embeddings=embeddings,
    )  # fmt: skip
    wide = dataclasses.replace(
        narrow, d_model=width + more * width // heads, heads=heads + more, ffn=20 + units
    )
    old, new = Transformer(narrow).eval(), Transformer(wide).eval()
    for weight in old.parameters():  # trained ones are not zero
        weight.data += 0.2 * torch.randn_like(weight)
    new.load_state_dict(grown(old.state_dict(), narrow, wide))
    new = with_old_positions(new, old)
    source, target = torch.randint(30, (3, 9)), torch.randint(30, (3, 7))
    with torch.inference_mode():
        expected = old.logits(old(source, target, None))
        found = new.logits(new(source, target, None))
    torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-3)


def test_every_new_weight_gets_a_gradient() -> None:
    torch.manual_seed(0)
    narrow = TransformerConfig(
        vocabulary_size=30, d_model=16, heads=2, ffn=20, encoder_layers=1, decoder_layers=1,
        dropout=0.0, max_length=12,
    )  # fmt: skip
    wide = dataclasses.replace(narrow, d_model=24, heads=3, ffn=32)
    model = Transformer(wide)
    model.load_state_dict(grown(Transformer(narrow).state_dict(), narrow, wide))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    source, target = torch.randint(30, (8, 9)), torch.randint(30, (8, 8))
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for _ in range(3):  # what zero weights hide is reached by the second step
        optimizer.zero_grad()
        logits = model.logits(model(source, target[:, :-1], None))
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten()).backward()
        optimizer.step()
    for name, weight in model.named_parameters():
        if name != "embedding.weight" and not name.endswith(("qkv.bias", "kv.bias")):
            assert (weight != before[name]).double().mean() > 0.95, name


def test_a_run_grows_its_parent_learns_and_says_so(parent: Path, tmp_path: Path) -> None:
    recipe = load_recipe(
        write_game(tmp_path, reverse=False), [*EVALUATED, *WIDER, "train.max_steps=8"]
    )
    train(recipe, tmp_path / "wide", parent=str(parent))
    first, last = losses(parent)[-1], losses(tmp_path / "wide")[-1]
    fresh = losses(parent)[0]
    assert last < (first + fresh) / 2, "it does not begin where its parent ended"
    record = read_record(tmp_path / "wide")
    assert record is not None
    noted = record.provenance["grown_from"]
    assert noted == {"d_model": 32, "heads": 2, "ffn": 64}
    about = json.loads((tmp_path / "wide/best/model.json").read_text("utf-8"))
    assert about["model"]["d_model"] == 48
    assert Lineage(about).origin(about) == "started from 1 (narrower: d_model 32 heads 2 ffn 64)"


@pytest.mark.parametrize(
    ("overrides", "noted"), [([], False), (["model.ffn=80"], True)], ids=["as wide", "wider"]
)
def test_only_a_model_that_is_wider_is_noted_as_grown(
    parent: Path, tmp_path: Path, overrides: list[str], noted: bool
) -> None:
    path = write_game(tmp_path, reverse=False)
    recipe = load_recipe(path, [*EVALUATED, "finetune.grow=true", *overrides])
    adopt(recipe, tmp_path / "run", str(parent))
    record = read_record(tmp_path / "run")
    assert record is not None
    assert ("grown_from" in record.provenance) == noted


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model.d_model=48", "model.heads=3"], "does not fit the parent"),
        (["finetune.grow=true", "model.ffn=32"], "model.ffn 32 is less than the parent's"),
        (["finetune.grow=true", "model.d_model=48"], "a head of the recipe is 24 wide"),
        (["finetune.grow=true", "model.norm=post"], "norm 'post'"),
        (["finetune.grow=true", "model.decoder=ssru"], "decoder 'ssru'"),
        (["finetune.grow=true", "finetune.mode=frozen-encoder"], "finetune.mode"),
        (["finetune.grow=true", "model.encoder_layers=9"], "model.encoder_layers"),
    ],
)
def test_what_cannot_grow_is_refused(
    parent: Path, tmp_path: Path, overrides: list[str], message: str
) -> None:
    path = write_game(tmp_path, reverse=False)
    with pytest.raises(ConfigError) as caught:
        train(load_recipe(path, [*EVALUATED, *overrides]), tmp_path / "run", parent=str(parent))
    assert message in f"{caught.value}"
    assert not (tmp_path / "run/last").exists()


def test_only_a_transformer_that_translates_grows() -> None:
    wide = TransformerConfig(vocabulary_size=30, d_model=32, heads=2)
    with pytest.raises(ConfigError, match="only a Transformer that translates grows"):
        check_growth(wide, RnnConfig(vocabulary_size=30, d_model=16))


def test_damaged_weights_are_no_parent_to_grow(parent: Path, tmp_path: Path) -> None:
    weights = safetensors.torch.load_file(parent / "best/model.safetensors")
    broken = tmp_path / "broken"
    (broken / "best").mkdir(parents=True)
    for name in ("vocabulary.model", "best/model.json", "recipe.toml"):
        (broken / name).write_bytes((parent / name).read_bytes())
    weights["encoder_layers.0.ffn.up.weight"] = torch.zeros(3, 3)
    safetensors.torch.save_file(weights, broken / "best/model.safetensors")
    recipe = load_recipe(write_game(tmp_path, reverse=False), [*EVALUATED, *WIDER])
    with pytest.raises(DataError, match="not those that its description says"):
        train(recipe, tmp_path / "run", parent=str(broken))
