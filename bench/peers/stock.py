"""What one writes with torch alone: `nn.Transformer`, tied embeddings, cross-entropy, fp32.

It gets our batches, bucketed by length: its ratio says nothing about batching.
"""

from __future__ import annotations

import warnings

import torch
from gate import Gate
from ours import make_trainer, wait_for
from torch import Tensor, nn
from torch.nn import functional

from mltranslate_train.config import Recipe
from mltranslate_train.data.batches import Batch
from mltranslate_train.model.transformer import sinusoids
from mltranslate_train.optim import make_optimizer
from mltranslate_train.tokenizer import PAD


class Stock:
    """Model, loss and optimiser."""

    def __init__(self, recipe: Recipe, vocabulary: int, device: torch.device) -> None:
        model = recipe.model
        self.embedding = nn.Embedding(vocabulary, model.d_model)
        nn.init.normal_(self.embedding.weight, std=model.d_model**-0.5)
        self.positions = sinusoids(model.max_length, model.d_model).to(device)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it cannot use nested tensors; no fault of ours
            self.transformer = nn.Transformer(
                model.d_model, model.heads, model.encoder_layers, model.decoder_layers, model.ffn,
                model.dropout, batch_first=True, norm_first=True,
            )  # fmt: skip
        self.all = nn.ModuleList([self.embedding, self.transformer]).to(device)
        self.config, self.device = recipe.train, device
        self.optimizer = make_optimizer(self.all, recipe.train)

    def step(self, batch: Batch) -> float:
        """One optimiser step; the loss in nats a token."""
        batch = batch.to(self.device)
        padding = batch.source == PAD
        length = batch.target_in.shape[1]
        future = torch.ones(length, length, dtype=torch.bool, device=self.device).triu(1)
        states = self.transformer(
            self._embed(batch.source), self._embed(batch.target_in), tgt_mask=future,
            src_key_padding_mask=padding, memory_key_padding_mask=padding, tgt_is_causal=True,
        )  # fmt: skip
        logits = functional.linear(states, self.embedding.weight)
        loss = functional.cross_entropy(
            logits.flatten(0, 1), batch.target_out.flatten(),
            ignore_index=PAD, label_smoothing=self.config.label_smoothing,
        )  # fmt: skip
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.all.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    def _embed(self, ids: Tensor) -> Tensor:
        places = self.positions[: ids.shape[1]]
        found: Tensor = self.embedding(ids) * self.embedding.embedding_dim**0.5 + places
        return found


def main() -> None:
    """Train until the benchmark ends."""
    gate = Gate(lambda: wait_for(trainer.device))
    trainer = make_trainer(gate.spec)  # for its data and device only
    stock = Stock(trainer.recipe, gate.spec["vocabulary"], trainer.device)
    gate.introduce(sum(item.numel() for item in stock.all.parameters()), "fp32")
    batches = iter(trainer.sampler)
    while True:
        gate.step()
        batch = next(batches)
        tokens = batch.target_tokens
        gate.learnt(stock.step(batch) * tokens, tokens)


if __name__ == "__main__":
    main()
