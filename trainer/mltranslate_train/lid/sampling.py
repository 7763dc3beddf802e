"""Draws training text that looks like what is typed: cut words, prefixes, slips of the finger."""

from __future__ import annotations

import itertools
import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mltranslate.types import UNDETERMINED
from mltranslate_train.lid.corpus import Corpus, Text
from mltranslate_train.lid.undetermined import undetermined

_HAN = re.compile("[\u3400-\u9fff\U00020000-\U000323af]{2,}")
_STROKES = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "ı": "i", "đ": "d", "æ": "ae", "œ": "oe"})
_HAN_LANGUAGES = ("zh", "ja")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Shares of what is drawn; the first six are relative to each other."""

    words: float
    """One word, half of the draws by log-uniform and half by uniform frequency rank."""
    pairs: float
    """Two such words."""
    short: float
    """2-8 characters of a sentence."""
    medium: float
    """5-20 characters."""
    long: float
    """15-60 characters."""
    han_runs: float
    """2-4 neighbouring Han characters; zh and ja only."""
    cut: float
    """Share of words that are cut at a random keystroke."""
    inner: float
    """Share of sentence pieces that start at a word inside the sentence."""
    lower: float
    folded: float
    """Share written in lower case without diacritics, as people type in a hurry."""
    typos: float
    undetermined: float
    """Share of all draws that are no language."""


class Sampler:
    """An endless, reproducible source of (text, language) examples."""

    def __init__(
        self, corpus: Corpus, sampling: Sampling, shares: Mapping[str, float], seed: int
    ) -> None:
        self._corpus = corpus
        self._sampling = sampling
        self._rng = random.Random(seed)  # noqa: S311 - reproducible draws, no secret
        self._languages = tuple(corpus)
        self._weights = tuple(
            itertools.accumulate(shares.get(language, 1.0) for language in corpus)
        )
        kinds: tuple[tuple[Callable[[Text], str], float], ...] = (
            (self._word, sampling.words),
            (self._pair, sampling.pairs),
            (lambda text: self._piece(text, 2, 8), sampling.short),
            (lambda text: self._piece(text, 5, 20), sampling.medium),
            (lambda text: self._piece(text, 15, 60), sampling.long),
            (self._han_run, sampling.han_runs),
        )
        self._kinds = tuple(kind for kind, _ in kinds)
        self._kind_weights = tuple(itertools.accumulate(share for _, share in kinds))
        self._spaced_kind_weights = self._kind_weights[:-1]

    def draw(self) -> tuple[str, str]:
        """Return one text and its language code, or "und"."""
        rng = self._rng
        if rng.random() < self._sampling.undetermined:
            return undetermined(rng), UNDETERMINED
        language = rng.choices(self._languages, cum_weights=self._weights)[0]
        if language in _HAN_LANGUAGES:
            kind = rng.choices(self._kinds, cum_weights=self._kind_weights)[0]
        else:
            kind = rng.choices(self._kinds[:-1], cum_weights=self._spaced_kind_weights)[0]
        return self._disturb(kind(self._corpus[language])), language

    def _word(self, text: Text) -> str:
        rng = self._rng
        word = self._listed_word(text)
        if len(word) > 2 and rng.random() < self._sampling.cut:
            return word[: rng.randint(2, len(word))]
        return word

    def _listed_word(self, text: Text) -> str:
        rng, count = self._rng, len(text.words)
        if rng.random() < 0.5:
            return text.words[int(count ** rng.random()) - 1]
        return text.words[int(count * rng.random())]

    def _pair(self, text: Text) -> str:
        return f"{self._listed_word(text)} {self._word(text)}"

    def _piece(self, text: Text, least: int, most: int) -> str:
        rng = self._rng
        sentence = rng.choice(text.sentences)
        if rng.random() < self._sampling.inner:
            start = sentence.find(" ", rng.randrange(len(sentence))) + 1
            sentence = sentence[start:]
        return sentence[: rng.randint(least, most)]

    def _han_run(self, text: Text) -> str:
        rng = self._rng
        runs = _HAN.findall(rng.choice(text.sentences))
        if not runs:
            return self._word(text)
        run: str = rng.choice(runs)
        size = rng.randint(2, 4)
        start = rng.randrange(max(1, len(run) - size + 1))
        return run[start : start + size]

    def _disturb(self, text: str) -> str:
        rng, sampling = self._rng, self._sampling
        if rng.random() < sampling.typos:
            text = self._slip(text)
        chance = rng.random()
        if chance < sampling.folded:
            return fold(text)
        return text.lower() if chance < sampling.folded + sampling.lower else text

    def _slip(self, text: str) -> str:
        """Leave out, double or swap one letter."""
        if len(text) < 4:
            return text
        at = self._rng.randrange(1, len(text) - 1)
        kind = self._rng.randrange(3)
        middle = ("", text[at] * 2, text[at + 1] + text[at])[kind]
        return text[:at] + middle + text[at + (2 if kind == 2 else 1) :]


def fold(text: str) -> str:
    """Return `text` in lower case without diacritics."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    bare = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", bare.translate(_STROKES))
