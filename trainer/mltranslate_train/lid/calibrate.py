"""Makes the classifier's probabilities honest: a temperature that depends on the length.

Temperature scaling is by Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mltranslate_train.lid.batches import Batch

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Scores of a text of n features are multiplied by exp(log_scale + length_scale * ln n)."""

    log_scale: float
    length_scale: float

    def apply(self, scores: Floats, sizes: npt.NDArray[np.int64]) -> Floats:
        """Return (B, K) scores scaled by the (B,) feature counts `sizes`."""
        scale: Floats = np.exp(self.log_scale + self.length_scale * np.log(sizes))
        scaled: Floats = scores * scale[:, None]
        return scaled


def calibrate(
    scores: Floats, sizes: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]
) -> Calibration:
    """Fit the two numbers by maximum likelihood on held-out (B, K) scores."""
    score, label = torch.from_numpy(scores).double(), torch.from_numpy(labels)
    log_size = torch.from_numpy(np.log(sizes))
    parameters = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([parameters], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimiser.zero_grad()
        scale = torch.exp(parameters[0] + parameters[1] * log_size)
        loss = nn.functional.cross_entropy(score * scale[:, None], label)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    log_scale, length_scale = parameters.detach().tolist()
    return Calibration(log_scale=log_scale, length_scale=length_scale)


def calibration_error(
    scores: Floats, batch: Batch, calibration: Calibration, bins: int = 10
) -> float:
    """Return the expected calibration error: mean |confidence - accuracy| over equal bins."""
    scaled = calibration.apply(scores, batch.sizes)
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    confidence = weights.max(axis=1) / weights.sum(axis=1)
    right = scaled.argmax(axis=1) == batch.labels
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(which, confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(right))
