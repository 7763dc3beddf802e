"""Which pieces are hidden from a masked model, and as what (Devlin et al. 2019).

Of every sequence 15 % of the pieces are to be guessed; 80 % of those are replaced by <mask>, 10 %
by random pieces, and 10 % are left as they are. A pair is one sequence, `<s> source </s> target
</s>` (translation language modelling, Conneau and Lample 2019): a hidden piece may be guessed
from the other language. Text in one language is `<s> text </s>`. There is no language tag, as in
M-BERT: the translation model's tags ask for a target language, which is another thing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mltranslate_train.data.batches import Batch
from mltranslate_train.data.pools import bucket
from mltranslate_train.tokenizer import BEGIN, END, MASK, PAD

SHARE, HIDDEN, RANDOM = 0.15, 0.8, 0.1
"""Share of pieces to be guessed; of those, the shares that are hidden, and exchanged."""


@dataclass(frozen=True, slots=True)
class Masked:
    """Sequences in which some pieces are to be guessed."""

    ids: Tensor
    """(B, S), with hidden and exchanged pieces."""
    places: Tensor
    """Places (N,) in B · S of the pieces to be guessed."""
    labels: Tensor
    """What stood there (N,)."""


def joined(batch: Batch, limit: int) -> Tensor:
    """One sequence (B, S) for each example: both sides where there are two; `limit` is for S."""
    source, target = batch.source[:, 1:], batch.target_out  # without the tags
    begin = torch.full((len(source), 1), BEGIN)
    both = torch.cat([begin, source, target], dim=1)
    real = both != PAD
    real[:, 1] &= both[:, 1] != END  # an empty source has an end mark only
    width = bucket(int(real.sum(1).max()), limit)
    order = (~real).to(torch.uint8).argsort(dim=1, stable=True)[:, :width]
    ids = both.gather(1, order).masked_fill(~real.gather(1, order), PAD)
    return torch.nn.functional.pad(ids, (0, width - ids.shape[1]), value=PAD)


def wanted_counts(lengths: Tensor) -> Tensor:
    """How many of so many pieces are to be guessed: the share, one at least; none of none."""
    return torch.minimum((lengths * SHARE).round().long().clamp_min(1), lengths)


def guesses(batch: Batch) -> int:
    """How many pieces of a batch are to be guessed, whichever they are."""
    sources = (batch.source != PAD).sum(1) - 2
    targets = (batch.target_out != PAD).sum(1) - 1
    return int(wanted_counts(sources + targets).sum())


def masked(ids: Tensor, vocabulary_size: int, generator: torch.Generator | None = None) -> Masked:
    """Choose pieces of sequences (B, S), and hide them; without a generator by torch's own."""
    candidates = (ids != PAD) & (ids != BEGIN) & (ids != END)
    noise = torch.rand(ids.shape, generator=generator).masked_fill(~candidates, 2.0)
    rank = noise.argsort(dim=1).argsort(dim=1)
    chosen = rank < wanted_counts(candidates.sum(1))[:, None]
    places = chosen.flatten().nonzero().squeeze(1)
    labels = ids.flatten()[places]
    fate = torch.rand(len(places), generator=generator)
    others = torch.randint(MASK + 1, vocabulary_size, (len(places),), generator=generator)
    shown = torch.where(fate < HIDDEN, torch.tensor(MASK), others)
    shown = torch.where(fate < HIDDEN + RANDOM, shown, labels)
    changed = ids.flatten().index_copy(0, places, shown)
    return Masked(changed.view_as(ids), places, labels)
