"""Translations that have nothing to do with their source.

Two texts count as unrelated when their sentence chrF2++ is no higher than that of all but a
twentieth of the pairs that really are unrelated: texts of two different lines. The set itself
gives this level, so that it suits any language and needs no threshold of taste.

* *detached*: the translation is unrelated to its reference (after the detached hallucinations of
  Raunak et al. 2021, who find them by hand among the lowest scores).
* *hallucination under perturbation* (Lee et al. 2018): the translation is related to its
  reference, but with one more word at the start of its source it becomes unrelated to what it was.
  They measure by an adjusted BLEU with fixed thresholds and try many words a line; here it is
  chrF2++, which needs no words, with the set's own level, and one word a line.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from mltranslate.languages import is_spaced
from mltranslate_train.evaluate.faults import Rate
from mltranslate_train.evaluate.metrics import sentence_chrf

FEWEST = 20
"""Lines that a level can be taken from."""
_PAIRS = 5
"""Unrelated pairs drawn for each line."""
_SHARE = 0.95
_SEED = 1


def unrelated_level(texts: Sequence[str], others: Sequence[str]) -> float:
    """Sentence chrF2++ that 95 % of the pairs of two different lines do not exceed.

    `others` is parallel to `texts`; NaN for fewer than 20 lines.
    """
    if len(texts) < FEWEST:
        return math.nan
    rng = random.Random(_SEED)  # noqa: S311 - not for secrets
    values = sorted(
        sentence_chrf(text, others[row - rng.randint(1, len(texts) - 1)])
        for row, text in enumerate(texts)
        for _ in range(_PAIRS)
    )
    return values[math.ceil(_SHARE * len(values)) - 1]


def detached(outputs: Sequence[str], references: Sequence[str]) -> Rate:
    """Share of the translations that are unrelated to their references."""
    related = _related(outputs, references)
    return Rate(sum(not one for one in related), len(related))


def perturbed(sources: Sequence[str], language: str) -> list[str]:
    """Each source after a word, or a letter where there are no spaces, of some other line."""
    rng = random.Random(_SEED)  # noqa: S311 - not for secrets
    spaced = is_spaced(language)
    units = [
        [part for part in (text.split() if spaced else text) if any(map(str.isalpha, part))]
        for text in sources
    ]
    gap = " " if spaced else ""
    found = []
    for row, text in enumerate(sources):
        other = units[row - rng.randint(1, len(sources) - 1)] if len(sources) > 1 else []
        found.append(f"{rng.choice(other)}{gap}{text}" if other else text)
    return found


def under_perturbation(
    outputs: Sequence[str], disturbed: Sequence[str], references: Sequence[str]
) -> Rate:
    """Share, among translations related to their reference, that one word changed altogether.

    `disturbed` are the translations of the `perturbed` sources.
    """
    good = _related(outputs, references)
    stable = _related(outputs, disturbed)
    judged = [kept for fine, kept in zip(good, stable, strict=False) if fine]
    return Rate(sum(not kept for kept in judged), len(judged))


def _related(texts: Sequence[str], others: Sequence[str]) -> list[bool]:
    """Which of the pairs are above the level; empty if there is none."""
    level = unrelated_level(texts, others)
    if math.isnan(level):
        return []
    return [sentence_chrf(text, other) > level for text, other in zip(texts, others, strict=True)]
