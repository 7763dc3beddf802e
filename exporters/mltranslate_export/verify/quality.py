"""Measures what int8 costs: chrF2++ of its translations beside those of fp32."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mltranslate.decode.decoder import Decoder
from mltranslate.decode.types import Request
from mltranslate.errors import VerificationError
from mltranslate.packs.tokenizer import Tokenizer
from mltranslate_export.verify.pairs import Pair
from mltranslate_train.evaluate.metrics import Score, chrf

MOST_CHRF_LOST = 0.3
"""chrF2++ points, mean over the directions."""

_BATCH = 32
_GROWTH, _SLACK = 2, 16
"""Most target tokens of a sentence: twice the source's and a little more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """chrF2++ of one direction in two precisions, greedy search."""

    direction: str
    sentences: int
    fp32: float
    int8: float
    equal: float
    """Share of sentences whose translations are the same."""
    signature: str

    @property
    def lost(self) -> float:
        """Points that int8 costs."""
        return self.fp32 - self.int8


def requests_for(
    encode: Callable[[str], tuple[int, ...]], pairs: Iterable[Pair], most: int
) -> list[Request]:
    """Make requests of the sources of `pairs`, which are cut to `most` subwords."""
    found = []
    for pair in pairs:
        pieces = encode(pair.text)[:most]
        limit = _GROWTH * len(pieces) + _SLACK
        found.append(
            Request(pieces=pieces, source=pair.source, target=pair.target, max_tokens=limit)
        )
    return found


def translate(decoder: Decoder, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> list[str]:
    """Translate the sources of `pairs` greedily, batched by length; in order."""
    requests = requests_for(tokenizer.encode, pairs, decoder.pack.max_source_tokens)
    order = sorted(range(len(requests)), key=lambda index: len(requests[index].pieces))
    texts = [""] * len(pairs)
    for first in range(0, len(order), _BATCH):
        rows = order[first : first + _BATCH]
        for row, found in zip(rows, decoder.decode([requests[r] for r in rows]), strict=True):
            texts[row] = tokenizer.decode(found.pieces)
    return texts


def measure_loss(
    reference: Decoder, quantised: Decoder, groups: Mapping[tuple[str, str], Sequence[Pair]]
) -> list[Loss]:
    """Translate every group in both precisions and compare them with the references."""
    tokenizer = quantised.pack.tokenizer()
    losses = []
    for (source, target), pairs in groups.items():
        full = translate(reference, tokenizer, pairs)
        small = translate(quantised, tokenizer, pairs)
        score, same = _score(full, pairs), sum(a == b for a, b in zip(full, small, strict=True))
        losses.append(
            Loss(
                direction=f"{source}-{target}",
                sentences=len(pairs),
                fp32=score.value,
                int8=_score(small, pairs).value,
                equal=same / len(pairs),
                signature=score.signature,
            )
        )
    return losses


def check_loss(losses: Sequence[Loss], most: float) -> dict[str, Any]:
    """Give the figures for the report; `VerificationError` if int8 loses too much."""
    mean = sum(loss.lost for loss in losses) / len(losses)
    if mean > most:
        raise VerificationError(
            f"int8 loses {mean:.2f} chrF2++",
            why=f"the mean over {len(losses)} directions may be {most} at most",
            fix="Export fp32 only, or train further",
        )
    return {"mean_lost": mean, "most_allowed": most, "directions": [asdict(x) for x in losses]}


def _score(texts: Sequence[str], pairs: Sequence[Pair]) -> Score:
    return chrf(texts, [pair.reference for pair in pairs])
