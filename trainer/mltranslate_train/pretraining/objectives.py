"""What models of text learn by: guessing hidden pieces, or the next one."""

from __future__ import annotations

from torch import Tensor

from mltranslate_train.data.batches import Batch
from mltranslate_train.device import autocast
from mltranslate_train.objective import Objective, source_mask
from mltranslate_train.pretraining.masking import guesses, joined, masked
from mltranslate_train.tokenizer import PAD


class MaskedPieces(Objective):
    """Cross-entropy of the pieces that were chosen, anew for every batch.

    They are drawn by torch's generator, whose state is in every checkpoint.
    """

    def inputs(self, batch: Batch) -> tuple[Tensor, ...]:
        """Sequences (B, S) with hidden pieces, their places (N,) in B · S, and labels (N,)."""
        config = self.model.config
        made = masked(joined(batch, config.max_length), config.vocabulary_size)
        return made.ids, made.places, made.labels

    def tokens(self, batch: Batch) -> int:
        """Pieces to be guessed."""
        return guesses(batch)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Summed loss."""
        ids, places, labels = inputs
        with autocast(ids.device, self.precision):
            states: Tensor = self.model(ids, source_mask(ids))
        return self._loss(states, places, labels)


class NextPiece(Objective):
    """Cross-entropy of every piece and of the end mark, given what stands before."""

    def inputs(self, batch: Batch) -> tuple[Tensor, ...]:
        """Tag and text (B, T), places (N,) of real tokens in B · T, and labels (N,)."""
        labels = batch.target_out.flatten()
        places = (labels != PAD).nonzero().squeeze(1)
        return batch.target_in, places, labels[places]

    def tokens(self, batch: Batch) -> int:
        """Real tokens, end marks included."""
        return batch.target_tokens

    def forward(self, *inputs: Tensor) -> Tensor:
        """Summed loss."""
        ids, places, labels = inputs
        with autocast(ids.device, self.precision):
            states: Tensor = self.model(ids)
        return self._loss(states, places, labels)
