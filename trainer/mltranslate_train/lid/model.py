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

    def forward(self, rows: Tensor, ends: Tensor, table: Tensor | None = None) -> Tensor:
        """Return (B, classes) scores; rows (N,) and ends (B,) as in `Features`.

        `table` (R, width) stands in for the whole one where `rows` are numbers of its rows.
        """
        starts = torch.cat([ends.new_zeros(1), ends[:-1]])
        sizes = (ends - starts).clamp_min(1).float()
        table = self.table.weight if table is None else table
        sums = nn.functional.embedding_bag(rows, table, starts.to(rows.dtype), mode="sum")
        text = sums / (sizes**self.length_power)[:, None]
        both = torch.cat([text, torch.relu(self.hidden(text))], dim=1)
        scores: Tensor = self.output(both)
        return scores

    def gated(self, batch: Batch, used: UsedRows | None = None) -> Tensor:
        """Return (B, classes) scores with the classes that the script rules out at `RULED_OUT`."""
        ends = torch.from_numpy(batch.ends)
        if used is None:
            scores: Tensor = self(torch.from_numpy(batch.rows), ends)
        else:
            scores = self(used.places, ends, used.table)
        return scores.masked_fill(~torch.from_numpy(batch.possible), RULED_OUT)


class UsedRows:
    """The rows of a table that one batch has: a step need not touch the others.

    `numbers` (R,) are their numbers, rising; `table` (R, width) is a copy of them that gathers
    the gradient; `places` (N,) are the batch's features as rows of that copy.
    """

    def __init__(self, whole: Tensor, rows: Tensor) -> None:
        index = rows.long()
        marked = torch.zeros(len(whole), dtype=torch.bool)
        marked[index] = True
        self.numbers = marked.nonzero()[:, 0]
        place = torch.empty(len(whole), dtype=rows.dtype)
        place[self.numbers] = torch.arange(len(self.numbers), dtype=rows.dtype)
        self.places = place[index]
        self.table = whole.detach()[self.numbers].requires_grad_()


class RowAdagrad(torch.optim.Optimizer):
    """Adagrad (Duchi et al. 2011) with one step size for every row of a table.

    Its steps suit rare and common n-grams alike, at a fraction of the memory traffic.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Not supported: `step_rows` makes the steps."""
        raise NotImplementedError

    @torch.no_grad()
    def step_rows(self, used: UsedRows) -> None:
        """Make one step of the one table from the gradients of the rows used."""
        (group,) = self.param_groups
        (whole,) = group["params"]
        gradient = used.table.grad
        if gradient is None:
            return
        state = self.state[whole]
        if not state:
            state["sum"] = torch.full((len(whole), 1), 1e-12, dtype=whole.dtype)
        norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        total = state["sum"][used.numbers] + norm.square_().div_(whole.shape[1])
        state["sum"][used.numbers] = total
        whole[used.numbers] = used.table.addcdiv(gradient, total.sqrt(), value=-group["lr"])
