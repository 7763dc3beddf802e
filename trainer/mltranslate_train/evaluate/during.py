"""Dev scores while training: few sentences, with the weights that would be exported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from mltranslate.errors import DataError
from mltranslate_train.config import DevSet, Recipe
from mltranslate_train.data.readers import count_lines
from mltranslate_train.evaluate.metrics import Score, bleu, chrf
from mltranslate_train.evaluate.sets import Direction, TextForm, read_lines
from mltranslate_train.evaluate.translate import translate
from mltranslate_train.model.build import make_model
from mltranslate_train.model.seq2seq import ModelConfig, Seq2Seq
from mltranslate_train.tokenizer import Vocabulary

Sample = dict[str, str]
"""One dev sentence: its set, direction, source, output and reference."""


@dataclass(frozen=True, slots=True)
class DevScores:
    """Scores by "set:source-target", and the mean of the metric that chooses."""

    chrf: dict[str, float]
    bleu: dict[str, float]
    metric: str
    signatures: dict[str, str]
    """sacreBLEU's signatures of both metrics; BLEU's depends on the language: by direction."""
    samples: tuple[Sample, ...] = ()

    @property
    def mean(self) -> float:
        """Mean of the choosing metric over sets and directions."""
        return fmean((self.chrf if self.metric == "chrf" else self.bleu).values())

    @property
    def choice(self) -> float:
        """What chooses the best weights: the mean."""
        return self.mean

    def about(self) -> dict[str, Any]:
        """What `best/model.json` says of the weights."""
        return {
            "dev_chrf": self.chrf, "dev_bleu": self.bleu, "dev_signatures": self.signatures,
        }  # fmt: skip

    def record(self) -> dict[str, Any]:
        """What metrics.jsonl says of the evaluation."""
        return {
            "chrf": self.chrf, "bleu": self.bleu, "mean": self.mean, "metric": self.metric,
            "samples": list(self.samples),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """One set in one direction."""

    name: str
    chrf: Score
    bleu: Score
    samples: list[Sample]


def dev_scores(
    recipe: Recipe, config: ModelConfig, weights: dict[str, Tensor],
    vocabulary: Vocabulary, device: torch.device,
) -> DevScores:  # fmt: skip
    """Score `weights` on every dev set and direction of the recipe."""
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(gpus):  # making a model must not move the training's generator
        model = make_model(config).to(device)
    model.load_state_dict(weights)
    parts = [
        _score(recipe, model, vocabulary, dev, direction)
        for dev in recipe.evaluate.dev
        for direction in recipe.directions_of(dev)
    ]
    # In turn from every set and direction, so that few samples show as many of them as they can.
    turns = zip_longest(*(part.samples for part in parts))
    samples = [sample for turn in turns for sample in turn if sample]
    return DevScores(
        chrf={part.name: round(part.chrf.value, 3) for part in parts},
        bleu={part.name: round(part.bleu.value, 3) for part in parts},
        metric=recipe.evaluate.metric,
        signatures={"chrf": parts[0].chrf.signature}
        | {f"bleu {part.name}": part.bleu.signature for part in parts},
        samples=tuple(samples[: recipe.evaluate.samples]),
    )


def _score(
    recipe: Recipe, model: Seq2Seq, vocabulary: Vocabulary, dev: DevSet, direction: Direction
) -> _Part:
    config, target = recipe.evaluate, direction[1]
    sources, references = (read_side(dev, code) for code in direction)
    found = translate(model, vocabulary, sources, target, beam=config.beam, batch=config.batch)
    form = TextForm(tokenized=config.tokenized, joiner=config.joiner)
    name = f"{dev.name}:{'-'.join(direction)}"
    columns = sources, outputs, references = [*map(form.joined, (sources, found, references))]
    samples = [
        {"set": dev.name, "direction": "-".join(direction),
         "source": source, "output": output, "reference": reference}
        for source, output, reference in zip(*columns, strict=True)
    ]  # fmt: skip
    return _Part(
        name,
        chrf(outputs, references),
        bleu(outputs, references, target, tokenized=config.tokenized),
        samples[: config.samples],
    )


def check_dev_sets(recipe: Recipe) -> None:
    """Raise DataError now rather than at the first evaluation, hours later."""
    for dev in recipe.evaluate.dev:
        sizes = {
            code: _whole_size(dev, code) for pair in recipe.directions_of(dev) for code in pair
        }
        if len(set(sizes.values())) != 1 or not min(sizes.values()):
            raise DataError(
                f"the files of dev set {dev.name} are not parallel", why=f"lines: {sizes}"
            )


def _whole_size(dev: DevSet, language: str) -> int:
    """Lines of the file, beyond those that are used too: one may be missing before."""
    read_side(dev, language)
    with _naming(dev):
        return count_lines(Path(dev.prefix + language))


def read_side(dev: DevSet, language: str) -> list[str]:
    """First `dev.lines` lines of one language; raises DataError if the file cannot be read."""
    with _naming(dev):
        return read_lines(Path(dev.prefix + language), dev.lines)


@contextmanager
def _naming(dev: DevSet) -> Iterator[None]:
    """Name the set in errors of its files."""
    try:
        yield
    except DataError as error:
        raise DataError(
            f"dev set {dev.name}: {error.what}",
            why=error.why,
            fix="Correct evaluate.dev in the recipe, or the file",
        ) from error
