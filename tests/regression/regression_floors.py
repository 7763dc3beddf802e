"""Floors for a new pack, by the rule in docs/regression.md; none is lowered without a word."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from regression_table import Found, Passed, rates

KINDS = ("category", "direction", "check")
NEVER = {
    "category": frozenset({"empty"}),
    "check": frozenset({"not empty", "unchanged"}),
}
"""What may never fail: its floor is 100, whatever was measured."""

HEADER = """\
# Least percentage of the cases that must pass, for the packs that ship, together.
# Raise a floor when better packs ship; lower one only for a reason that the commit gives.
# How far they lie below what was measured: docs/regression.md.

"""

Floors = Mapping[str, Mapping[str, float]]


def slack(cases: int) -> int:
    """Cases that a floor lies below what was measured: what chance and other kernels may cost.

    It grows as the standard deviation of a number of failures does: 1 of 12, 2 of 34, 5 of 192.
    """
    return max(1, round(math.sqrt(cases) / 3))


def floor_of(kind: str, name: str, passed: Passed) -> float:
    """The floor of one rate, in whole percent."""
    if name in NEVER.get(kind, ()):
        return 100.0
    return float(max(0, 100 * (passed.good - slack(passed.all)) // passed.all))


def proposal(found: Found, present: Floors) -> str:
    """Floors for a pack as TOML; every one below its present floor has a comment that says so."""
    blocks = [f"{HEADER}[default]", *(f"{kind} = {present['default'][kind]}" for kind in KINDS)]
    for kind in KINDS:
        blocks += ["", f"[{kind}]", *_lines(found, kind, present)]
    return "\n".join(blocks) + "\n"


def lowered(found: Found, present: Floors) -> list[str]:
    """Every floor that the proposal lowers, in words."""
    return [
        f"{kind} {name}: {old} -> {new}"
        for kind in KINDS
        for name, new, old in _floors(found, kind, present)
        if new < old
    ]


def _lines(found: Found, kind: str, present: Floors) -> Iterator[str]:
    for name, new, old in _floors(found, kind, present):
        key = name if name.replace("-", "").isalnum() else f'"{name}"'
        yield f"{key} = {new}" + (f"  # lowered from {old}" if new < old else "")


def _floors(found: Found, kind: str, present: Floors) -> Iterator[tuple[str, float, float]]:
    """Name, new and present floor of all rates of a kind."""
    for name, passed in rates(found, kind).items():
        old = present[kind].get(name, present["default"][kind])
        yield name, floor_of(kind, name, passed), old
