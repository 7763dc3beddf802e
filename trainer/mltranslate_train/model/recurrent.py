"""Layers of the recurrent models, with their weights under the names of `nn.LSTM` and `nn.GRU`.

Shape suffixes as in `seq2seq`.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]
"""Of one layer between two steps: the hidden state (B, D), and an LSTM's cell (B, D) after it."""


class Lstm(nn.LSTM):
    """One layer of long short-term memory (Hochreiter and Schmidhuber 1997)."""

    state_parts = 2
    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(inputs, width, batch_first=True)
        _initialise(self, gates=4)
        with torch.no_grad():  # remember at the start (Jozefowicz et al. 2015)
            self.bias_ih_l0[width : 2 * width].fill_(1)

    def whole(self, x: Tensor, state: State | None = None) -> Tensor:
        """Hidden states (B, T, D) of a whole sequence; zero is the default first state."""
        first = None if state is None else (state[0][None], state[1][None])
        return cast(Tensor, self(x, first)[0])

    def step(self, x: Tensor, state: State) -> State:
        """The state after one more input (B, D)."""
        return torch.lstm_cell(
            x, state, self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0
        )


class Gru(nn.GRU):
    """One layer of gated recurrent units (Cho et al. 2014), its reset gate after the product."""

    state_parts = 1
    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(inputs, width, batch_first=True)
        _initialise(self, gates=3)

    def whole(self, x: Tensor, state: State | None = None) -> Tensor:
        """Hidden states (B, T, D) of a whole sequence; zero is the default first state."""
        return cast(Tensor, self(x, None if state is None else state[0][None])[0])

    def step(self, x: Tensor, state: State) -> State:
        """The state after one more input (B, D)."""
        weights = self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0
        return (torch.gru_cell(x, state[0], *weights),)


CELLS: dict[str, type[Lstm | Gru]] = {"lstm": Lstm, "gru": Gru}
"""Kinds of layers by the recipe's `cell`."""


def _initialise(layer: Lstm | Gru, gates: int) -> None:
    """Recurrent matrices orthogonal, so that gradients last (Saxe et al. 2014); biases zero."""
    for gate in layer.weight_ih_l0.data.chunk(gates):
        nn.init.xavier_uniform_(gate)
    for gate in layer.weight_hh_l0.data.chunk(gates):
        nn.init.orthogonal_(gate)
    nn.init.zeros_(layer.bias_ih_l0)
    nn.init.zeros_(layer.bias_hh_l0)


class Reader(nn.Module):
    """One encoder layer: reads ahead, and with `both_ways` also back, half the width for each."""

    def __init__(self, cell: str, width: int, both_ways: bool) -> None:
        super().__init__()
        share = width // 2 if both_ways else width
        self.ahead = CELLS[cell](width, share)
        self.back = CELLS[cell](width, share) if both_ways else None

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map x (B, S, D) to the same shape; `mask` (B, 1, 1, S) is true at real tokens."""
        ahead = self.ahead.whole(x)
        if self.back is None:
            return ahead
        back = turn_round(self.back.whole(turn_round(x, mask)), mask)
        return torch.cat([ahead, back], dim=-1)

    def last(self, states: Tensor, mask: Tensor | None) -> Tensor:
        """The last state (B, D) of each way of reading, out of what `forward` gave."""
        if mask is None:
            ahead = states[:, -1]
        else:
            rows = torch.arange(len(states), device=states.device)
            ahead = states[rows, mask[:, 0, 0].sum(1) - 1]
        if self.back is None:
            return ahead
        share = self.ahead.hidden_size
        return torch.cat([ahead[:, :share], states[:, 0, share:]], dim=-1)


def turn_round(x: Tensor, mask: Tensor | None) -> Tensor:
    """Reverse the real tokens of every sentence in x (B, S, D); padding stays at the end."""
    if mask is None:
        return x.flip(1)
    real = mask[:, 0, 0]
    place = torch.arange(x.shape[1], device=x.device)
    turned = torch.where(real, real.sum(1, keepdim=True) - 1 - place, place)
    return x.gather(1, turned[:, :, None].expand_as(x))
