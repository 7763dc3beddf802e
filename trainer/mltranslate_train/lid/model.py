"""The classifier: a narrow row for every hashed feature, summed over the text, and a small network.

The table is shared by all languages (Joulin et al. 2016, "Bag of Tricks for Efficient Text
Classification"), which is what lets it know two hundred of them in a few megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from mltranslate_train.lid.batches import Batch

RULED_OUT = -1e6
"""Score of a class that the script excludes; finite, so that scaling it stays differentiable."""


class Classifier(nn.Module):
    """Scores of classes for texts of hashed features.

    A text of n features is their summed rows divided by n ** `length_power`: the features of
    neighbouring positions overlap, so that their evidence grows more slowly than their number.
    Its scores are a linear function of that vector and of a layer of rectified linear units.
    """

    def __init__(
        self, table_rows: int, width: int, hidden: int, classes: int, length_power: float
    ) -> None:
        super().__init__()
        self.length_power = length_power
        self.table = nn.EmbeddingBag(table_rows, width, mode="sum")
        # The output layer is random, so a table of zeros learns; rows never met stay silent.
        nn.init.zeros_(self.table.weight)
        self.hidden = nn.Linear(width, hidden)
        self.output = nn.Linear(width + hidden, classes)

    def forward(self, rows: Tensor, ends: Tensor) -> Tensor:
        """Return (B, classes) scores; rows (N,) and ends (B,) as in `Features`."""
        starts = torch.cat([ends.new_zeros(1), ends[:-1]])
        sizes = (ends - starts).clamp_min(1).float()
        text = self.table(rows, starts.to(rows.dtype)) / (sizes**self.length_power)[:, None]
        both = torch.cat([text, torch.relu(self.hidden(text))], dim=1)
        scores: Tensor = self.output(both)
        return scores

    def gated(self, batch: Batch) -> Tensor:
        """Return (B, classes) scores with the classes that the script rules out at `RULED_OUT`."""
        scores: Tensor = self(torch.from_numpy(batch.rows), torch.from_numpy(batch.ends))
        return scores.masked_fill(~torch.from_numpy(batch.possible), RULED_OUT)


class RowAdagrad(torch.optim.Optimizer):
    """Adagrad (Duchi et al. 2011) with one step size for every row of a table.

    Its steps suit rare and common n-grams alike, at a fraction of the memory traffic.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Make one step from the gradients; `closure` is not supported."""
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is None:
                    continue
                state = self.state[table]
                if not state:
                    state["sum"] = torch.full((len(table), 1), 1e-12, dtype=table.dtype)
                norm = torch.linalg.vector_norm(table.grad, dim=1, keepdim=True)
                state["sum"] += norm.square_().div_(table.shape[1])
                table.addcdiv_(table.grad, state["sum"].sqrt(), value=-group["lr"])
