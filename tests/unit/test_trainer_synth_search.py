"""Sampling draws from the model's distribution, each sentence by its own numbers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.decode.types import END
from mltranslate_train import search
from mltranslate_train.model.transformer import Transformer, TransformerConfig

STEPS = 6


def tiny() -> Transformer:
    torch.manual_seed(3)
    shape = TransformerConfig(
        vocabulary_size=9, d_model=16, heads=2, ffn=16, encoder_layers=1, decoder_layers=1,
        dropout=0.3, max_length=12,
    )  # fmt: skip
    model = Transformer(shape)
    with torch.no_grad():
        model.embedding.weight.mul_(2)
    return model


MODEL = tiny()


def inputs(*rows: list[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    sources = [torch.tensor(row) for row in rows]
    source = torch.nn.utils.rnn.pad_sequence(sources, batch_first=True)
    return source, torch.full((len(rows),), 4), torch.full((len(rows),), STEPS)


def test_first_tokens_follow_the_distribution() -> None:
    source, start, _ = inputs([4, 5, 6, END])
    with torch.no_grad():
        logits = MODEL.eval().logits(MODEL(source, start[:, None], None))[0, -1]
    logits[list(search.NEVER)] = -torch.inf
    expected = logits.softmax(0)
    count = 20_000
    draws = torch.rand(count, 1, generator=torch.Generator().manual_seed(1))
    many = source.expand(count, -1), start.expand(count), torch.ones(count, dtype=torch.int64)
    found = search.sample(MODEL, *many, draws=draws)
    tokens = torch.tensor([one.pieces[0] if one.pieces else END for one in found])
    shares = torch.bincount(tokens, minlength=9) / count
    assert (shares - expected).abs().max() < 0.015  # about four standard deviations
    assert shares[list(search.NEVER)].sum() == 0


def test_one_likeliest_token_is_greedy_search() -> None:
    batch = inputs([4, 5, 6, END], [4, 7, END])
    drawn = search.sample(MODEL, *batch, draws=torch.rand(2, STEPS), top=1)
    greedy = search.greedy(MODEL, *batch)
    assert [one.pieces for one in drawn] == [one.pieces for one in greedy]
    assert [one.score for one in drawn] == pytest.approx([one.score for one in greedy], abs=1e-6)


def test_top_leaves_the_unlikely_out() -> None:
    batch = inputs(*[[4, 5, 6, END]] * 400)
    draws = torch.rand(400, STEPS, generator=torch.Generator().manual_seed(2))
    few = {one.pieces[:1] for one in search.sample(MODEL, *batch, draws=draws, top=2)}
    every = {one.pieces[:1] for one in search.sample(MODEL, *batch, draws=draws)}
    assert len(few) == 2
    assert few < every
    wide = search.sample(MODEL, *batch, draws=draws, top=100)
    assert {one.pieces[:1] for one in wide} == every


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=STEPS, max_size=STEPS))
def test_neighbours_change_nothing(chances: list[float]) -> None:
    row = torch.tensor([chances], dtype=torch.float64)
    (alone,) = search.sample(MODEL, *inputs([4, 5, END]), draws=row)
    others = torch.cat([torch.rand(1, STEPS, dtype=torch.float64), row])
    beside = search.sample(MODEL, *inputs([4, 6, 6, 5, 7, 4, END], [4, 5, END]), draws=others)[1]
    assert beside.pieces == alone.pieces
    assert not {*search.NEVER, END} & {*alone.pieces}
