"""IBM Model 1 with a diagonal prior, learnt in both directions at once by EM.

fast_align's reparametrisation of Model 2 (Dyer, Chahuneau and Smith 2013), with its variational
Bayesian M step. Its tension starts at 0, which is Model 1 (Brown et al. 1993), and follows the data
from there by one Newton step an iteration, so that languages of opposite order are not led astray.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from mltranslate.errors import DataError
from mltranslate_train.align.cells import Cells, Floats, Ids, Pairs, Side, expand
from mltranslate_train.align.table import Keys, collect, find, keys_of

log = logging.getLogger(__name__)

_NULL = 0.08
"""Probability that a piece is aligned to nothing."""
_ALPHA = 0.01
"""Dirichlet prior of the translation probabilities: most are small."""
_STEEPEST, _STEP = 20.0, 4.0
"""Largest tension, and largest change of it in one iteration."""
_BLOCK = 1 << 20
_TINY = 1e-30

Doubles = NDArray[np.float64]


class Way:
    """One direction: the pieces of one side, given those of the other."""

    def __init__(self, given: NDArray[np.uint16], made: NDArray[np.uint16], pieces: int) -> None:
        """A vocabulary of `pieces`; `given` and `made` are the keys' pieces (K,)."""
        self.given, self.made, self._pieces = given, made, pieces
        self.probabilities: Floats = np.full(len(given), 1 / pieces, np.float32)
        """p(made | given) of each key (K,)."""
        self.tension = 0.0
        """How strongly links keep to the diagonal."""
        self.null: Doubles = np.full(pieces, 1 / pieces)
        """p(made | nothing) of each piece."""
        self._counts: Floats = np.zeros(len(given), np.float32)
        self._null_counts: Doubles = np.zeros(pieces)
        self._moments: Doubles = np.zeros(3)
        self._likelihood, self._made = 0.0, 0

    def scores(self, cells: Cells, made: Side, found: Floats) -> tuple[Doubles, Doubles, Floats]:
        """Joint probability of each cell's link (C,), of no link (M,), and the prior's kernel (C,).

        `made` is the side of M pieces that this direction makes, `found` p(made | given) by cell.
        """
        kernel = np.exp(np.float32(-self.tension) * cells.distance)
        scale = (1 - _NULL) / _sums(made, kernel)
        return kernel * found * scale[made.place], _NULL * self.null[made.pieces], kernel

    def observe(
        self, cells: Cells, made: Side, places: Ids, inverse: Ids, known: NDArray[np.bool_]
    ) -> None:
        """E step: add what the cells are expected to be linked by.

        Distinct keys of the cells stand at `places` of the table, if they are `known`; `inverse`
        gives the number of each cell's distinct key.
        """
        found = np.where(known, self.probabilities[places], np.float32(0))[inverse]
        scores, null, kernel = self.scores(cells, made, found)
        total = _sums(made, scores) + null + _TINY
        posterior = scores / total[made.place]
        expected = np.bincount(inverse, posterior, len(places))[known]
        self._counts[places[known]] += expected.astype(np.float32)
        self._null_counts += np.bincount(made.pieces, null / total, self._pieces)
        self._likelihood += float(np.log(total).sum())
        self._made += len(total)
        self._observe_distance(cells, made, kernel, posterior, 1 - null / total)

    def _observe_distance(
        self, cells: Cells, made: Side, kernel: Floats, posterior: Doubles, linked: Doubles
    ) -> None:
        norm = _sums(made, kernel)
        mean = _sums(made, kernel * cells.distance) / norm
        square = _sums(made, kernel * cells.distance**2) / norm
        self._moments += (
            float((posterior * cells.distance).sum()),
            float((linked * mean).sum()),
            float((linked * (square - mean**2)).sum()),
        )

    def update(self, *, diagonal: bool) -> float:
        """M step; gives the perplexity of the made side before it."""
        self._update_probabilities()
        self._null_counts += _ALPHA
        self.null = _expected(self._null_counts) / _expected(self._null_counts.sum(keepdims=True))
        self._null_counts = np.zeros(self._pieces)
        if diagonal:
            observed, prior, variance = self._moments
            step = (prior - observed) / max(variance, _TINY)
            self.tension = float(np.clip(self.tension + np.clip(step, -_STEP, _STEP), 0, _STEEPEST))
        perplexity = math.exp(-self._likelihood / max(1, self._made))
        self._moments, self._likelihood, self._made = np.zeros(3), 0.0, 0
        return perplexity

    def _update_probabilities(self) -> None:
        """Variational Bayes: expected logarithms of the Dirichlet posterior of each given piece."""
        totals, sizes = np.zeros(self._pieces), np.zeros(self._pieces)
        blocks = [slice(at, at + _BLOCK) for at in range(0, len(self.given), _BLOCK)]
        for block in blocks:
            given = self.given[block]
            totals += np.bincount(given, self._counts[block], self._pieces)
            sizes += np.bincount(given, np.ones(len(given)), self._pieces)
        scale = 1 / np.maximum(_expected(np.maximum(totals + _ALPHA * sizes, _ALPHA)), _TINY)
        for block in blocks:
            counts = self._counts[block].astype(np.float64) + _ALPHA
            probabilities: Doubles = _expected(counts) * scale[self.given[block]]
            self.probabilities[block] = probabilities
        self._counts[:] = 0


def _sums(side: Side, values: NDArray[np.floating]) -> Doubles:
    """Sum of the cells' values for each piece of the side."""
    return np.asarray(np.bincount(side.place, values, len(side.pieces)), np.float64)


def _expected(counts: Doubles) -> Doubles:
    """exp(digamma(counts)): about counts - 1/2 where they are large, nothing where small."""
    far = counts + 6
    series = 1 / 12 - (1 / 120 - 1 / 252 / far**2) / far**2
    digamma = np.log(far) - 0.5 / far - series / far**2
    for shift in range(6):
        digamma -= 1 / (counts + shift)
    result: Doubles = np.exp(digamma)
    return result


class Aligner:
    """What EM learnt of a language pair: probabilities of piece pairs both ways, two tensions.

    Takes 20 bytes for each of the K distinct pairs of pieces that share a sentence pair.
    """

    def __init__(self, keys: Keys, pieces: int) -> None:
        self.keys = keys
        """Distinct pairs as `first << 16 | second`, sorted (K,)."""
        self.pieces = pieces
        halves = keys.astype(">u4").view(">u2").reshape(-1, 2).astype(np.uint16).T
        self.forward = Way(halves[0], halves[1], pieces)
        """Second-side pieces given first-side pieces."""
        self.backward = Way(halves[1], halves[0], pieces)
        """First-side pieces given second-side pieces."""

    def observe(self, pairs: Pairs) -> None:
        """E step over some pairs."""
        cells = expand(pairs)
        keys, inverse = np.unique(keys_of(cells), return_inverse=True)
        places, known = find(self.keys, keys)
        self.forward.observe(cells, cells.second, places, inverse, known)
        self.backward.observe(cells, cells.first, places, inverse, known)

    def update(self, *, diagonal: bool) -> tuple[float, float]:
        """M step; gives the perplexities of the second and of the first side before it."""
        return self.forward.update(diagonal=diagonal), self.backward.update(diagonal=diagonal)

    def best(self, pairs: Pairs) -> tuple[Cells, Ids, Ids]:
        """The pairs' cells, and the numbers of those that are linked, forward and backward.

        Forward each second-side piece takes the most probable first-side piece or none, backward
        the reverse.
        """
        cells = expand(pairs)
        keys, inverse = np.unique(keys_of(cells), return_inverse=True)
        places, known = find(self.keys, keys)
        chosen = []
        for way, made in ((self.forward, cells.second), (self.backward, cells.first)):
            found = np.where(known, way.probabilities[places], np.float32(0))[inverse]
            scores, null, _ = way.scores(cells, made, found)
            chosen.append(_winners(made, scores, null))
        return cells, chosen[0], chosen[1]


def _winners(made: Side, scores: Doubles, null: Doubles) -> Ids:
    """The first best cell of each piece, where it is better than none."""
    best = null.copy()
    np.maximum.at(best, made.place, scores)
    winners = np.flatnonzero((scores == best[made.place]) & (scores > null[made.place]))
    _, firsts = np.unique(made.place[winners], return_index=True)
    return np.sort(winners[firsts])


def learn(
    chunks: Callable[[], Iterable[Pairs]], pieces: int, *, iterations: int, limit: int,
    diagonal: bool = True,
) -> Aligner:  # fmt: skip
    """Align the pairs that `chunks` gives anew at every call, by EM.

    Args:
        chunks: only one chunk is in memory at a time.
        pieces: size of the vocabulary.
        iterations: passes of EM, after one that collects the pairs of pieces.
        limit: most distinct pairs of pieces; the rarest go first.
        diagonal: whether links may be drawn to the diagonal; Model 1 otherwise.

    Raises:
        DataError: there are no pairs.
    """
    keys = collect((keys_of(expand(pairs)) for pairs in chunks()), limit)
    if not len(keys):
        raise DataError("there is nothing to align", why="there are no sentence pairs")
    aligner = Aligner(keys, pieces)
    for number in range(1, iterations + 1):
        for pairs in chunks():
            aligner.observe(pairs)
        perplexities = aligner.update(diagonal=diagonal)
        log.info(
            "iteration %d: perplexity %.1f and %.1f, tension %.1f and %.1f",
            number, *perplexities, aligner.forward.tension, aligner.backward.tension,
        )  # fmt: skip
    return aligner
