"""Dev scores of models of text: how well they guess the pieces of the dev sets.

Every guess is made with a fixed choice of hidden pieces, so that evaluations compare.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mltranslate.errors import DataError
from mltranslate_train.config import DevSet, Recipe
from mltranslate_train.evaluate.batching import length_batches
from mltranslate_train.evaluate.during import read_side
from mltranslate_train.model.build import make_any_model
from mltranslate_train.model.language_model import LanguageModel
from mltranslate_train.model.seq2seq import ModelConfig, TextModel
from mltranslate_train.objective import source_mask
from mltranslate_train.pretraining.masking import masked
from mltranslate_train.tokenizer import BEGIN, END, PAD, Vocabulary

_SEED = 1
"""Of the pieces that are hidden from a masked model in an evaluation."""
_BATCH, _TOKENS = 256, 1024
"""Most sentences and tokens of a batch; its logits are that many times the vocabulary."""


@dataclass(frozen=True, slots=True)
class TextScores:
    """Scores by "set:language", and "set:source-target" for pairs that are one sequence."""

    losses: dict[str, float]
    """Mean nats a guess."""
    others: dict[str, dict[str, float]]
    """Other metrics by name: "accuracy", or "bits_per_byte"."""

    @property
    def perplexity(self) -> dict[str, float]:
        """exp(loss)."""
        return {name: round(math.exp(loss), 4) for name, loss in self.losses.items()}

    @property
    def choice(self) -> float:
        """1 / perplexity, of the mean loss: the mean chance of what is right, in 0 … 1."""
        return math.exp(-fmean(self.losses.values()))

    def record(self) -> dict[str, Any]:
        """What metrics.jsonl says of the evaluation."""
        mean = math.exp(fmean(self.losses.values()))
        return {"perplexity": self.perplexity, **self.others, "mean": mean, "metric": "perplexity"}

    def about(self) -> dict[str, Any]:
        """What `best/model.json` says of the weights."""
        scores = {"perplexity": self.perplexity, **self.others}
        return {f"dev_{name}": values for name, values in scores.items()}


@dataclass(slots=True)
class _Sums:
    """Of one set."""

    nats: float = 0.0
    guesses: int = 0
    right: int = 0

    def add(self, logits: Tensor, labels: Tensor) -> None:
        self.nats += float(functional.cross_entropy(logits.float(), labels, reduction="sum"))
        self.guesses += len(labels)
        self.right += int((logits.argmax(-1) == labels).sum())


def text_scores(
    recipe: Recipe, config: ModelConfig, weights: dict[str, Tensor],
    vocabulary: Vocabulary, device: torch.device,
) -> TextScores:  # fmt: skip
    """Score `weights` on every dev set, in every language and on all pairs of the recipe.

    Sentences that are longer than the model reads are cut.
    """
    with torch.random.fork_rng():  # making a model must not move the training's generator
        model = make_any_model(config).to(device)
    model.load_state_dict(weights)
    model.eval()
    losses: dict[str, float] = {}
    accuracy: dict[str, float] = {}
    density: dict[str, float] = {}
    with torch.inference_mode():
        for dev, codes in _parts(recipe):
            name, texts = f"{dev.name}:{'-'.join(codes)}", [read_side(dev, code) for code in codes]
            if isinstance(model, LanguageModel):
                scored = list(log_probabilities(model, vocabulary, codes[0], texts[0]))
                losses[name] = -sum(nats for nats, _ in scored) / sum(size for _, size in scored)
                size = sum(len(text.encode()) + 1 for text in texts[0])  # 1: the line's end
                bits = -sum(nats for nats, _ in scored) / math.log(2)
                density[name] = round(bits / size, 4)
            else:
                sums = _guessed(model, vocabulary, texts)
                losses[name] = sums.nats / sums.guesses
                accuracy[name] = round(100 * sums.right / sums.guesses, 2)
    others = {"bits_per_byte": density} if density else {"accuracy": accuracy}
    return TextScores(losses, others)


def _parts(recipe: Recipe) -> list[tuple[DevSet, tuple[str, ...]]]:
    """Every dev set in every language, and in each of its directions."""
    alone: list[tuple[str, ...]] = [(code,) for code in recipe.data.languages]
    return [
        (dev, codes)
        for dev in recipe.evaluate.dev
        for codes in [*alone, *recipe.directions_of(dev)]
    ]


def _guessed(model: TextModel, vocabulary: Vocabulary, sides: Sequence[list[str]]) -> _Sums:
    """Hide pieces of the lines of one file, or of two side by side, and guess them."""
    generator = torch.Generator().manual_seed(_SEED)
    room = (model.config.max_length - 1) // len(sides) - 1
    encoded = [[ids[:room] for ids in vocabulary.encode(side)] for side in sides]
    rows = [
        [BEGIN, *(piece for part in parts for piece in (*part, END))]
        for parts in zip(*encoded, strict=True)
    ]
    sums = _Sums()
    for numbers in length_batches([len(row) for row in rows], _BATCH, _TOKENS):
        made = masked(_padded([rows[n] for n in numbers]), len(vocabulary), generator)
        ids = made.ids.to(model.device)
        states = model(ids, source_mask(ids)).flatten(0, 1)[made.places.to(model.device)]
        sums.add(model.logits(states), made.labels.to(model.device))
    return sums


def log_probabilities(
    model: LanguageModel, vocabulary: Vocabulary, language: str, texts: Sequence[str]
) -> Iterator[tuple[float, int]]:
    """Log-probability in nats of each text, its end included, and its number of guesses, in order.

    What is longer than the model reads is cut. To be called in inference mode, with the model in
    evaluation.

    Raises:
        DataError: the vocabulary has no such language.
    """
    tag, room = vocabulary.tag_id(language), model.config.max_length - 1
    encoded = [ids[:room] for ids in vocabulary.encode(list(texts))]
    found: list[float] = [0.0] * len(encoded)
    for rows in length_batches([len(ids) for ids in encoded], _BATCH, _TOKENS):
        ids = _padded([[tag, *encoded[row]] for row in rows]).to(model.device)
        wanted = _padded([[*encoded[row], END] for row in rows]).to(model.device)
        nats = functional.cross_entropy(
            model.logits(model(ids)).float().transpose(1, 2), wanted,
            ignore_index=PAD, reduction="none",
        ).sum(1)  # fmt: skip
        for row, value in zip(rows, nats.tolist(), strict=True):
            found[row] = -value
    return ((nats, len(ids) + 1) for nats, ids in zip(found, encoded, strict=True))


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Ids (B, longest)."""
    width = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows])


def check_texts(recipe: Recipe) -> None:
    """Raise DataError for a dev set without lines in a language of the recipe."""
    for dev in recipe.evaluate.dev:
        for code in recipe.data.languages:
            if not read_side(dev, code):
                raise DataError(f"dev set {dev.name} has no line in {code}")
