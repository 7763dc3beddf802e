"""Tables in Markdown: which lines are rows of one."""

from __future__ import annotations

import re
from collections.abc import Sequence

_DELIMITERS = re.compile(r"[ \t>]*+\|?(?:[ \t]*+:?-++:?[ \t]*+(?:\||(?=\s*\Z)))++\s*+")
"""The row between the head of a table and its body (GitHub Flavored Markdown 0.29, 4.10)."""


def table_rows(lines: Sequence[str]) -> frozenset[int]:
    """Return which of `lines` are rows of tables.

    That is each that begins and ends with a bar, the line above a row of delimiters ("--- | ---"),
    and those below it as long as they have a bar. Other bars set nothing apart: "P(A | B)".
    """
    rows: set[int] = set()
    in_body = False
    for place, line in enumerate(lines):
        if "|" not in line:
            in_body = False
        elif _DELIMITERS.fullmatch(line):
            in_body = True
            rows |= {place - 1, place} if place and "|" in lines[place - 1] else {place}
        elif in_body or _is_framed(line):
            rows.add(place)
    return frozenset(rows)


def _is_framed(line: str) -> bool:
    row = line.strip().lstrip("> \t")
    return len(row) > 1 and row.startswith("|") and row.endswith("|")
