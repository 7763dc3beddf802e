"""Noisy copies of training pairs: case and punctuation as people really type them."""

from __future__ import annotations

import random

from mltranslate_train.config import NoiseConfig

_STOPS = ".!?。！？"


def noisy_copies(
    first: str, second: str, config: NoiseConfig, rng: random.Random
) -> list[tuple[str, str]]:
    """Copies of a pair to train on beside it; both sides change alike, so case carries over."""
    copies = []
    if rng.random() < config.upper:
        copies.append((first.upper(), second.upper()))
    if rng.random() < config.title:
        copies.append((first.title(), second.title()))
    if rng.random() < config.lower:
        copies.append((first.lower(), second.lower()))
    if rng.random() < config.no_final_stop and first[-1:] in _STOPS and second[-1:] in _STOPS:
        copies.append((first.rstrip(_STOPS), second.rstrip(_STOPS)))
    return [(one, two) for one, two in copies if (one, two) != (first, second) and one and two]
