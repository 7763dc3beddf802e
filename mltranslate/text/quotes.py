"""Quotation marks in pairs: models trained on many styles open with one and close with another."""

from __future__ import annotations

import re

_MARK = re.compile('["“”„«»]')
_PAIRS = frozenset(('""', "“”", "„“", "„”", "«»", "»«"))
_GERMAN, _ANGLES, _ENGLISH = "„“", "«»", "“”"


def with_paired_quotes(text: str, language: str, begun: int = 0) -> str:
    """Return `text` in `language` with its one quotation in two marks of a kind.

    Only where it has two such marks and they are no pair, as in "»yes“", and behind the offset
    `begun`. The language decides for German, elsewhere whether one of them is an angle.
    """
    marks = list(_MARK.finditer(text))
    if len(marks) != 2 or marks[0].start() < begun:
        return text
    first, last = marks
    found = first[0] + last[0]
    if found == _ANGLES and language.partition("-")[0] == "fr":
        return _with_even_gaps(text, first.end(), last.start())
    if found in _PAIRS or last.start() - first.end() < 1:
        return text
    if (base := language.partition("-")[0]) == "de":
        pair = _GERMAN
    else:
        pair = _ANGLES if set(found) & set(_ANGLES) else _ENGLISH
    within = text[first.end() : last.start()]
    if base == "fr" and pair == _ANGLES:
        within = f" {within.strip()} "
    return f"{text[: first.start()]}{pair[0]}{within}{pair[1]}{text[last.end() :]}"


def _with_even_gaps(text: str, start: int, end: int) -> str:
    """A quotation with a space at both ends where there is one at one of them."""
    within = text[start:end]
    if not within.strip() or within[0].isspace() == within[-1].isspace():
        return text
    return f"{text[:start]} {within.strip()} {text[end:]}"
