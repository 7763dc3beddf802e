"""The position-wise network of a Transformer layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional

from mltranslate_train.model.dropout import Dropout

if TYPE_CHECKING:
    from mltranslate_train.model.transformer import TransformerConfig


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between; ReLU quantises well."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.dropout = Dropout(config.activation_dropout)
        self.up = nn.Linear(config.d_model, config.ffn)
        self.down = nn.Linear(config.ffn, config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (…, D) to the same shape."""
        out: Tensor = self.down(self.dropout(functional.relu(self.up(x))))
        return out
