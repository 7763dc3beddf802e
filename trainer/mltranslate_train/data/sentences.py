"""The sentences that the vocabulary is trained on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain

from mltranslate_train.config import Recipe
from mltranslate_train.data.filters.selection import Selected
from mltranslate_train.data.weights import largest_weight


class _Reservoir:
    """An even sample of a stream of texts (Vitter 1985, algorithm R)."""

    def __init__(self, size: int, rng: random.Random) -> None:
        self.kept: list[str] = []
        self._size, self._rng, self._seen = size, rng, 0

    def offer(self, text: str) -> None:
        self._seen += 1
        if len(self.kept) < self._size:
            self.kept.append(text)
        elif (slot := int(self._rng.random() * self._seen)) < self._size:
            self.kept[slot] = text


def sample_sentences(recipe: Recipe, selected: list[Selected]) -> Iterator[str]:
    """`vocabulary.sample` sentences, each language's part drawn from all its text.

    An origin of a weight below 1 gives that share of its text. Raises DataError as readers do.
    """
    rng = random.Random(recipe.data.seed)  # noqa: S311 - no secret
    codes = sorted({code for part in selected for code in part.languages})
    parts = {code: recipe.vocabulary.weights.get(code, 1.0) for code in codes}
    unit = recipe.vocabulary.sample / sum(parts.values())
    samples = {code: _Reservoir(round(unit * parts[code]), rng) for code in codes}
    weights: dict[str, float] = {}
    for part in selected:
        first, second = (samples[code] for code in part.languages)
        for pair in part:
            if pair.origin not in weights:
                weights[pair.origin] = largest_weight(pair.origin, recipe.data)
            if (weight := weights[pair.origin]) < 1 and rng.random() >= weight:
                continue
            second.offer(pair.second)
            if not part.is_text:
                first.offer(pair.first)
    yield from chain.from_iterable(sample.kept for sample in samples.values())
