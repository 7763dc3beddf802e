"""The sentence pairs that a pack is verified with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from mltranslate.errors import DataError
from mltranslate_train.data.readers import read_lines

HELD_OUT = "heldout"
_SUFFIX_FIX = "Give lines of: source code, target code, source text, target text, by tabs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One sentence and its reference translation."""

    source: str
    target: str
    """Language codes."""
    text: str
    reference: str


def read_pairs(path: Path) -> list[Pair]:
    """Read a TSV of four columns: source code, target code, source text, reference."""
    pairs = []
    for number, line in enumerate(_lines(path), 1):
        columns = line.split("\t")
        if len(columns) != 4 or not all(columns):
            raise DataError(f"line {number} of {path} is not a pair", fix=_SUFFIX_FIX)
        source, target, text, reference = columns
        pairs.append(Pair(source=source, target=target, text=text, reference=reference))
    return pairs


def held_out_pairs(run: Path) -> list[Pair]:
    """Read the pairs that the run held out, `heldout/AA-BB.AA` and `.BB`, in both directions."""
    pairs: list[Pair] = []
    for path in sorted((run / HELD_OUT).glob("*-*.*")):
        source, _, target = path.stem.partition("-")
        other = path.with_suffix(f".{target}")
        if path.suffix == f".{source}" and other.exists():
            both = _side_by_side(path, other)
            pairs += [Pair(source=source, target=target, text=a, reference=b) for a, b in both]
            pairs += [Pair(source=target, target=source, text=b, reference=a) for a, b in both]
    if not pairs:
        raise DataError(
            "there are no sentences to verify with",
            why=f"{run / HELD_OUT} holds no pairs",
            fix="Name a file with --verify-data",
        )
    return pairs


def _side_by_side(path: Path, other: Path) -> list[tuple[str, str]]:
    first, second = _lines(path), _lines(other)
    if len(first) != len(second):
        raise DataError(
            f"{path} and {other} are not parallel",
            why=f"they have {len(first)} and {len(second)} lines",
        )
    return list(zip(first, second, strict=True))


def by_direction(
    pairs: Sequence[Pair], directions: frozenset[tuple[str, str]]
) -> dict[tuple[str, str], list[Pair]]:
    """Group the pairs of the directions that a pack has; `DataError` if one has none."""
    groups: dict[tuple[str, str], list[Pair]] = {key: [] for key in sorted(directions)}
    for pair in pairs:
        if (pair.source, pair.target) in groups:
            groups[pair.source, pair.target].append(pair)
    empty = [f"{source}-{target}" for (source, target), group in groups.items() if not group]
    if empty:
        raise DataError(
            f"there are no sentences to verify {', '.join(empty)} with",
            fix="Name a file that has them with --verify-data",
        )
    return groups


def check_directions(
    path: Path, pairs: Sequence[Pair], directions: frozenset[tuple[str, str]]
) -> None:
    """Refuse pairs of `path` that are of no direction of the pack; raises DataError."""
    if strange := {(pair.source, pair.target) for pair in pairs} - directions:
        raise DataError(
            f"{path} has sentences for {'-'.join(min(strange))}, which the pack does not have",
            why=f"it has {', '.join('-'.join(one) for one in sorted(directions))}",
            fix="Correct the codes in the file, or leave these lines out",
        )


def take_turns(groups: Sequence[Sequence[Pair]], count: int) -> list[Pair]:
    """Take up to `count` pairs, one of each group in turn."""
    turns = chain.from_iterable(zip_longest(*groups))
    return [pair for pair in turns if pair is not None][:count]


def _lines(path: Path) -> list[str]:
    return [text for _, text in read_lines(path)]
