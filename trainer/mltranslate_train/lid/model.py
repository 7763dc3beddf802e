"""The classifier: one row of class scores for every hashed feature, summed over the text."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mltranslate_train.lid.batches import Batch

RULED_OUT = -1e6
"""Score of a class that the script excludes; finite, so that scaling it stays differentiable."""


class LinearClassifier(nn.Module):
    """Multinomial logistic regression over hashed features.

    The score of a text of n features is their summed rows divided by n ** `length_power`, plus
    a bias: the features of neighbouring positions overlap, so that their evidence grows more
    slowly than their number.
    """

    def __init__(self, table_rows: int, classes: int, length_power: float) -> None:
        super().__init__()
        self.length_power = length_power
        self.table = nn.EmbeddingBag(table_rows, classes, mode="sum", sparse=True)
        nn.init.zeros_(self.table.weight)
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, rows: Tensor, ends: Tensor) -> Tensor:
        """Return (B, classes) scores; rows (N,) and ends (B,) as in `Features`."""
        starts = torch.cat([ends.new_zeros(1), ends[:-1]])
        sizes = (ends - starts).clamp_min(1).float()
        summed: Tensor = self.table(rows, starts)
        return summed / (sizes**self.length_power)[:, None] + self.bias

    def gated(self, batch: Batch) -> Tensor:
        """Return (B, classes) scores with the classes that the script rules out at `RULED_OUT`."""
        scores: Tensor = self(torch.from_numpy(batch.rows), torch.from_numpy(batch.ends))
        return scores.masked_fill(~torch.from_numpy(batch.possible), RULED_OUT)
