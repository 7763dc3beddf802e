"""What the decoder of a recurrent model learns of the source.

Shape suffixes as in `seq2seq`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

Memory = tuple[Tensor, ...]
"""What is read at every step, made once."""


class FinalState(nn.Module):
    """No attention: the encoder's last state at every step (Cho et al. 2014)."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def memory(self, encoded: Tensor, final: Tensor) -> Memory:
        """Keep the final state, as (B, 1, D)."""
        return (final[:, None],)

    def read(self, query: Tensor, memory: Memory, mask: Tensor | None) -> Tensor:
        """The final state for every query (B, T, D)."""
        return memory[0].expand(-1, query.shape[1], -1)


class Additive(nn.Module):
    """Attention by a small network (Bahdanau et al. 2015)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width)
        self.score = nn.Linear(width, 1, bias=False)

    def memory(self, encoded: Tensor, final: Tensor) -> Memory:
        """Keys and values, (B, S, D) each."""
        return self.key(encoded), encoded

    def read(self, query: Tensor, memory: Memory, mask: Tensor | None) -> Tensor:
        """Context (B, 1, D) of one query (B, 1, D) a row."""
        keys, values = memory
        scores = self.score(torch.tanh(keys + self.query(query))).transpose(1, 2)
        return _mix(scores, values, mask)


class General(nn.Module):
    """Attention by a bilinear form, "general" in Luong et al. (2015)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.key = nn.Linear(width, width, bias=False)

    def memory(self, encoded: Tensor, final: Tensor) -> Memory:
        """Keys and values, (B, S, D) each."""
        return self.key(encoded), encoded

    def read(self, query: Tensor, memory: Memory, mask: Tensor | None) -> Tensor:
        """Contexts (B, T, D) of queries (B, T, D)."""
        keys, values = memory
        return _mix(query @ keys.transpose(1, 2), values, mask)


ATTENTIONS: dict[str, type[FinalState | Additive | General]] = {
    "none": FinalState,
    "bahdanau": Additive,
    "luong": General,
}
"""Kinds by the recipe's `attention`."""


def _mix(scores: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of values (B, S, D) weighted by the softmax of scores (B, T, S)."""
    if mask is not None:
        scores = scores.masked_fill(~mask[:, 0], -torch.inf)
    return scores.softmax(-1).to(values.dtype) @ values
