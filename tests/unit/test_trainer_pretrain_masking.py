import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mltranslate_train.data.batches import Batch
from mltranslate_train.data.pools import Pool, Side
from mltranslate_train.pretraining.masking import guesses, joined, masked, wanted_counts
from mltranslate_train.tokenizer import BEGIN, END, MASK, PAD

PIECES = st.lists(st.integers(MASK + 1, 60), max_size=20)
EXAMPLES = st.lists(st.tuples(PIECES, PIECES.filter(bool)), min_size=1, max_size=6)


def side(rows: list[list[int]]) -> Side:
    lengths = np.array([len(row) for row in rows], np.int64)
    flat = np.array([piece for row in rows for piece in row], np.uint16)
    return Side(flat, lengths.cumsum() - lengths, lengths)


def batch_of(examples: list[tuple[list[int], list[int]]]) -> Batch:
    sources, targets = zip(*examples, strict=True)
    pool = Pool(side(list(sources)), side(list(targets)), np.full(len(examples), 61),
                one_sequence=True)  # fmt: skip
    padded = pool.padded(np.arange(len(examples)), 64)
    return Batch(*(torch.from_numpy(part) for part in padded))


@given(EXAMPLES)
@settings(max_examples=100, deadline=None)
def test_both_sides_become_one_sequence_without_tag(
    examples: list[tuple[list[int], list[int]]],
) -> None:
    batch = batch_of(examples)
    ids = joined(batch, 64)
    for row, (source, target) in zip(ids.tolist(), examples, strict=True):
        first = [*source, END] if source else []
        wanted = [BEGIN, *first, *target, END]
        assert row == wanted + [PAD] * (len(row) - len(wanted))
    # The pool that cut the batch counted the same lengths: it is as wide.
    assert ids.shape == batch.source.shape


@given(EXAMPLES, st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_some_pieces_are_chosen_and_all_others_stay(
    examples: list[tuple[list[int], list[int]]], seed: int
) -> None:
    batch = batch_of(examples)
    ids = joined(batch, 64)
    made = masked(ids, 62, torch.Generator().manual_seed(seed))
    assert torch.equal(ids.flatten()[made.places], made.labels)
    assert len(made.labels) == guesses(batch) >= len(examples)
    assert not torch.isin(made.labels, torch.tensor([PAD, BEGIN, END])).any()
    restored = made.ids.flatten().index_copy(0, made.places, made.labels)
    assert torch.equal(restored.view_as(ids), ids)
    assert (made.ids != PAD).equal(ids != PAD)


def test_shares_are_those_of_the_paper() -> None:
    ids = torch.randint(100, 1000, (400, 102), generator=torch.Generator().manual_seed(1))
    ids[:, 0], ids[:, -1] = BEGIN, END
    made = masked(ids, 1000, torch.Generator().manual_seed(2))
    assert len(made.places) == 400 * 15
    shown = made.ids.flatten()[made.places]
    hidden = (shown == MASK).float().mean().item()
    kept = (shown == made.labels).float().mean().item()
    assert 0.78 < hidden < 0.82
    assert 0.08 < kept < 0.12
    others = shown[(shown != MASK) & (shown != made.labels)]
    assert others.min() > MASK
    # Every place is chosen equally often.
    counts = torch.zeros(400 * 102).index_add(0, made.places, torch.ones(len(made.places)))
    per_place = counts.view(400, 102).mean(0)
    assert per_place[0] == per_place[-1] == 0
    assert 0.05 < per_place[1:-1].min() < per_place[1:-1].max() < 0.27


def test_masks_differ_between_draws_and_are_equal_for_a_seed() -> None:
    ids = torch.randint(100, 1000, (8, 40), generator=torch.Generator().manual_seed(1))
    one, two = (masked(ids, 1000, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one.ids, two.ids)
    other = masked(ids, 1000, torch.Generator().manual_seed(4))
    assert not torch.equal(one.ids, other.ids)


def test_at_least_one_piece_is_wanted_of_any_text() -> None:
    counts = wanted_counts(torch.tensor([0, 1, 2, 9, 10, 100]))
    assert counts.tolist() == [0, 1, 1, 1, 2, 15]
