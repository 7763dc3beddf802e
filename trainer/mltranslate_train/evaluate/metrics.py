"""BLEU, chrF and TER by sacreBLEU (Post 2018), always with their signatures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.metrics import BLEU, CHRF, TER

from mltranslate.errors import DataError

_BLEU_TOKENIZERS = {"zh": "zh", "ja": "char", "ko": "char"}
"""Tokenisation by target language; Japanese and Korean by character need no extra dictionary."""
_UNSPACED = ("zh", "ja")
"""Target languages whose words TER tells apart only with its own rules for them."""

Metric = BLEU | CHRF | TER


@dataclass(frozen=True, slots=True)
class Score:
    """One metric over one set."""

    value: float
    signature: str
    sentences: int


def chrf_metric(*, lowercase: bool = False) -> CHRF:
    """chrF2++ (Popović 2017): character 6-grams and word 2-grams, in 0 … 100."""
    return CHRF(word_order=2, lowercase=lowercase)


def bleu_metric(target: str, *, tokenized: bool = False) -> BLEU:
    """BLEU (Papineni et al. 2002), in 0 … 100; text that is `tokenized` is taken as it is."""
    if tokenized:
        return BLEU(tokenize="none", force=True)  # `force`: a detached stop is meant, not a mistake
    return BLEU(tokenize=_BLEU_TOKENIZERS.get(target, "13a"))


def ter_metric(target: str, *, tokenized: bool = False) -> TER:
    """TER (Snover et al. 2006): edits a hundred reference words, 0 for equal text, no upper end."""
    asian = not tokenized and target in _UNSPACED
    return TER(normalized=asian, asian_support=asian)


def chrf(hypotheses: Sequence[str], references: Sequence[str], *, lowercase: bool = False) -> Score:
    """chrF2++ of a corpus; raises DataError for lists that are empty or of unequal length."""
    return score(chrf_metric(lowercase=lowercase), hypotheses, references)


def bleu(
    hypotheses: Sequence[str], references: Sequence[str], target: str, *, tokenized: bool = False
) -> Score:
    """BLEU of a corpus with the tokeniser that suits `target`; raises DataError like `chrf`."""
    return score(bleu_metric(target, tokenized=tokenized), hypotheses, references)


def ter(
    hypotheses: Sequence[str], references: Sequence[str], target: str, *, tokenized: bool = False
) -> Score:
    """TER of a corpus; raises DataError like `chrf`."""
    return score(ter_metric(target, tokenized=tokenized), hypotheses, references)


def score(metric: Metric, hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Value and signature of any metric; raises DataError for empty or unequal lists."""
    check_parallel(hypotheses, references)
    value = metric.corpus_score(list(hypotheses), [list(references)]).score
    return Score(value, str(metric.get_signature()), len(hypotheses))


def check_parallel(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    """Raise DataError for lists that are empty or of unequal length."""
    if not hypotheses or len(hypotheses) != len(references):
        raise DataError(
            f"{len(hypotheses)} translations cannot be scored",
            why=f"there are {len(references)} references",
        )


def sentence_chrf(hypothesis: str, reference: str) -> float:
    """chrF2++ of one sentence, in 0 … 100."""
    return float(_SENTENCE_CHRF.sentence_score(hypothesis, [reference]).score)


def join_pieces(text: str, joiner: str) -> str:
    """Join what subword segmentation took apart: a piece that ends in `joiner` and the next.

    `join_pieces("mo@@ gul", "@@")` is "mogul". An empty joiner changes nothing.
    """
    return re.sub(rf"{re.escape(joiner)}(?: |$)", "", text) if joiner else text


_SENTENCE_CHRF = chrf_metric()
