"""evaluation.json as the report needs it; parts that are missing stay empty."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

METRICS = {
    "bleu": "BLEU", "chrf": "chrF2++", "ter": "TER",
    "perplexity": "perplexity", "bits_per_byte": "bits a byte", "accuracy": "accuracy in %",
}  # fmt: skip
"""Metrics by their key, in the order of the tables."""


@dataclass(frozen=True, slots=True)
class Group:
    """Scores of the lines whose sources are of about one length."""

    name: str
    sentences: int
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """Scores of one direction on one set."""

    dataset: str
    direction: str
    sentences: int
    scores: Mapping[str, float]
    """By the keys of METRICS."""
    signatures: Mapping[str, str] = field(default_factory=dict)
    lengths: Sequence[Group] = ()
    """By rising length of the source."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes results of two runs comparable."""
        return self.dataset, self.direction


def read_results(record: Mapping[str, Any]) -> list[Measured]:
    """The results of an evaluation.json; entries that have no set or direction are left out."""
    return [
        Measured(*_key(item), _sentences(item), _scores(item), _signatures(item), _groups(item))
        for item in maps(record.get("results"))
        if all(_key(item))
    ]


def _groups(item: Mapping[str, Any]) -> list[Group]:
    found = [
        Group(str(part.get("words", "?")), _sentences(part), _scores(part))
        for part in maps(item.get("by_length"))
    ]
    return sorted(found, key=least_words)


def least_words(group: Group) -> int:
    """The fewest words of a group, by its name: "11–20" and "41+" begin with them."""
    digits = re.match(r"\d+", group.name)
    return int(digits[0]) if digits else 0


def maps(items: Any) -> list[Mapping[str, Any]]:
    """The tables of a list; nothing of what is no list."""
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item.get("dataset", "")), str(item.get("direction", ""))


def _parts(item: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {name: part for name in METRICS if isinstance(part := item.get(name), Mapping)}


def _scores(item: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, part in _parts(item).items()
        if isinstance(value := part.get("value"), int | float)
    }


def _signatures(item: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(part["signature"]) for name, part in _parts(item).items()
            if "signature" in part}  # fmt: skip


def _sentences(item: Mapping[str, Any]) -> int:
    found = [part.get("sentences") for part in _parts(item).values()]
    return next((number for number in found if isinstance(number, int)), 0)
