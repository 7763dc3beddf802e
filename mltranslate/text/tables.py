"""Cells of tables: text between tabs, wide gaps and bars, each with sentences of its own.

Every line is looked at by itself, so that a table comes out alike as a whole and line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from mltranslate.text.items import unbroken

_CELL = re.compile(r"(?:[^\t ]| (?! {3}))++")
_FRAMED_CELL = re.compile(r"(?:\\\||[^\t |｜]| (?! {3}))++")
_TOGETHER = "|".join(
    (
        r"(?<!`)`++[^`]*+`++",
        r"\((?:[^()]++|\([^()]*+\))*+\)",
        r"\[(?:[^\[\]]++|\[[^\[\]]*+\])*+\]",
        r"\{(?:[^{}]++|\{[^{}]*+\})*+\}",
        r"（[^（）]*+）|「[^「」]*+」",
        r"“[^“”]*+”|„[^„“”]*+[“”]|«[^«»]*+»|»[^«»]*+«",
        r"(?<!\w)\"[^\"]*+\"",
    )
)
"""Code, brackets (in one more pair at most) and quotes: a bar in them is no border."""
_LEADER = re.compile(
    r"(?<![.…·])(?<![.…·] )(?:(?:\. ?){4,}+|(?:· ?){4,}+|…{3,}+|…{2}(?=[ \t]*+\d))"
    r"[ \t]*+(?:\d{1,5}|[ivxlc]{1,7})?\s*+\Z"
)
"""Dots that lead to a page number, or to be written on, at the end of a line."""
_BORDER = re.compile(rf"{_TOGETHER}|(?P<bar>｜|(?<!\S)\|(?!\S))")


def cells(line: str, begin: int) -> Iterator[tuple[int, int]]:
    r"""Yield where the cells of `line` from `begin` on start and end.

    In a line that begins and ends with a bar, every bar but `\|` is a border; in others those with
    a blank or nothing on both sides, but for "P(A | B)". A full-width bar always is one. Code, tags
    and targets of links are never cut at a gap, and at a bar only in a line of the first sort.
    """
    framed = _is_framed(line)
    found = list(_between_borders(line, begin, framed=framed))
    whole = unbroken(line, begin) if len(found) > 1 else set()
    start = found[0][0] if found else begin
    for (_, end), (following, _) in pairwise(found):
        if end not in whole or (framed and not line[end:following].isspace()):
            yield start, end
            start = following
    if found:
        yield start, found[-1][1]


def before_leader(line: str, start: int, end: int) -> int:
    """Return where the text of a cell ends, if dots lead to a number behind it; else `end`."""
    found = _LEADER.search(line, start, end)
    return found.start() if found else end


def _between_borders(line: str, begin: int, *, framed: bool) -> Iterator[tuple[int, int]]:
    if framed:
        yield from (match.span() for match in _FRAMED_CELL.finditer(line, begin))
        return
    start = begin
    for end, following in (*_borders(line, begin), (len(line), len(line))):
        yield from (match.span() for match in _CELL.finditer(line, start, end))
        start = following


def _borders(line: str, begin: int) -> Iterator[tuple[int, int]]:
    if "|" in line or "｜" in line:
        for match in _BORDER.finditer(line, begin):
            if match["bar"]:
                yield match.span()


def _is_framed(line: str) -> bool:
    row = line.strip().lstrip("> \t")
    return len(row) > 1 and row.startswith("|") and row.endswith("|")
