import pytest
import torch
from torch.nn import functional

from mltranslate.errors import ConfigError
from mltranslate_train.model.transformer import (
    Transformer,
    TransformerConfig,
    attend,
    sinusoids,
)

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


def test_steps_with_caches_equal_one_pass(model: Transformer) -> None:
    source, target = torch.randint(5, 50, (3, 7)), torch.randint(5, 50, (3, 6))
    with torch.no_grad():
        whole = model.logits(model(source, target, None))
        memories, caches = model.memories(model.encode(source, None)), None
        for place in range(6):
            logits, caches = model.step(target[:, place], place, memories, None, caches)
            torch.testing.assert_close(logits, whole[:, place], rtol=1e-4, atol=1e-5)


def test_padding_changes_nothing(model: Transformer) -> None:
    source, target = torch.randint(5, 50, (1, 5)), torch.randint(5, 50, (1, 4))
    padded = functional.pad(source, (0, 3))
    with torch.no_grad():
        alone = model(source, target, None)
        beside = model(padded, target, (padded != 0)[:, None, None, :])
    torch.testing.assert_close(alone, beside, rtol=1e-4, atol=1e-5)


def test_positions_are_sines_then_cosines() -> None:
    table = sinusoids(5, 8)
    torch.testing.assert_close(table[0], torch.tensor([0.0] * 4 + [1.0] * 4))
    torch.testing.assert_close(table[3, 0], torch.tensor(3.0).sin())
    torch.testing.assert_close(table[3, 4], torch.tensor(3.0).cos())


@pytest.mark.parametrize(("width", "heads"), [(16, 3), (15, 5)])
def test_width_that_does_not_fit_the_heads_is_refused(width: int, heads: int) -> None:
    with pytest.raises(ConfigError, match=f"d_model {width} does not fit {heads} heads"):
        TransformerConfig(vocabulary_size=9, d_model=width, heads=heads)
