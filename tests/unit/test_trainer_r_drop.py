import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from mltranslate_train.loss import fused_cross_entropy
from mltranslate_train.r_drop import fused_r_drop


def plain(
    states: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, smoothing: float, alpha: float
) -> torch.Tensor:
    """R-Drop as the paper writes it."""
    one, two = (states @ weight.T).chunk(2)
    entropy = sum(
        functional.cross_entropy(side, labels, label_smoothing=smoothing, reduction="sum")
        for side in (one, two)
    )
    p, q = one.log_softmax(1), two.log_softmax(1)
    there = functional.kl_div(q, p, log_target=True, reduction="sum")
    back = functional.kl_div(p, q, log_target=True, reduction="sum")
    return entropy + alpha * (there + back) / 2


@settings(max_examples=40)
@given(
    rows=st.integers(1, 700),
    smoothing=st.sampled_from([0.0, 0.1, 0.3]),
    alpha=st.sampled_from([0.0, 1.0, 5.0]),
    seed=st.integers(0, 100),
)
def test_value_and_gradients_equal_the_papers_formula(
    rows: int, smoothing: float, alpha: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(2 * rows, 8, generator=generator, requires_grad=True)
    weight = torch.randn(37, 8, generator=generator, requires_grad=True)
    labels = torch.randint(0, 37, (rows,), generator=generator)
    fused = fused_r_drop(states, weight, labels, smoothing, alpha)
    expected = plain(states, weight, labels, smoothing, alpha)
    assert fused.item() == pytest.approx(expected.item(), rel=1e-4)
    got = torch.autograd.grad(fused / rows, (states, weight))
    wanted = torch.autograd.grad(expected / rows, (states, weight))
    for left, right in zip(got, wanted, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-3, atol=1e-5)


def test_equal_passes_cost_their_cross_entropy_only() -> None:
    states, weight = torch.randn(600, 16), torch.randn(50, 16)
    labels = torch.randint(0, 50, (600,))
    once = fused_cross_entropy(states, weight, labels, 0.1).item()
    twice = fused_r_drop(states.repeat(2, 1), weight, labels, 0.1, 5.0).item()
    assert twice == pytest.approx(2 * once, rel=1e-5)


def test_bf16_is_near_fp32_and_survives_huge_logits() -> None:
    states, weight = torch.randn(1200, 16), torch.randn(50, 16)
    labels = torch.randint(0, 50, (600,))
    exact = fused_r_drop(states, weight, labels, 0.1, 5.0).item()
    rounded = fused_r_drop(states.bfloat16(), weight, labels, 0.1, 5.0).item()
    assert rounded == pytest.approx(exact, rel=0.01)
    assert math.isfinite(fused_r_drop(states * 1e3, weight, labels, 0.1, 5.0).item())
