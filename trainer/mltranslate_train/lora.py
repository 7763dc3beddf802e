"""LoRA: fine-tuning by updates of low rank (Hu et al. 2021, arXiv:2106.09685).

A linear layer keeps its frozen weight W (O, I) and learns `lora_a` (R, I) and `lora_b` (O, R);
it computes x Wᵀ + alpha / R · x Aᵀ Bᵀ. The names of W and of the bias stay as they were, so that
a merged model has the usual names.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from mltranslate_train.model.seq2seq import TextModel

_A, _B = "lora_a", "lora_b"


class LoraLinear(nn.Linear):
    """A linear layer whose weight and bias are frozen, with an update of low rank that learns."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float) -> None:
        with torch.device("meta"):  # the weights are taken over below
            super().__init__(linear.in_features, linear.out_features)
        self.weight, self.bias = linear.weight, linear.bias
        self.scale = alpha / rank
        self.lora_a = nn.Parameter(linear.weight.new_empty(rank, linear.in_features))
        self.lora_b = nn.Parameter(linear.weight.new_zeros(linear.out_features, rank))
        # As a linear layer of its own would be; with B at zero the update begins at nothing.
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Linear gives it
        """Map (…, I) to (…, O)."""
        update = functional.linear(functional.linear(input, self.lora_a), self.lora_b)
        return super().forward(input) + self.scale * update


def add_lora(model: TextModel, rank: int, alpha: float) -> None:
    """Freeze the model, and give every linear layer but the output's an update that learns."""
    model.requires_grad_(False)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear and child.weight is not model.output_weight:
                setattr(parent, name, LoraLinear(child, rank, alpha))


def merge_lora(weights: dict[str, Tensor], rank: int, alpha: float) -> dict[str, Tensor]:
    """Weights under the names of the model without LoRA, the updates added; others as they are."""
    plain = {
        name: tensor for name, tensor in weights.items() if not name.endswith((f".{_A}", f".{_B}"))
    }
    for name, update in weights.items():
        if name.endswith(f".{_B}"):
            layer = name.removesuffix(f".{_B}")
            product = update.float() @ weights[f"{layer}.{_A}"].float()
            plain[f"{layer}.weight"] = plain[f"{layer}.weight"] + alpha / rank * product
    return plain
