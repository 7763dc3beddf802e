import dataclasses

import pytest
import torch
from torch.nn import functional

from mltranslate.errors import ConfigError
from mltranslate_train.model.attention import attend
from mltranslate_train.model.autoregressive import AverageAttention, Ssru, scan
from mltranslate_train.model.transformer import Transformer, TransformerConfig, sinusoids

SHAPE = TransformerConfig(
    vocabulary_size=50, d_model=16, heads=2, ffn=32, encoder_layers=2, decoder_layers=2,
    dropout=0.0, max_length=12,
)  # fmt: skip


@pytest.fixture
def model() -> Transformer:
    torch.manual_seed(1)
    return Transformer(SHAPE).eval()


@pytest.mark.parametrize("kind", ["all", "mask", "causal"])
def test_attention_on_the_cpu_equals_the_fused_kernel_of_gpus(kind: str) -> None:
    query, keys, values = torch.randn(3, 2, 4, 6, 8).unbind()
    mask = torch.rand(2, 1, 1, 6) < 0.7 if kind == "mask" else None
    if mask is not None:
        mask[..., 0] = True
    got = attend(query, keys, values, mask, kind == "causal")
    expected = functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=mask, is_causal=kind == "causal"
    )
    torch.testing.assert_close(got, expected)


def test_names_of_the_weights_that_packs_were_made_of_stay() -> None:
    names = set(Transformer(SHAPE).state_dict())
    layer = {"attention.qkv", "attention.out", "attention_norm", "ffn.up", "ffn.down", "ffn_norm"}
    decoder = {"self_attention.qkv", "self_attention.out", "self_norm", "cross_attention.q"}
    decoder |= {"cross_attention.kv", "cross_attention.out", "cross_norm", "ffn.up", "ffn.down"}
    expected = {f"encoder_layers.{i}.{part}" for i in range(2) for part in layer}
    expected |= {f"decoder_layers.{i}.{part}" for i in range(2) for part in decoder | {"ffn_norm"}}
    expected |= {"encoder_norm", "decoder_norm"}
    whole = {f"{part}.{kind}" for part in expected for kind in ("weight", "bias")}
    assert names == whole | {"embedding.weight"}


def test_normalising_after_leaves_out_the_last_norms() -> None:
    names = set(Transformer(SHAPE).state_dict())
    after = set(Transformer(dataclasses.replace(SHAPE, norm="post")).state_dict())
    ends = {f"{side}_norm.{kind}" for side in ("encoder", "decoder") for kind in ("weight", "bias")}
    assert names - after == ends
    assert after < names


@pytest.mark.parametrize(
    ("embeddings", "own"),
    [
        ("shared", set()),
        ("target", {"source_embedding.weight"}),
        ("separate", {"source_embedding.weight", "output.weight"}),
    ],
)
def test_matrices_are_shared_as_asked(embeddings: str, own: set[str]) -> None:
    model = Transformer(dataclasses.replace(SHAPE, embeddings=embeddings))
    assert set(model.state_dict()) - set(Transformer(SHAPE).state_dict()) == own
    assert (model.output_weight is model.embedding.weight) == (embeddings != "separate")
    ids = torch.tensor([[7]])
    assert torch.equal(model.embed_source(ids), model.embed_target(ids)) == (not own)


def test_average_attention_reads_the_mean_of_what_stands_before() -> None:
    layer = AverageAttention(SHAPE)
    x = torch.randn(2, 5, 16)
    for t in range(5):
        read = layer.ffn(x[:, : t + 1].mean(1))
        keep, take = layer.gates(torch.cat([x[:, t], read], dim=-1)).sigmoid().chunk(2, dim=-1)
        torch.testing.assert_close(layer(x)[:, t], keep * x[:, t] + take * read)


def test_ssru_follows_its_recurrence() -> None:
    layer = Ssru(SHAPE)
    x, cell = torch.randn(2, 5, 16), torch.zeros(2, 16)
    for t in range(5):
        forget = layer.forget(x[:, t]).sigmoid()
        cell = forget * cell + (1 - forget) * layer.value(x[:, t])
        torch.testing.assert_close(layer(x)[:, t], cell.relu())


@pytest.mark.parametrize("length", [1, 2, 7])
def test_gradient_of_the_scan_is_right(length: int) -> None:
    forget = torch.rand(2, length, 3, dtype=torch.float64, requires_grad=True)
    added = torch.randn(2, length, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(scan, (forget, added))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_scan_bears_gates_that_are_quite_open_or_shut(value: float) -> None:
    forget = torch.full((1, 400, 2), value, requires_grad=True)
    cells = scan(forget, torch.ones(1, 400, 2))
    torch.testing.assert_close(cells[0, -1, 0].item(), 400.0 if value else 1.0)
    cells.sum().backward()
    assert forget.grad is not None
    assert forget.grad.isfinite().all()


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_alignment_is_the_mean_of_the_first_heads(layers: int) -> None:
    torch.manual_seed(1)
    config = dataclasses.replace(SHAPE, decoder_layers=layers, alignment_heads=1)
    model = Transformer(config).eval()
    source, target = torch.randint(5, 50, (2, 7)), torch.randint(5, 50, (2, 6))
    source[1, 4:] = 0
    mask = (source != 0)[:, None, None, :]
    seen: list[torch.Tensor] = []
    chosen = model.decoder_layers[max(0, layers - 2)].cross_norm
    chosen.register_forward_hook(lambda *args: seen.append(args[2]))
    states, alignment = model.forward_with_alignment(source, target, mask)
    torch.testing.assert_close(states, model(source, target, mask))
    cross = model.decoder_layers[max(0, layers - 2)].cross_attention
    keys = cross.memory(model.encode(source, mask))[0][:, 0]
    scores = cross.q(seen[0])[..., :8] @ keys.transpose(1, 2) / 8**0.5
    expected = scores.masked_fill(~mask[:, 0], -torch.inf).softmax(-1)
    torch.testing.assert_close(alignment, expected)
    assert not alignment[1, :, 4:].any()


def test_alignment_teaches_only_its_heads() -> None:
    model = Transformer(dataclasses.replace(SHAPE, alignment_heads=1))
    ids = torch.randint(5, 50, (2, 6))
    model.forward_with_alignment(ids, ids, None)[1][:, :, 0].sum().backward()
    gradient = model.decoder_layers[0].cross_attention.q.weight.grad
    assert gradient[:8].any()
    assert not gradient[8:].any()


def test_a_model_without_alignment_heads_gives_no_alignment(model: Transformer) -> None:
    ids = torch.randint(5, 50, (1, 3))
    with pytest.raises(ConfigError, match="alignment_heads is 0"):
        model.forward_with_alignment(ids, ids, None)


@pytest.mark.parametrize(
    "key", ["dropout", "word_dropout", "attention_dropout", "activation_dropout"]
)
def test_every_dropout_drops_in_training_only(key: str) -> None:
    torch.manual_seed(1)
    model = Transformer(dataclasses.replace(SHAPE, **{key: 0.5}))
    ids = torch.randint(5, 50, (2, 6))
    assert not torch.equal(model(ids, ids, None), model(ids, ids, None))
    model.eval()
    assert torch.equal(model(ids, ids, None), model(ids, ids, None))


def test_word_dropout_drops_whole_embeddings() -> None:
    torch.manual_seed(1)
    model = Transformer(dataclasses.replace(SHAPE, word_dropout=0.25))
    ids = torch.randint(5, 50, (40, 50))
    for embed in (model.embed_source, model.embed_target):
        embedded = embed(ids)
        dropped = (embedded == 0).all(dim=2)
        assert 0.2 < dropped.float().mean() < 0.3
        whole = model.eval().embed_target(ids)
        torch.testing.assert_close(embedded[~dropped], whole[~dropped] / 0.75)
        model.train()


def test_positions_are_sines_then_cosines() -> None:
    table = sinusoids(5, 8)
    torch.testing.assert_close(table[0], torch.tensor([0.0] * 4 + [1.0] * 4))
    torch.testing.assert_close(table[3, 0], torch.tensor(3.0).sin())
    torch.testing.assert_close(table[3, 4], torch.tensor(3.0).cos())


@pytest.mark.parametrize(("width", "heads"), [(16, 3), (15, 5)])
def test_width_that_does_not_fit_the_heads_is_refused(width: int, heads: int) -> None:
    with pytest.raises(ConfigError, match=f"d_model {width} does not fit {heads} heads"):
        TransformerConfig(vocabulary_size=9, d_model=width, heads=heads)
