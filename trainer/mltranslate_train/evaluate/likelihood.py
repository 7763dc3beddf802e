"""How likely a language model finds sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from mltranslate.errors import DataError, UsageError
from mltranslate_train.data.prepare import VOCABULARY_FILE
from mltranslate_train.evaluate.run_system import read_best
from mltranslate_train.evaluate.text import log_probabilities
from mltranslate_train.model.build import any_model_from_about
from mltranslate_train.model.language_model import LanguageModel
from mltranslate_train.tokenizer import Vocabulary

_BLOCK = 256
"""Lines that are scored together."""


@dataclass(slots=True)
class Likelihood:
    """Of a sentence, or of many together."""

    nats: float = 0.0
    """Log-probability, that of the end of each sentence included."""
    pieces: int = 0
    """Pieces, ends included."""
    bytes: int = 0
    """Size of the text in UTF-8, with one byte for each end."""

    @property
    def perplexity(self) -> float:
        """exp(-log-probability / pieces): of models with one vocabulary, the lower the better.

        Infinite where that is more than a float holds; 1 for no sentence at all.
        """
        try:
            return math.exp(-self.nats / max(1, self.pieces))
        except OverflowError:
            return math.inf

    @property
    def bits_per_byte(self) -> float:
        """Also comparable between vocabularies."""
        return -self.nats / math.log(2) / max(1, self.bytes)

    def add(self, other: Likelihood) -> None:
        """Count a sentence."""
        self.nats += other.nats
        self.pieces += other.pieces
        self.bytes += other.bytes


class Scorer:
    """The best weights of a language model's run, for text in one of its languages.

    Raises:
        DataError: the run has no such weights, or its model is of another kind.
        UsageError: it has several languages and none was given, or not that one.
    """

    def __init__(self, run: Path, language: str = "") -> None:
        about, weights = read_best(run)
        model = any_model_from_about(about)
        if not isinstance(model, LanguageModel):
            raise DataError(
                f"{run} gives no probability of a sentence",
                why=f"its architecture is {about['architecture']!r}",
                fix="Give the run of a language model",
            )
        model.load_state_dict(weights)
        self._model = model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        self._vocabulary = Vocabulary(run / VOCABULARY_FILE)
        self._language = _choose(language, about["languages"])

    def score(self, lines: Iterable[str]) -> Iterator[Likelihood]:
        """The likelihood of each line, in order and as they come.

        Raises:
            DataError: a line is longer than the model reads.
        """
        taken, done = iter(lines), 0
        while block := list(islice(taken, _BLOCK)):
            self._check_lengths(block, done)
            with torch.inference_mode():
                found = log_probabilities(self._model, self._vocabulary, self._language, block)
            for line, (nats, pieces) in zip(block, found, strict=True):
                yield Likelihood(nats, pieces, len(line.encode()) + 1)
            done += len(block)

    def _check_lengths(self, block: list[str], done: int) -> None:
        room = self._model.config.max_length - 1
        for number, ids in enumerate(self._vocabulary.encode(block), done + 1):
            if len(ids) > room:
                raise DataError(
                    f"line {number} is too long",
                    why=f"it has {len(ids)} pieces, and the model reads {room} at most",
                    fix="Split it into sentences",
                )


def _choose(language: str, known: list[str]) -> str:
    if not language and len(known) == 1:
        return known[0]
    if language not in known:
        asked = f"there is no language {language!r}" if language else "the language is not given"
        raise UsageError(asked, fix=f"Give --language with one of {', '.join(known)}")
    return language
