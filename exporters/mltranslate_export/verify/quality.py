"""Measures what int8 and shortlists cost: chrF2++ with them beside that without."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    """chrF2++ of one direction without something and with it, greedy search."""

    direction: str
    sentences: int
    without: float
    having: float
    equal: float
    """Share of sentences whose translations are the same."""
    signature: str

    @property
    def lost(self) -> float:
        """Points that it costs."""
        return self.without - self.having

    def report(self, names: tuple[str, str]) -> dict[str, Any]:
        """The figures, the scores by these names."""
        return {
            "direction": self.direction,
            "sentences": self.sentences,
            **dict(zip(names, (self.without, self.having), strict=True)),
            "equal": self.equal,
            "signature": self.signature,
        }


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
    without: Decoder, having: Decoder, groups: Mapping[tuple[str, str], Sequence[Pair]]
) -> list[Loss]:
    """Translate every group with both decoders and compare them with the references."""
    tokenizer = having.pack.tokenizer()
    losses = []
    for (source, target), pairs in groups.items():
        full = translate(without, tokenizer, pairs)
        small = translate(having, tokenizer, pairs)
        score, same = _score(full, pairs), sum(a == b for a, b in zip(full, small, strict=True))
        losses.append(
            Loss(
                direction=f"{source}-{target}",
                sentences=len(pairs),
                without=score.value,
                having=_score(small, pairs).value,
                equal=same / len(pairs),
                signature=score.signature,
            )
        )
    return losses


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared, in the words of report and error."""

    name: str
    names: tuple[str, str]
    """Of the scores without and with it."""
    fix: str


INT8 = Subject("int8", ("fp32", "int8"), "Export fp32 only, or train further")
SHORTLIST = Subject(
    "the shortlist", ("whole", "shortlist"),
    "Learn the lexicons from more pairs, keep more of them, or export without --shortlist",
)  # fmt: skip


def check_loss(losses: Sequence[Loss], most: float, subject: Subject) -> dict[str, Any]:
    """Give the figures for the report; `VerificationError` if it loses too much."""
    mean = sum(loss.lost for loss in losses) / len(losses)
    if not mean <= most:  # also where one is no number
        raise VerificationError(
            f"{subject.name} loses {mean:.2f} chrF2++",
            why=f"the mean over {len(losses)} directions may be {most} at most",
            fix=subject.fix,
        )
    directions = [loss.report(subject.names) for loss in losses]
    return {"mean_lost": mean, "most_allowed": most, "directions": directions}


def _score(texts: Sequence[str], pairs: Sequence[Pair]) -> Score:
    return chrf(texts, [pair.reference for pair in pairs])
