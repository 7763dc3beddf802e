"""Muon (Jordan et al. 2024): steps of matrices that are as long in every direction.

The momentum of a matrix is replaced by the nearest orthogonal matrix, so that directions the
gradient rarely points in are learnt as fast as the others. Everything else is AdamW's. Of
processes that train one model each orthogonalises its share of the matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from mltranslate_train.distributed import ALONE, World
from mltranslate_train.model.attention import Attention, CrossAttention

_MOMENTUM = 0.95
_STEPS = 5
_COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of the quintic iteration: steepest at zero, so that few steps do; after them singular values
lie at about 0.7 to 1.2 and need not be nearer to 1."""
_RMS = 0.2
"""Mean size of an update, about AdamW's: learning rates and decay fit both (Liu et al. 2025)."""


class Muon(torch.optim.AdamW):
    """AdamW that leaves `matrices` to Muon: one state, one set of groups, one learning rate."""

    def __init__(
        self, groups: Any, matrices: dict[Tensor, int], dtype: torch.dtype,
        world: World = ALONE, **settings: Any,
    ) -> None:  # fmt: skip
        """Take what AdamW takes, and more.

        Args:
            groups: all weights, those of `matrices` included.
            matrices: weights (rows, columns) for Muon, and of how many matrices, one below the
                other, each consists.
            dtype: what orthogonal matrices are computed in; bfloat16 is exact enough.
            world: processes that have the same gradients, and share the work.
            settings: AdamW's own.
        """
        super().__init__(groups, **settings)
        self.matrices, self._dtype, self._world = matrices, dtype, world
        self.found_inf: Tensor | None = None

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; none while `found_inf` is 1, which is waited for.

        Raises:
            ValueError: there is a closure.
        """
        if closure is not None:
            raise ValueError("Muon takes no closure")
        gradients = {weight: weight.grad for weight in self.matrices}
        for weight in gradients:
            weight.grad = None  # AdamW passes over it
        super().step()
        for weight, gradient in gradients.items():
            weight.grad = gradient
        if self.found_inf is None or not self.found_inf:
            for group in self.param_groups:
                self._turn(group)
        return None

    def _turn(self, group: dict[str, Any]) -> None:
        """Step the matrices of a group, those of one shape together."""
        mine = [w for w in group["params"] if w in self.matrices and w.grad is not None]
        rate, decay = group["lr"], group["weight_decay"]
        for shape, alike in groupby(sorted(mine, key=self._shape), self._shape):
            weights = list(alike)
            moved = torch.stack([self._moved(weight) for weight in weights])
            matrices = moved.view(-1, *shape[1:]).to(self._dtype)
            updates = self._world.shared_out(orthogonal, matrices).view_as(moved)
            torch._foreach_mul_(weights, 1 - rate * decay)
            size = _RMS * max(shape[1:]) ** 0.5
            torch._foreach_add_(weights, list(updates.to(moved.dtype)), alpha=-rate * size)

    def _shape(self, weight: Tensor) -> tuple[int, int, int]:
        count = self.matrices[weight]
        return count, weight.shape[0] // count, weight.shape[1]

    def _moved(self, weight: Tensor) -> Tensor:
        """Nesterov momentum of a weight's gradient, which it takes note of."""
        gradient: Any = weight.grad
        state = self.state[weight]
        if not state:  # AdamW looks for a step in every state that it loads
            state |= {"step": torch.zeros(()), "momentum": torch.zeros_like(gradient)}
        state["step"] += 1
        momentum: Tensor = state["momentum"]
        momentum.lerp_(gradient, 1 - _MOMENTUM)
        ahead: Tensor = gradient.lerp(momentum, _MOMENTUM)
        return ahead


def orthogonal(matrices: Tensor) -> Tensor:
    """Nearly the nearest orthogonal matrices of (N, rows, columns), by Newton-Schulz iteration."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    found = matrices.mT if tall else matrices
    found = found / found.norm(dim=(-2, -1), keepdim=True).clamp_min(1e-7)
    first, third, fifth = _COEFFICIENTS
    for _ in range(_STEPS):
        gram = found @ found.mT
        polynomial = torch.baddbmm(gram, gram, gram, beta=third, alpha=fifth)
        found = torch.baddbmm(found, polynomial, found, beta=first)
    return found.mT if tall else found


def hidden_matrices(model: nn.Module) -> dict[Tensor, int]:
    """Weights of a model's linear layers that learn, and of how many matrices each consists.

    An output layer has a row a piece, as embeddings have, and is none of them; recurrent cells
    are no linear layers.
    """
    together: dict[nn.Module, int] = {}
    for part in model.modules():
        if isinstance(part, CrossAttention):
            together[part.kv] = 2  # keys and values
        elif isinstance(part, Attention):
            together[part.qkv] = 3
    return {
        layer.weight: together.get(layer, 1)
        for layer in model.modules()
        if isinstance(layer, nn.Linear)
        and layer.weight.requires_grad
        and layer is not getattr(model, "output", None)
    }
