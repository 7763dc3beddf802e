"""What holds for every variant of every model."""

import pytest
import torch
from model_variants import END, MARKS, TAG, VARIANTS, make_variant
from torch.nn import functional

from mltranslate.errors import DeviceError
from mltranslate_train import search
from mltranslate_train.device import check_precision
from mltranslate_train.model.build import describe, model_from_about
from mltranslate_train.model.seq2seq import Seq2Seq

every_variant = pytest.mark.parametrize("name", VARIANTS)


def masked(source: torch.Tensor) -> torch.Tensor:
    return (source != 0)[:, None, None, :]


def ragged() -> tuple[torch.Tensor, torch.Tensor]:
    """Sources of 7, 4 and 1 tokens in one batch, and targets."""
    generator = torch.Generator().manual_seed(3)
    source = torch.randint(MARKS, 45, (3, 7), generator=generator)
    source[1, 4:] = source[2, 1:] = 0
    return source, torch.randint(MARKS, 45, (3, 6), generator=generator)


@every_variant
@torch.no_grad()
def test_steps_equal_one_pass(name: str) -> None:
    model = make_variant(name).eval()
    source, target = ragged()
    mask = masked(source)
    whole = model.logits(model(source, target, mask))
    memories, caches = model.memories(model.encode(source, mask)), None
    for place in range(target.shape[1]):
        logits, caches = model.step(target[:, place], place, memories, mask, caches)
        torch.testing.assert_close(logits, whole[:, place], rtol=1e-4, atol=1e-5)


@every_variant
@torch.no_grad()
def test_padding_changes_nothing(name: str) -> None:
    model = make_variant(name).eval()
    source, target = ragged()
    together = model(source, target, masked(source))
    for row in range(len(source)):
        alone = source[row : row + 1, : int((source[row] != 0).sum())]
        for mask in (None, masked(alone)):
            states = model(alone, target[row : row + 1], mask)
            torch.testing.assert_close(states[0], together[row], rtol=1e-4, atol=1e-5)


@every_variant
@torch.no_grad()
def test_a_token_does_not_see_those_after_it(name: str) -> None:
    model = make_variant(name).eval()
    source, target = ragged()
    other = target.clone()
    other[:, 4:] = torch.where(other[:, 4:] == 9, 10, 9)
    first, second = model(source, target, masked(source)), model(source, other, masked(source))
    torch.testing.assert_close(first[:, :4], second[:, :4])
    assert not torch.allclose(first[:, 4:], second[:, 4:])


@every_variant
def test_one_beam_is_greedy_search(name: str) -> None:
    model = make_variant(name).eval()
    source, _ = ragged()
    inputs = source, torch.full((3,), TAG), torch.tensor([8, 5, 3])
    endless = (*search.NEVER, END)  # a beam would also keep what ends early
    beams = search.beam(model, *inputs, size=1, banned=endless)
    for one, alone in zip(beams, search.greedy(model, *inputs, banned=endless), strict=True):
        assert one.pieces == alone.pieces
        assert one.score == pytest.approx(alone.score, abs=1e-4)  # it bears a penalty of 100


@every_variant
def test_beams_follow_their_own_prefixes(name: str) -> None:
    """Scores that the search summed up equal those of teacher forcing over its result."""
    model = make_variant(name, words=3).eval()
    source = torch.tensor([[5, 6, 7, END], [7, END, 0, 0]])
    found = search.n_best(model, source, torch.full((2,), TAG), torch.tensor([6, 4]), size=4)
    for row, hypotheses in enumerate(found):
        for one in hypotheses:
            expected = mean_score(model, source[row : row + 1], [*one.pieces], one.finished)
            assert one.score == pytest.approx(expected, abs=1e-4)


@torch.no_grad()
def mean_score(model: Seq2Seq, source: torch.Tensor, pieces: list[int], finished: bool) -> float:
    wanted = [*pieces, END] if finished else pieces
    target = torch.tensor([[TAG, *wanted[:-1]]])
    logits = model.logits(model(source, target, masked(source)))[0]
    logits[:, list(search.NEVER)] = -torch.inf
    chances = logits.log_softmax(-1)
    return float(chances[range(len(wanted)), wanted].mean())


@every_variant
def test_a_description_makes_the_same_model(name: str) -> None:
    model = make_variant(name).eval()
    again = model_from_about({"step": 3, **describe(model)}).eval()
    assert again.config == model.config
    again.load_state_dict(model.state_dict())
    source, target = ragged()
    torch.testing.assert_close(again(source, target, None), model(source, target, None))


@every_variant
def test_every_weight_learns(name: str) -> None:
    model = make_variant(name)
    source, target = ragged()
    model.logits(model(source, target, masked(source))).logsumexp(-1).sum().backward()
    dead = [name for name, weight in model.named_parameters() if weight.grad is None]
    assert not dead


@every_variant
def test_half_precision_is_close(name: str) -> None:
    model = make_variant(name)
    source, target = ragged()
    try:
        check_precision(model, torch.device("cpu"), torch.bfloat16)
    except DeviceError:  # this CPU has no LSTM in bf16: it must not be refused for nothing
        with pytest.raises(RuntimeError), torch.autocast("cpu", dtype=torch.bfloat16):
            model(source, target, masked(source))
        return
    expected = model(source, target, masked(source))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = model(source, target, masked(source))
    torch.testing.assert_close(got.float(), expected, rtol=0.1, atol=0.1)
    got.float().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


WORDS, LONGEST, STEPS = 5, 3, 150


@every_variant
def test_learns_to_turn_words_round(name: str) -> None:
    model = make_variant(name, words=WORDS, layers=1, width=32)
    generator = torch.Generator().manual_seed(2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=STEPS)
    for _ in range(STEPS):
        source, target = games(generator, 32)
        logits = model.logits(model(source, target[:, :-1], masked(source)))
        loss = functional.cross_entropy(
            logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=0
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    source, target = games(generator, 100)
    found = search.greedy(model, source, torch.full((100,), TAG), torch.full((100,), LONGEST + 2))
    wanted = [tuple(i for i in row if i >= MARKS) for row in target.tolist()]
    right = sum(one.pieces == answer for one, answer in zip(found, wanted, strict=True))
    assert right >= 90


def games(generator: torch.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Up to three words, and the same the other way round."""
    lengths = torch.randint(1, LONGEST + 1, (count,), generator=generator).tolist()
    words = [torch.randint(MARKS, MARKS + WORDS, (n,), generator=generator) for n in lengths]
    sides = [
        [torch.cat([torch.tensor([TAG]), row, torch.tensor([END])]) for row in side]
        for side in (words, [row.flip(0) for row in words])
    ]
    source, target = (torch.nn.utils.rnn.pad_sequence(side, batch_first=True) for side in sides)
    return source, target
