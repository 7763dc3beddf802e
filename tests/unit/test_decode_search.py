"""The trainer's search against brute force, and its guard against a naive one."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.decode.types import END
from mltranslate_train import search
from mltranslate_train.model.transformer import Transformer, TransformerConfig

WORDS = (4, 5, 6)
STEPS = 3


def tiny(seed: int) -> Transformer:
    torch.manual_seed(seed)
    shape = TransformerConfig(
        vocabulary_size=7, d_model=16, heads=2, ffn=16, encoder_layers=1, decoder_layers=1,
        dropout=0.3, max_length=12,
    )  # fmt: skip
    model = Transformer(shape)
    with torch.no_grad():
        model.embedding.weight.mul_(3)
    return model


def inputs(*rows: list[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    sources = [torch.tensor(row) for row in rows]
    source = torch.nn.utils.rnn.pad_sequence(sources, batch_first=True)
    return source, torch.full((len(rows),), 4), torch.full((len(rows),), STEPS)


@torch.inference_mode()
def total(model: Transformer, source: torch.Tensor, tokens: tuple[int, ...]) -> float:
    """Summed log-probability of `tokens`, by teacher forcing, marks excluded."""
    target = torch.tensor([[4, *tokens[:-1]]])
    logits = model.eval().logits(model(source, target, None))[0]
    logits[:, list(search.NEVER)] = -float("inf")
    chances = logits.log_softmax(dim=-1)
    return sum(float(chances[i, token]) for i, token in enumerate(tokens))


def finished() -> list[tuple[int, ...]]:
    prefixes = (itertools.product(WORDS, repeat=length) for length in range(STEPS))
    return [(*words, END) for group in prefixes for words in group]


@pytest.mark.parametrize("seed", range(8))
def test_wide_beam_finds_the_best_of_all(seed: int) -> None:
    model, (source, start, limits) = tiny(seed), inputs([4, 5, 6, 5, END])
    means = {tokens: total(model, source, tokens) / len(tokens) for tokens in finished()}
    best = sorted(means, key=lambda tokens: -means[tokens])
    (found,) = search.n_best(model, source, start, limits, size=20)
    ours = [h.pieces for h in found if h.finished]
    assert ours[:5] == [tokens[:-1] for tokens in best[:5]]
    assert found[0].score == pytest.approx(means[best[0]], abs=1e-5)
    assert [h.finished for h in found] == sorted((h.finished for h in found), reverse=True)


@pytest.mark.parametrize("penalty", [0.5, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_length_penalty_decides_the_order_and_not_the_score(seed: int, penalty: float) -> None:
    model, (source, start, limits) = tiny(seed), inputs([4, 5, 6, 5, END])
    totals = {tokens: total(model, source, tokens) for tokens in finished()}
    best = sorted(totals, key=lambda tokens: -totals[tokens] / len(tokens) ** penalty)
    (found,) = search.n_best(model, source, start, limits, size=20, length_penalty=penalty)
    ours = [h for h in found if h.finished]
    assert [h.pieces for h in ours[:5]] == [tokens[:-1] for tokens in best[:5]]
    means = [totals[tokens] / len(tokens) for tokens in best[:5]]
    assert [h.score for h in ours[:5]] == pytest.approx(means, abs=1e-5)
    cut = [h for h in found if not h.finished]
    assert all(-20 < h.score < 0 for h in cut)


@pytest.mark.parametrize("seed", range(8))
def test_greedy_takes_the_best_token_each_time(seed: int) -> None:
    model, (source, start, limits) = tiny(seed), inputs([4, 5, 6, 5, END])
    tokens: tuple[int, ...] = ()
    while len(tokens) < STEPS and END not in tokens:
        tokens += (max((*WORDS, END), key=lambda t: total(model, source, (*tokens, t))),)
    (found,) = search.greedy(model, source, start, limits)
    assert found.pieces == tuple(t for t in tokens if t != END)
    assert found.finished == (END in tokens)
    assert found.score == pytest.approx(total(model, source, tokens) / len(tokens), abs=1e-5)


@pytest.mark.parametrize("size", [1, 3])
def test_padding_and_neighbours_change_nothing(size: int) -> None:
    model = tiny(3)
    rows = [[4, 5, END], [4, 5, 6, 6, 5, 4, END], [4, END]]
    together = search.n_best(model, *inputs(*rows), size=size)
    for row, expected in zip(rows, together, strict=True):
        (alone,) = search.n_best(model, *inputs(row), size=size)
        assert [h.pieces for h in alone] == [h.pieces for h in expected]


def test_mode_of_the_model_is_put_back() -> None:
    model = tiny(0).train()
    search.greedy(model, *inputs([4, 5, END]))
    assert model.training
    with pytest.raises(IndexError):
        search.greedy(model, *inputs([4, 99, END]))
    assert model.training


@given(st.lists(st.integers(4, 6), max_size=14))
def test_guard_blocks_what_would_repeat_a_trigram(tokens: list[int]) -> None:
    logits = search.block_repeats(torch.zeros(1, 7), torch.tensor([tokens], dtype=torch.int64))
    trigrams = set(zip(tokens, tokens[1:], tokens[2:], strict=False))
    blocked = {t for t in range(7) if (*tokens[-2:], t) in trigrams}
    assert {t for t in range(7) if logits[0, t] == -float("inf")} == blocked
