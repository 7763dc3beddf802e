"""Plain values of the decoders: what is asked for, what is found, and the fixed token ids."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass

from mltranslate.errors import UsageError, check_kind
from mltranslate.limits import (
    MAX_BEAM,
    MAX_COVERAGE_PENALTY,
    MAX_LENGTH_PENALTY,
    MAX_TEMPERATURE,
    MIN_LENGTH_PENALTY,
)

PAD = 0
UNKNOWN = 1
BEGIN = 2
END = 3
"""Ids that every vocabulary of this project shares."""

UNFINISHED_PENALTY = 100.0
"""Beam search takes this off the rank of a hypothesis cut at its limit, so that every finished one
comes before it; mean log-probabilities stay far above its negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """The beginning of a translation, which the search must go on from."""

    pieces: tuple[int, ...]
    """Subword ids, as the vocabulary splits the text."""
    ends_word: bool = False
    """True when white space follows: nothing may be added to the last word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One sentence to translate: its subword ids, without tag and end mark."""

    pieces: tuple[int, ...]
    target: str
    """Language code to translate into."""
    max_tokens: int
    """Most tokens to produce, the end mark included."""
    source: str = ""
    """Language code of the sentence; only packs whose sources start with its tag need it."""
    prefix: Prefix | None = None
    """How the translation begins; its subwords count for `max_tokens`."""

    def tag_language(self, source_tag: str) -> str:
        """Code of the language whose tag the source starts with, by the manifest's `source_tag`."""
        return self.source if source_tag == "source" else self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One translation: its subword ids, without the end mark."""

    pieces: tuple[int, ...]
    score: float
    """Mean log-probability a token (natural log), the end mark included."""
    finished: bool
    """False when `max_tokens` was reached before the end mark."""
    shortlist: bool = False
    """True when only the ids of a shortlist were scored: among them is the score a probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Drawing tokens from the model's distribution instead of taking the best."""

    seed: int
    """Decides all draws: the same seed draws the same translation of a sentence again."""
    temperature: float = 1.0
    """Log-probabilities are divided by it: above 1 it gives the unlikely more chance."""
    top: int = 0
    """Draw from so many likeliest tokens (Fan et al. 2018); 0 for all."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for what makes no sense."""
        _check_whole("seed", self.seed)
        _check_number("temperature", self.temperature)
        _check_whole("number of tokens to draw from", self.top)
        if self.seed < 0 or self.top < 0:
            raise UsageError(
                "seed and number of tokens to draw from cannot be negative", fix="Give 0 or more"
            )
        if not 0 < self.temperature <= MAX_TEMPERATURE:
            raise UsageError(
                f"temperature {self.temperature:g} is out of range",
                fix=f"Give more than 0 and at most {MAX_TEMPERATURE:g}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How a sentence is searched for; two equal ones give the same result."""

    beam: int = 1
    """Prefixes that are followed; 1 is greedy search."""
    alternatives: int = 1
    """Translations to give, the best included: at most `beam`."""
    length_penalty: float = 1.0
    """Beam search ranks by the sum of log-probabilities over length to this power (Wu et al. 2016
    in its plain form): above 1 it favours longer output."""
    coverage_penalty: float = 0.0
    """How much what beam search found is ranked by, in addition, after what of the source it leaves
    unlooked at (`mltranslate.decode.coverage`); 0 ranks, and costs, nothing."""
    reverse_weight: float = 0.0
    """How much of the rank of what beam search found is how probable its source is as a translation
    of it (`mltranslate.decode.reverse`), from 0 to 1; 0 ranks, and costs, nothing."""
    sampling: Sampling | None = None
    """Only without a beam."""
    token_scores: bool = False
    """Give the log-probability of every token in addition."""
    alignment: bool = False
    """Tell which words come from which in addition."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for what makes no sense."""
        self._check_kinds()
        if not 1 <= self.beam <= MAX_BEAM:
            raise UsageError(f"beam {self.beam} is out of range", fix=f"Give 1 to {MAX_BEAM}")
        if self.sampling and (self.beam > 1 or self.alternatives != 1 or self._penalised):
            raise UsageError(
                "tokens are drawn for one translation",
                why="a beam, alternatives and penalties are of a search for the best",
                fix="Leave these out, or do not draw",
            )
        if not 1 <= self.alternatives <= self.beam:
            raise UsageError(
                f"the {self.alternatives} best cannot be listed",
                why=f"a search with beam {self.beam} finds {self.beam}",
                fix=f"Give 1 at least, and a beam as wide, of at most {MAX_BEAM}",
            )
        if not MIN_LENGTH_PENALTY <= self.length_penalty <= MAX_LENGTH_PENALTY:
            raise UsageError(
                f"length penalty {self.length_penalty:g} is out of range",
                fix=f"Give {MIN_LENGTH_PENALTY:g} to {MAX_LENGTH_PENALTY:g}",
            )
        if not 0 <= self.coverage_penalty <= MAX_COVERAGE_PENALTY:
            raise UsageError(
                f"coverage penalty {self.coverage_penalty:g} is out of range",
                fix=f"Give 0 to {MAX_COVERAGE_PENALTY:g}",
            )
        if not 0 <= self.reverse_weight <= 1:
            raise UsageError(
                f"reverse weight {self.reverse_weight:g} is out of range", fix="Give 0 to 1"
            )
        if self.reverse_weight and self.coverage_penalty:
            raise UsageError(
                "a reverse weight and a coverage penalty do not go together",
                why="either ranks what the search found",
                fix="Leave one out",
            )
        if self.beam == 1 and self._penalised:
            raise UsageError(f"greedy search knows no {self._penalty}", fix="Give a beam over 1")

    def _check_kinds(self) -> None:
        _check_whole("beam", self.beam)
        _check_whole("number of alternatives", self.alternatives)
        _check_number("length penalty", self.length_penalty)
        _check_number("coverage penalty", self.coverage_penalty)
        _check_number("reverse weight", self.reverse_weight)
        check_kind(self.sampling, Sampling | None, "sampling", "Use Sampling(seed=1), or None")

    @property
    def _penalised(self) -> bool:
        return bool(self._penalty)

    @property
    def _penalty(self) -> str:
        """What of beam search alone is asked for."""
        if self.coverage_penalty:
            return "coverage penalty"
        if self.reverse_weight:
            return "reverse weight"
        return "" if math.isclose(self.length_penalty, 1) else "length penalty"


def _check_whole(noun: str, value: object) -> None:
    check_kind(value, numbers.Integral, noun, "Give a whole number")


def _check_number(noun: str, value: object) -> None:
    check_kind(value, numbers.Real, noun, "Give a number")


GREEDY = Search()
