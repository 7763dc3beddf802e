"""Draws training text that looks like what is typed: cut words, prefixes, slips of the finger.

Everything is drawn for thousands of texts at once, as slices of one long array of code points:
drawing costs a few microseconds a text, which is what training on millions of them needs.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mltranslate.detect.features import Letters, clean_many
from mltranslate_train.lid.corpus import Corpus
from mltranslate_train.lid.undetermined import undetermined

Ints = npt.NDArray[np.int64]

_KINDS = ("words", "pairs", "short", "medium", "long", "whole", "han_runs")
_RANGES = {"short": (2, 8), "medium": (5, 20), "long": (15, 60), "whole": (200, 200)}
_STROKES = {"ß": "s", "ø": "o", "ł": "l", "ı": "i", "đ": "d"}
_FOLDED_BELOW = 0x2000
_SPACE = 0x20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Shares of what is drawn; the first seven are relative to each other."""

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
    whole: float
    """Whole sentences, of 200 characters at most."""
    han_runs: float
    """2-4 neighbouring Han characters; only languages that are written in Han."""
    cut: float
    """Share of words that are cut at a random keystroke."""
    inner: float
    """Share of sentence pieces that start at a word inside the sentence."""
    folded: float
    """Share written without diacritics, as people type in a hurry."""
    typos: float
    undetermined: float
    """Share of all draws that are no language."""
    undetermined_texts: int
    """How many different texts they are drawn from."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """B texts, and the number of the language of each; "und" is the last."""

    letters: Letters
    labels: Ints


class _Slices:
    """Texts of all languages as slices of one array of code points.

    Text t of language k is codes[starts[t]:ends[t]] for t in first[k] … first[k + 1] - 1.
    """

    def __init__(self, texts: Sequence[Sequence[str]], offset: int) -> None:
        joined = "".join("".join(group) for group in texts)
        self.codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        sizes = np.fromiter((len(text) for group in texts for text in group), np.int64)
        self.ends = np.cumsum(sizes) + offset
        self.starts = self.ends - sizes
        self.first = np.concatenate([[0], np.cumsum([len(group) for group in texts])])

    def count(self, languages: Ints) -> Ints:
        counts: Ints = self.first[languages + 1] - self.first[languages]
        return counts


class Sampler:
    """An endless, reproducible source of examples.

    `weights` says how often each language of `corpus` is drawn, relative to one another; `han`
    names those that are written in Han characters. The state of `rng` is all that changes.
    """

    def __init__(
        self,
        corpus: Corpus,
        sampling: Sampling,
        weights: Mapping[str, float],
        han: Sequence[str],
        seed: int,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self._sampling = sampling
        self._chances = np.array([weights[language] for language in corpus])
        self._chances /= self._chances.sum()
        texts = tuple(corpus.values())
        self._sentences = _Slices([[s[1:] for s in text.sentences] for text in texts], offset=2)
        offset = 2 + len(self._sentences.codes)
        # A language may have lost all its words, or all its sentences, to the other side.
        self._words = _Slices([text.words for text in texts], offset)
        made = random.Random(seed)  # noqa: S311 - reproducible draws, no secret
        lines = clean_many([undetermined(made) for _ in range(sampling.undetermined_texts)])
        self._und = _Slices(
            [[line[1:] for line in lines if len(line) > 1]], offset + len(self._words.codes)
        )
        marks = np.array([_SPACE, 0], np.uint32)
        self._codes = np.concatenate(
            [marks, self._sentences.codes, self._words.codes, self._und.codes]
        )
        self._word_starts = self._find_word_starts()
        self._han_starts = self._find_han(tuple(corpus), frozenset(han))
        self._folds = _fold_table()
        shares = np.array([getattr(sampling, kind) for kind in _KINDS])
        spaced = np.where(np.array(_KINDS) == "han_runs", 0, shares)
        has_han = np.array([len(starts) > 0 for starts in self._han_starts])
        self._kinds = np.cumsum(np.where(has_han[:, None], shares, spaced), axis=1)
        self._kinds /= self._kinds[:, -1:]

    def draw(self, count: int) -> Drawn:
        """Return `count` texts with their languages."""
        rng, languages = self.rng, len(self._chances)
        labels = rng.choice(languages, count, p=self._chances)
        labels[rng.random(count) < self._sampling.undetermined] = languages
        first, second = np.zeros((2, count), np.int64), np.zeros((2, count), np.int64)
        self._fill(labels, first, second)
        codes = self._codes[_indices(first, second)]
        codes = self._folded(codes)
        codes = self._mistyped(codes)
        return Drawn(Letters(codes, np.flatnonzero(codes == 0)), labels)

    def _fill(self, labels: Ints, first: Ints, second: Ints) -> None:
        """Choose one or two slices, as rows of starts and lengths, for every text."""
        is_language = labels < len(self._chances)
        kinds = np.full(len(labels), -1)
        chance = self.rng.random(len(labels))[is_language, None]
        kinds[is_language] = (chance > self._kinds[labels[is_language]]).sum(axis=1)
        for number, kind in enumerate(_KINDS):
            chosen = np.flatnonzero(kinds == number)
            languages = labels[chosen]
            if kind == "words":
                first[:, chosen] = self._word(languages, cut=True)
            elif kind == "pairs":
                first[:, chosen] = self._word(languages, cut=False)
                second[:, chosen] = self._word(languages, cut=True)
            elif kind == "han_runs":
                first[:, chosen] = self._han_run(languages)
            else:
                first[:, chosen] = self._piece(languages, *_RANGES[kind])
        chosen = np.flatnonzero(~is_language)
        text = self.rng.integers(0, len(self._und.starts), len(chosen))
        first[:, chosen] = self._und.starts[text], self._und.ends[text] - self._und.starts[text]

    def _word(self, languages: Ints, *, cut: bool) -> Ints:
        rng, counts = self.rng, np.maximum(self._words.count(languages), 1)
        uniform = rng.random(len(languages))
        by_rank = np.power(counts, uniform) - 1
        rank = np.where(rng.random(len(languages)) < 0.5, by_rank, counts * uniform)
        text = self._words.first[languages] + np.minimum(rank.astype(np.int64), counts - 1)
        text = np.minimum(text, len(self._words.starts) - 1)
        start, size = self._words.starts[text], self._words.ends[text] - self._words.starts[text]
        if cut:
            cuts = (rng.random(len(languages)) < self._sampling.cut) & (size > 2)
            size = np.where(cuts, rng.integers(2, np.maximum(size, 2) + 1), size)
        return np.stack([start, size])

    def _piece(self, languages: Ints, least: int, most: int) -> Ints:
        rng, counts = self.rng, np.maximum(self._sentences.count(languages), 1)
        text = self._sentences.first[languages] + rng.integers(0, counts)
        text = np.minimum(text, len(self._sentences.starts) - 1)
        start, end = self._sentences.starts[text], self._sentences.ends[text]
        if most < _RANGES["whole"][1]:
            inner = self._word_starts[
                rng.integers(*np.searchsorted(self._word_starts, np.stack([start, end])))
            ]
            start = np.where(rng.random(len(languages)) < self._sampling.inner, inner, start)
        size = np.minimum(rng.integers(least, most + 1, len(languages)), end - start)
        return np.stack([start, size])

    def _han_run(self, languages: Ints) -> Ints:
        start = np.zeros(len(languages), np.int64)
        for language in np.unique(languages).tolist():
            mine, starts = languages == language, self._han_starts[language]
            start[mine] = starts[self.rng.integers(0, len(starts), int(mine.sum()))]
        size = self.rng.integers(2, 5, len(languages))
        # Not beyond the run: two characters are known to be Han, the others may not be.
        for more in (2, 3):
            size[(size > more) & ~_is_han(self._codes[start + more])] = more
        return np.stack([start, size])

    def _find_word_starts(self) -> Ints:
        """Return where the words of the sentences start, rising."""
        codes, sentences = self._codes, self._sentences
        after_space = np.flatnonzero(codes[1 : 2 + len(sentences.codes)] == _SPACE) + 2
        starts = np.union1d(sentences.starts, after_space)
        # A space at the end of a sentence has no word after it, but the next sentence.
        return starts[starts < 2 + len(sentences.codes)]

    def _find_han(self, names: Sequence[str], han: frozenset[str]) -> list[Ints]:
        """Return, for every language, where two Han characters follow one another."""
        found: list[Ints] = []
        for language, name in enumerate(names):
            first, last = self._sentences.first[language], self._sentences.first[language + 1] - 1
            if name not in han or last < first:
                found.append(np.zeros(0, np.int64))
                continue
            start, end = int(self._sentences.starts[first]), int(self._sentences.ends[last])
            both = _is_han(self._codes[start:end])
            found.append(np.flatnonzero(both[:-1] & both[1:]) + start)
        return found

    def _folded(self, codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        ends = np.flatnonzero(codes == 0)
        chosen = self.rng.random(len(ends)) < self._sampling.folded
        low = np.repeat(chosen, np.diff(ends, prepend=-1)) & (codes < _FOLDED_BELOW)
        codes[low] = self._folds[codes[low]]
        return codes

    def _mistyped(self, codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Leave out, double or swap one letter of some texts."""
        rng, ends = self.rng, np.flatnonzero(codes == 0)
        sizes = np.diff(ends, prepend=-1) - 2
        chosen = np.flatnonzero((rng.random(len(ends)) < self._sampling.typos) & (sizes >= 4))
        at = ends[chosen] - 1 - rng.integers(1, sizes[chosen] - 1)
        at = at[(codes[at] > _SPACE) & (codes[at + 1] > _SPACE)]
        kind = rng.integers(0, 3, len(at))
        swapped = at[kind == 2]
        codes[swapped], codes[swapped + 1] = codes[swapped + 1], codes[swapped]
        times = np.ones(len(codes), np.int64)
        times[at[kind == 0]] = 0
        times[at[kind == 1]] = 2
        return np.repeat(codes, times)


def _indices(first: Ints, second: Ints) -> Ints:
    """Lay out every text as space, slice, and space, slice if there is a second, and a 0."""
    count = first.shape[1]
    starts, sizes = np.zeros((count, 5), np.int64), np.zeros((count, 5), np.int64)
    sizes[:, 0] = sizes[:, 4] = 1
    starts[:, 4] = 1
    starts[:, 1], sizes[:, 1] = first
    sizes[:, 2] = second[1] > 0
    starts[:, 3], sizes[:, 3] = second
    flat = sizes.ravel()
    shifts = starts.ravel() - np.concatenate([[0], np.cumsum(flat)[:-1]])
    return np.repeat(shifts, flat) + np.arange(int(flat.sum()))


def _is_han(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    kept: npt.NDArray[np.bool_] = (codes >= 0x3400) & (codes <= 0x9FFF)
    return kept


def fold(character: str) -> str:
    """Return a lower-case character without its diacritic, as it is typed in a hurry."""
    decomposed = unicodedata.normalize("NFD", character)
    marked = all("\u0300" <= mark <= "\u036f" for mark in decomposed[1:])
    return _STROKES.get(character, decomposed[0] if marked else character)


def _fold_table() -> npt.NDArray[Any]:
    return np.array([ord(fold(chr(code))) for code in range(_FOLDED_BELOW)], np.uint32)
