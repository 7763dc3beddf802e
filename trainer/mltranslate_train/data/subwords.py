"""Other segmentations of the same text: BPE-dropout and subword regularisation.

SentencePiece does both, each for its own kind of vocabulary: with "bpe" it skips every merge with
probability alpha (Provilkov et al. 2020), with "unigram" it draws from the lattice of all
segmentations, smoothed by alpha (Kudo 2018).
"""

from __future__ import annotations

import numpy as np
import sentencepiece
from numpy.typing import NDArray

from mltranslate.errors import ConfigError
from mltranslate_train.config import DataConfig
from mltranslate_train.tokenizer import UNKNOWN, Vocabulary


class SubwordSampler:
    """Draws segmentations; what it draws depends on its arguments and on nothing before.

    Raises:
        ConfigError: the vocabulary is of a kind that has one segmentation only.
    """

    def __init__(self, vocabulary: Vocabulary, config: DataConfig) -> None:
        self._share, self._alpha = config.subword_sampling, config.subword_alpha
        self._longest = config.max_tokens
        self._processor = sentencepiece.SentencePieceProcessor(model_file=str(vocabulary.path))
        try:
            self._draw(["a"], 0)
        except RuntimeError as error:
            raise ConfigError(
                f"data.subword_sampling has no use for {vocabulary.path.name}",
                why="only BPE and unigram vocabularies have several segmentations of a text",
                fix="Leave it 0",
            ) from error

    def choose(self, count: int, seed: list[int]) -> NDArray[np.int64]:
        """Which of `count` sentences are cut anew, each with the recipe's probability."""
        return np.flatnonzero(np.random.default_rng(seed).random(count) < self._share)

    def resample(self, sentences: list[list[int]], seed: list[int]) -> list[list[int]]:
        """Other pieces of the same texts.

        A sentence keeps its pieces if the others would be longer than `data.max_tokens`, or if
        they do not give its text back (unknown pieces).
        """
        texts = self._processor.decode(sentences) if sentences else []
        number = int(np.random.SeedSequence(seed).generate_state(1)[0])
        return [
            new if 0 < len(new) <= self._longest and UNKNOWN not in old else old
            for old, new in zip(sentences, self._draw(texts, number), strict=True)
        ]

    def _draw(self, texts: list[str], seed: int) -> list[list[int]]:
        # One thread: its generator starts from the seed, and takes the texts in their order.
        sentencepiece.set_random_generator_seed(seed)
        drawn: list[list[int]] = self._processor.encode(
            texts, enable_sampling=True, alpha=self._alpha, nbest_size=-1, num_threads=1
        )
        return drawn
