"""Dropout on the CPU: its share, its scale, its gradient, its repeatability."""

import pytest
import torch

from mltranslate_train.model.dropout import Dropout


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_share_dropped_and_expectation(rate: float) -> None:
    torch.manual_seed(1)
    kept = Dropout(rate)(torch.ones(1000, 999))
    level = round(rate * 256) / 256
    assert float((kept == 0).float().mean()) == pytest.approx(level, abs=2e-3)
    assert float(kept.mean()) == pytest.approx(1, abs=0.01)
    assert kept.unique().tolist() == pytest.approx([0, 1 / (1 - level)])


def test_gradient_flows_where_the_value_did() -> None:
    torch.manual_seed(1)
    x = torch.ones(7, 11, requires_grad=True)
    out = Dropout(0.4)(x)
    out.sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert torch.equal(x.grad, out.detach())


def test_same_seed_drops_the_same() -> None:
    x = torch.randn(5, 13, dtype=torch.bfloat16)
    outs = []
    for _ in range(2):
        torch.manual_seed(3)
        outs.append(Dropout(0.2)(x))
    assert torch.equal(*outs)
    assert outs[0].dtype == torch.bfloat16
    assert not torch.equal(outs[0], Dropout(0.2)(x))


def test_neighbours_are_independent() -> None:
    torch.manual_seed(1)
    dropped = (Dropout(0.5)(torch.ones(400_000)) == 0).float()
    for distance in (1, 2, 7, 8):
        both = (dropped[distance:] * dropped[:-distance]).mean()
        assert float(both) == pytest.approx(0.25, abs=4e-3)


def test_evaluation_and_rate_zero_change_nothing() -> None:
    x = torch.randn(3, 4)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_tiny_rate_still_drops() -> None:
    torch.manual_seed(1)
    assert float((Dropout(0.0001)(torch.ones(100_000)) == 0).float().mean()) > 0.002
