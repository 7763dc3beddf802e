"""chrF and BLEU by sacreBLEU (Post 2018), always with their signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.metrics import BLEU, CHRF

from mltranslate.errors import DataError

_BLEU_TOKENIZERS = {"zh": "zh", "ja": "char", "ko": "char"}
"""Tokenisation by target language; Japanese and Korean by character need no extra dictionary."""


@dataclass(frozen=True, slots=True)
class Score:
    """One metric over one set."""

    value: float
    signature: str
    sentences: int


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """chrF2++ (Popović 2017): character 6-grams and word 2-grams, in 0 … 100."""
    return _score(CHRF(word_order=2), hypotheses, references)


def bleu(hypotheses: Sequence[str], references: Sequence[str], target: str) -> Score:
    """BLEU (Papineni et al. 2002) with the tokeniser that suits the target language, in 0 … 100."""
    metric = BLEU(tokenize=_BLEU_TOKENIZERS.get(target, "13a"))
    return _score(metric, hypotheses, references)


def _score(metric: BLEU | CHRF, hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    if not hypotheses or len(hypotheses) != len(references):
        raise DataError(
            f"{len(hypotheses)} translations cannot be scored",
            why=f"there are {len(references)} references",
        )
    value = metric.corpus_score(list(hypotheses), [list(references)]).score
    return Score(value, str(metric.get_signature()), len(hypotheses))
