"""What was kept and what was dropped, by reason and by origin, with examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from mltranslate_train.data.readers import Pair, Skipped

_EXAMPLES = 2
_CLIP = 60


class FilterReport:
    """Counts of kept and dropped pairs, and the first two examples of every reason."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        self.dropped: dict[str, Counter[str]] = {}
        self._examples: dict[str, list[Pair]] = {}

    def keep(self, origin: str) -> None:
        """Count a kept pair."""
        self.kept[origin] += 1

    def drop(self, reason: str, pair: Pair) -> None:
        """Count a dropped pair."""
        self.dropped.setdefault(reason, Counter())[pair.origin] += 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(pair)

    def skip(self, skipped: Skipped) -> None:
        """Count what a reader left out."""
        for (reason, origin), count in skipped.items():
            self.dropped.setdefault(reason, Counter())[origin] += count

    def table(self) -> dict[str, dict[str, int]]:
        """Dropped pairs by reason and by origin, the most frequent first."""
        reasons = sorted(self.dropped.items(), key=lambda item: -item[1].total())
        return {reason: dict(origins.most_common()) for reason, origins in reasons}

    def totals(self) -> dict[str, int]:
        """Dropped pairs by reason."""
        return {reason: sum(origins.values()) for reason, origins in self.table().items()}

    def markdown(self, explanations: Mapping[str, str]) -> str:
        """A page with a table by reason, one by origin, and the examples."""
        parts = [self._summary(), self._by_reason(explanations), self._by_origin()]
        parts += [_examples_of(reason, self._examples.get(reason, [])) for reason in self.table()]
        return "\n".join(part for part in parts if part)

    def _summary(self) -> str:
        kept = self.kept.total()
        read = kept + sum(origins.total() for origins in self.dropped.values())
        return (
            f"# What was kept and what was dropped\n\n{read:,} pairs were read, {kept:,} "
            f"({_share(kept, read)}) kept. A dropped pair counts for the first reason that "
            "applies, in the order in which they are checked.\n"
        )

    def _by_reason(self, explanations: Mapping[str, str]) -> str:
        if not self.dropped:
            return ""
        read = self.kept.total() + sum(origins.total() for origins in self.dropped.values())
        rows = ["| reason | pairs | share | meaning |", "|---|---|---|---|"]
        for reason, origins in self.table().items():
            count = sum(origins.values())
            meaning = explanations.get(reason, "")
            rows.append(f"| {reason} | {count:,} | {_share(count, read)} | {meaning} |")
        return "\n".join([*rows, ""])

    def _by_origin(self) -> str:
        reasons = list(self.table())
        dropped: Counter[str] = Counter()
        for origins in self.dropped.values():
            dropped += origins
        rows = [
            _row(["origin", "read", "kept", *reasons]),
            _row(["---"] * (3 + len(reasons))),
        ]
        for origin, read in (dropped + self.kept).most_common():
            counts = [self.dropped[reason][origin] for reason in reasons]
            cells = [f"{count:,}" if count else "" for count in counts]
            rows.append(_row([_clipped(origin), f"{read:,}", f"{self.kept[origin]:,}", *cells]))
        return "\n".join([*rows, ""])


def _examples_of(reason: str, pairs: list[Pair]) -> str:
    if not pairs:
        return ""
    rows = [f"**{reason}**\n", "| origin | first | second |", "|---|---|---|"]
    rows += [_row(map(_clipped, (pair.origin, pair.first, pair.second))) for pair in pairs]
    return "\n".join([*rows, ""])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _clipped(text: str) -> str:
    """A text that fits a cell: short, on one line, and with nothing that ends the cell."""
    short = text if len(text) <= _CLIP else f"{text[: _CLIP - 1]}…"
    plain = "".join(character if character.isprintable() else " " for character in short)
    return plain.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"
