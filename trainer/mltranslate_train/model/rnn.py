"""Recurrent encoder-decoders: LSTM or GRU, without attention or with one of two kinds.

Shape suffixes as in `seq2seq`.

Padding stands at the end, so a reading ahead passes it last and its states there are never used; a
reading back gets every sentence turned round within its own length. Whole sequences go through
`nn.LSTM` and `nn.GRU` without packing, which takes twice the time on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mltranslate.errors import ConfigError
from mltranslate_train.model.dropout import Dropout
from mltranslate_train.model.recurrent import CELLS, Gru, Lstm, Reader, State
from mltranslate_train.model.rnn_attention import ATTENTIONS, Memory
from mltranslate_train.model.seq2seq import ModelConfig, Seq2Seq, check_choice

Memories = tuple[Memory, list[State]]
"""What attention reads, and the first state of every decoder layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RnnConfig(ModelConfig):
    """Shape of an RNN; the fields mean what the recipe's keys of their names do."""

    cell: str = "lstm"
    attention: str = "bahdanau"
    bidirectional: bool = True

    def __post_init__(self) -> None:
        ModelConfig.__post_init__(self)
        check_choice("cell", self.cell, tuple(CELLS))
        check_choice("attention", self.attention, tuple(ATTENTIONS))
        if self.bidirectional and self.d_model % 2:
            raise ConfigError(
                f"model.d_model is {self.d_model}",
                why="a bidirectional encoder gives half of it to each way of reading",
                fix="Choose an even one",
            )


class Rnn(Seq2Seq):
    """A recurrent model; its kinds differ in what the decoder learns of the source, and when.

    "none" feeds the encoder's last state to the first decoder layer at every step. "bahdanau"
    feeds it a context that its own last hidden state asked for. "luong" makes the context after
    the last layer, and does not feed it back, so that all positions train at once. Last comes
    tanh(W [hidden state; context]) in all of them.
    """

    config: RnnConfig

    def __init__(self, config: RnnConfig) -> None:
        super().__init__(config)
        width, cell = config.d_model, CELLS[config.cell]
        self.encoder = nn.ModuleList(
            Reader(config.cell, width, config.bidirectional) for _ in range(config.encoder_layers)
        )
        self.bridge = nn.Linear(width, config.decoder_layers * cell.state_parts * width)
        self.attention = ATTENTIONS[config.attention](width)
        fed = width if config.attention == "luong" else 2 * width
        self.decoder = nn.ModuleList(
            cell(width if index else fed, width) for index in range(config.decoder_layers)
        )
        self.readout = nn.Linear(2 * width, width)
        self.dropout = Dropout(config.dropout)
        self._initialise_embeddings()

    def encode(self, source: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """States (B, S, D) of source ids (B, S), and the last of each sentence (B, D)."""
        x = self.embed_source(source)
        for reader in self.encoder:
            x = reader(self.dropout(x), mask)
        return x, cast(Reader, self.encoder[-1]).last(x, mask)

    def memories(self, encoded: tuple[Tensor, Tensor]) -> Memories:
        """What attention reads, and the decoder's first states, made of the last one."""
        states, final = encoded
        parts = torch.tanh(self.bridge(final)).chunk(
            self.config.decoder_layers * CELLS[self.config.cell].state_parts, dim=-1
        )
        size = len(parts) // self.config.decoder_layers
        first = [tuple(parts[start : start + size]) for start in range(0, len(parts), size)]
        return self.attention.memory(states, final), first

    def decode(self, target: Tensor, memories: Memories, mask: Tensor | None) -> Tensor:
        """Decoder states (B, T, D) of the target prefix ids (B, T)."""
        memory, states = memories
        x = self.dropout(self.embed_target(target))
        first, *others = self._decoders()
        if self.config.attention == "bahdanau":
            x, context = self._unroll(x, memories, mask)
        elif self.config.attention == "none":
            context = self.attention.read(x, memory, mask)
            x = first.whole(torch.cat([x, context], dim=-1), states[0])
        else:
            x = first.whole(x, states[0])
        for layer, state in zip(others, states[1:], strict=True):
            x = layer.whole(self.dropout(x), state)
        if self.config.attention == "luong":
            context = self.attention.read(x, memory, mask)
        return self._finish(x, context)

    def _unroll(self, x: Tensor, memories: Memories, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Hidden states and contexts (B, T, D) of a first layer whose contexts hang on itself."""
        memory, (state, *_) = memories
        first = self._decoders()[0]
        hidden, contexts = [], []
        for embedded in x.unbind(1):
            context = self.attention.read(state[0][:, None], memory, mask)[:, 0]
            state = first.step(torch.cat([embedded, context], dim=-1), state)
            hidden.append(state[0])
            contexts.append(context)
        return torch.stack(hidden, dim=1), torch.stack(contexts, dim=1)

    def step(
        self, ids: Tensor, position: int, memories: Memories, mask: Tensor | None,
        caches: list[State] | None,
    ) -> tuple[Tensor, list[State]]:  # fmt: skip
        """One decoder step for ids (B,): logits (B, V) and the states of every layer."""
        memory, first = memories
        states = first if caches is None else caches
        x = self.embed_target(ids)
        late = self.config.attention == "luong"
        if not late:
            context = self.attention.read(states[0][0][:, None], memory, mask)[:, 0]
            x = torch.cat([x, context], dim=-1)
        new = []
        for layer, state in zip(self._decoders(), states, strict=True):
            new.append(layer.step(x, state))
            x = new[-1][0]
        if late:
            context = self.attention.read(x[:, None], memory, mask)[:, 0]
        return self.logits(self._finish(x, context)), new

    def _finish(self, hidden: Tensor, context: Tensor) -> Tensor:
        out: Tensor = self.dropout(torch.tanh(self.readout(torch.cat([hidden, context], dim=-1))))
        return out

    def _decoders(self) -> Sequence[Lstm | Gru]:
        return [cast(Lstm | Gru, layer) for layer in self.decoder]
