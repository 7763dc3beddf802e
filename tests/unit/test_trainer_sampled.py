"""Sampled softmax: exact where all pieces are scored, unbiased in the sum where some are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mltranslate_train.loss import fused_cross_entropy
from mltranslate_train.sampled import draw, sampled_cross_entropy

VOCABULARY, WIDTH, SMOOTHING = 300, 8, 0.1


def problem(seed: int = 1, rows: int = 40) -> tuple[Tensor, Tensor, Tensor]:
    """States, output weights that learn, and labels among the first fifty pieces."""
    torch.manual_seed(seed)
    states = torch.randn(rows, WIDTH, requires_grad=True)
    weight = torch.randn(VOCABULARY, WIDTH, requires_grad=True)
    return states, weight, torch.randint(0, 50, (rows,))


def reference(states: Tensor, weight: Tensor, labels: Tensor, counts: Tensor) -> Tensor:
    """The estimate by autograd: a logit's exponential counts as often as its piece stands for."""
    logits = states @ weight.T
    normaliser = (logits + counts.log()).logsumexp(1)
    wanted = logits.gather(1, labels[:, None]).squeeze(1)
    mean = logits @ (counts / counts.sum())
    return (normaliser - (1 - SMOOTHING) * wanted - SMOOTHING * mean).sum()


def test_drawn_pieces_hold_every_label_once_and_stand_for_the_whole_vocabulary() -> None:
    labels = torch.tensor([7, 7, 299, 0])
    pieces, counts = draw(labels, VOCABULARY, 100)
    assert len(pieces) == 100 == len(pieces.unique())
    assert (pieces[1:] > pieces[:-1]).all()
    held = torch.isin(pieces, labels)
    assert held.sum() == 3
    assert (counts[held] == 1).all()
    assert counts.sum().item() == pytest.approx(VOCABULARY)


@pytest.mark.parametrize(("labels", "others"), [(200, 25), (99, 25), (290, 10), (300, 0)])
def test_some_pieces_stand_for_the_rest_however_many_labels_there_are(
    labels: int, others: int
) -> None:
    pieces, counts = draw(torch.arange(labels), VOCABULARY, 100)
    assert pieces[:labels].tolist() == list(range(labels))
    assert len(pieces) == labels + others
    assert counts.sum().item() == pytest.approx(VOCABULARY)


def test_loss_and_gradients_are_those_of_the_weighted_sum() -> None:
    states, weight, labels = problem()
    torch.manual_seed(5)
    pieces, counts = draw(labels, VOCABULARY, 120)
    expected = reference(states, weight[pieces], torch.searchsorted(pieces, labels), counts)
    wanted = torch.autograd.grad(expected, (states, weight))
    torch.manual_seed(5)
    loss = sampled_cross_entropy(states, weight, labels, SMOOTHING, 120)
    got = torch.autograd.grad(loss, (states, weight))
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("size", [VOCABULARY, VOCABULARY + 1])
def test_all_pieces_give_the_exact_loss(size: int) -> None:
    states, weight, labels = problem()
    exact = fused_cross_entropy(states, weight, labels, SMOOTHING)
    torch.testing.assert_close(
        sampled_cross_entropy(states, weight, labels, SMOOTHING, size), exact
    )


def test_the_estimate_is_near_the_exact_loss_and_better_with_more_pieces() -> None:
    states, weight, labels = problem(rows=200)
    exact = fused_cross_entropy(states, weight, labels, SMOOTHING).item()

    def distance(size: int) -> float:
        losses = [
            sampled_cross_entropy(states, weight, labels, SMOOTHING, size).item() for _ in range(30)
        ]
        assert sum(losses) / len(losses) == pytest.approx(exact, rel=0.05)
        return sum(abs(loss - exact) for loss in losses)

    assert distance(250) < distance(80)
