"""The recurrent models beside the equations of their papers."""

import pytest
import torch
from model_variants import RNNS, make_variant

from mltranslate_train.model.recurrent import CELLS, Gru, Lstm, Reader, turn_round
from mltranslate_train.model.rnn import Rnn
from mltranslate_train.model.rnn_attention import Additive, FinalState, General

MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]).bool()[:, None, None]


def test_turning_round_leaves_padding_at_the_end() -> None:
    x = torch.arange(1, 6).expand(3, 5)[:, :, None].float()
    turned = turn_round(x, MASK)[:, :, 0]
    assert turned.tolist() == [[5, 4, 3, 2, 1], [3, 2, 1, 4, 5], [1, 2, 3, 4, 5]]
    torch.testing.assert_close(turn_round(turn_round(x, MASK), MASK), x)
    torch.testing.assert_close(turn_round(x, torch.ones_like(MASK)), turn_round(x, None))


@pytest.mark.parametrize("cell", CELLS)
@torch.no_grad()
def test_reading_both_ways_equals_packed_torch(cell: str) -> None:
    reader = Reader(cell, 8, both_ways=True)
    kind = torch.nn.LSTM if cell == "lstm" else torch.nn.GRU
    stock = kind(8, 4, bidirectional=True, batch_first=True)
    stock.load_state_dict(
        reader.ahead.state_dict()
        | {f"{name}_reverse": value for name, value in reader.back.state_dict().items()}
    )
    x, lengths = torch.randn(3, 5, 8), MASK[:, 0, 0].sum(1)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
    states, last = stock(packed)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
    got = reader(x, MASK)
    torch.testing.assert_close(got * MASK[:, 0, 0, :, None], expected)
    hidden = last[0] if cell == "lstm" else last
    torch.testing.assert_close(reader.last(got, MASK), torch.cat([*hidden], dim=-1))


@torch.no_grad()
def test_lstm_is_the_textbook_s() -> None:
    layer = Lstm(3, 2)
    x, (hidden, cell) = torch.randn(4, 3), torch.randn(2, 4, 2)
    gates = x @ layer.weight_ih_l0.T + hidden @ layer.weight_hh_l0.T + layer.bias_ih_l0
    take, keep, new, show = gates.chunk(4, dim=-1)
    expected = keep.sigmoid() * cell + take.sigmoid() * new.tanh()
    got = layer.step(x, (hidden, cell))
    torch.testing.assert_close(got[1], expected)
    torch.testing.assert_close(got[0], show.sigmoid() * expected.tanh())


@torch.no_grad()
def test_gru_is_the_textbook_s() -> None:
    layer = Gru(3, 2)
    torch.nn.init.normal_(layer.bias_hh_l0)
    x, hidden = torch.randn(4, 3), torch.randn(4, 2)
    reset, keep, new = (x @ layer.weight_ih_l0.T).chunk(3, dim=-1)
    parts = (hidden @ layer.weight_hh_l0.T + layer.bias_hh_l0).chunk(3, dim=-1)
    keep = (keep + parts[1]).sigmoid()
    new = (new + (reset + parts[0]).sigmoid() * parts[2]).tanh()
    torch.testing.assert_close(layer.step(x, (hidden,))[0], (1 - keep) * new + keep * hidden)


def test_lstm_remembers_at_the_start() -> None:
    layer = Lstm(3, 2)
    assert layer.bias_ih_l0.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


@torch.no_grad()
def test_additive_attention_is_bahdanau_s() -> None:
    attention = Additive(4)
    encoded, query = torch.randn(1, 3, 4), torch.randn(1, 1, 4)
    w, u, v = attention.query.weight, attention.key.weight, attention.score.weight[0]
    bias = attention.key.bias
    scores = [v @ torch.tanh(w @ query[0, 0] + u @ h + bias) for h in encoded[0]]
    expected = torch.stack(scores).softmax(0) @ encoded[0]
    got = attention.read(query, attention.memory(encoded, query[:, 0]), None)
    torch.testing.assert_close(got[0, 0], expected)


@torch.no_grad()
def test_general_attention_is_luong_s() -> None:
    attention = General(4)
    encoded, query = torch.randn(1, 3, 4), torch.randn(1, 2, 4)
    scores = query[0] @ attention.key.weight @ encoded[0].T
    got = attention.read(query, attention.memory(encoded, query[:, 0]), None)
    torch.testing.assert_close(got[0], scores.softmax(-1) @ encoded[0])


def test_without_attention_only_the_last_state_is_kept() -> None:
    kept = FinalState(4).memory(torch.randn(2, 9, 4), torch.randn(2, 4))
    assert [tuple(part.shape) for part in kept] == [(2, 1, 4)]


@pytest.mark.parametrize("name", RNNS)
def test_first_states_come_of_the_last_of_the_source(name: str) -> None:
    model = make_variant(name)
    assert isinstance(model, Rnn)
    encoded, final = torch.randn(2, 5, 16), torch.randn(2, 16)
    _, states = model.memories((encoded, final))
    parts = [part for state in states for part in state]
    assert len(parts) == 2 * (2 if name.startswith("lstm") else 1)
    torch.testing.assert_close(torch.cat(parts, dim=-1), torch.tanh(model.bridge(final)))
