"""Optimiser, its state in checkpoints, learning-rate schedule, and a guard against divergence."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mltranslate.errors import DivergenceError
from mltranslate_train.checkpoint import plain
from mltranslate_train.config import TrainConfig
from mltranslate_train.device import choose_precision
from mltranslate_train.distributed import ALONE, World, like, whole_on_main
from mltranslate_train.muon import Muon, hidden_matrices

log = logging.getLogger(__name__)


def make_optimizer(
    model: nn.Module, config: TrainConfig, world: World = ALONE
) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) over the weights that learn; vectors are not decayed.

    With `train.optimizer` "muon" the hidden layers' matrices are Muon's.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    settings: dict[str, Any] = {
        "lr": config.learning_rate, "betas": (0.9, config.beta2), "eps": 1e-9, "fused": True,
    }  # fmt: skip
    if config.optimizer == "muon":
        precision = choose_precision(config, next(model.parameters()).device)
        return Muon(groups, hidden_matrices(model), precision, world, **settings)
    return torch.optim.AdamW(groups, **settings)


def learning_rate(step: int, config: TrainConfig, seconds: float = 0.0) -> float:
    """Rate of a step, counted from 1: warm-up, stable or inverse square root, linear decay.

    The decay ends with the last step, or with the last of `max_minutes`, of which `seconds` are
    over: how many steps there will be need not be known.
    """
    warm = min(1.0, step / max(1, config.warmup_steps))
    rate = config.learning_rate * warm
    if config.inverse_sqrt and step > config.warmup_steps:
        rate *= (max(1, config.warmup_steps) / step) ** 0.5
    if config.decay_minutes:
        left_minutes = max(0.0, config.max_minutes - seconds / 60)
        rate *= min(1.0, left_minutes / config.decay_minutes)
    left = max(0, config.max_steps - step + 1)
    return rate * left / (config.decay_steps + 1) if left <= config.decay_steps else rate


def whole_state(optimizer: torch.optim.Optimizer, world: World = ALONE) -> dict[str, Any]:
    """The optimiser's state with whole tensors on the CPU, which only the main process gets.

    Every process must ask for it.
    """
    packed = optimizer.state_dict()
    states = packed["state"].items()
    return packed | {"state": {n: plain(whole_on_main(state, world)) for n, state in states}}


def load_whole_state(optimizer: torch.optim.Optimizer, packed: dict[str, Any]) -> None:
    """Take over the moments that `whole_state` gave, sharded as the weights are here.

    Weight decay and betas stay those of `optimizer`: the recipe may have changed. Where it has
    another optimiser for a weight, the weight's moments start afresh.
    """
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    muons = optimizer.matrices if isinstance(optimizer, Muon) else {}
    fits = {
        number: state
        for number, state in packed["state"].items()
        if ("momentum" in state) == (weights[number] in muons)
    }
    if other := len(packed["state"]) - len(fits):
        log.info("another optimiser: moments of %d of %d weights start afresh", other, len(weights))
    placed = {
        number: {
            name: like(tensor, weights[number]) if tensor.dim() else tensor
            for name, tensor in state.items()
        }
        for number, state in fits.items()
    }
    optimizer.load_state_dict({**optimizer.state_dict(), "state": placed})


_LOWER = "Lower train.learning_rate; the same command resumes before this step"


class DivergenceGuard:
    """Stops an optimiser at the first gradient that is no finite number, and all steps after it.

    The optimiser reads a flag where the gradients are, so that the process need not wait for the
    device at every step to find out.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, device: torch.device, step: int) -> None:
        self._broken = torch.zeros((), device=device)
        self._first = torch.full((), step + 1, device=device)
        """The first step that was not taken, once there is one."""
        self._norm = torch.zeros((), device=device)
        # What torch's GradScaler sets: fused optimisers take no step while it is 1.
        optimizer.found_inf = self._broken  # type: ignore[attr-defined]

    def note(self, norm: Tensor) -> None:
        """Look at the norm of the gradients of a step before the optimiser takes it."""
        self._norm = norm
        torch.maximum(self._broken, (~norm.isfinite()).float(), out=self._broken)
        self._first += self._broken == 0

    def check(self) -> None:
        """Wait for the device; raise DivergenceError if a step was not taken."""
        if self._broken:
            raise DivergenceError(
                f"training diverged at step {int(self._first)}",
                why=f"the gradient's norm is {float(self._norm)}",
                fix=_LOWER,
            )


def check_finite(weights: Mapping[str, Tensor], step: int) -> None:
    """Raise DivergenceError for weights of `step` that finite gradients broke all the same."""
    broken = (name for name, weight in weights.items() if not weight.isfinite().all())
    if name := next(broken, ""):
        raise DivergenceError(
            f"training has diverged at step {step}",
            why=f"{name} holds values that are not finite",
            fix=_LOWER,
        )
