"""Rates of passed cases, and the same as Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from regression_checks import CHECKS, EMPTY, Case

from mltranslate import Translation

NINE = ("en", "zh", "de", "fr", "es", "ru", "it", "pt", "ja")
"""Languages of the set."""

Found = Sequence[tuple[Case, Translation, tuple[str, ...]]]


@dataclass(slots=True)
class Passed:
    """Cases that passed, out of all."""

    good: int = 0
    all: int = 0

    @property
    def percent(self) -> float:
        """Share of good ones; 100 when there are none at all."""
        return 100 * self.good / self.all if self.all else 100.0


def rates(found: Found, by: str) -> dict[str, Passed]:
    """Share of cases that passed, by "category", "direction" or "check".

    A case counts for a check if the check was made, and passes in the other two if every check did.
    """
    table: dict[str, Passed] = defaultdict(Passed)
    for case, _, wrong in found:
        for name, good in _votes(case, wrong, by):
            table[name].all += 1
            table[name].good += good
    return dict(table)


def markdown(found: Found) -> str:
    """Tables by category and source, by direction and by check, and the list of failures."""
    sources = [code for code in NINE if any(case.source == code for case, _, _ in found)]
    lines = ["| category | all | " + " | ".join(f"from {code}" for code in sources) + " |"]
    lines.append("|---" * (len(sources) + 2) + "|")
    for category in dict.fromkeys(case.category for case, _, _ in found):
        rows = [one for one in found if one[0].category == category]
        cells = [_cell(rows), *(_cell(one for one in rows if one[0].source == s) for s in sources)]
        lines.append(f"| {category} | " + " | ".join(cells) + " |")
    for by in ("direction", "check"):
        lines += ["", f"| {by} | passed |", "|---|---|"]
        for name, passed in rates(found, by).items():
            lines.append(f"| {name} | {_share(passed)} |")
    lines += ["", "| case | text | translation | failed |", "|---|---|---|---|"]
    lines += [
        f"| {case.name} → {case.target} | {_safe(case.text)} | {_safe(result.text)} "
        f"| {', '.join(wrong)} |"
        for case, result, wrong in found
        if wrong
    ]
    return "\n".join(lines)


def _votes(case: Case, wrong: Sequence[str], by: str) -> Iterable[tuple[str, bool]]:
    if by == "check":
        made = ("unchanged",) if case.category == EMPTY else tuple(CHECKS)
        if not case.words and case.category != EMPTY:
            made = tuple(name for name in made if name != "words")
        return [(name, name not in wrong) for name in made]
    return [(case.category if by == "category" else f"{case.source}-{case.target}", not wrong)]


def _cell(rows: Iterable[tuple[Case, Translation, tuple[str, ...]]]) -> str:
    passed = rates(list(rows), "category")
    return _share(next(iter(passed.values()))) if passed else "–"


def _share(passed: Passed) -> str:
    return f"{passed.good} of {passed.all}"


def _safe(text: str) -> str:
    return repr(text)[1:-1].replace("|", "\\|")
