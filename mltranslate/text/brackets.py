"""Brackets in pairs of one kind: models open with one and close with another, as in "(door]"."""

from __future__ import annotations

import re

_MIXED = re.compile(r"\([^()\[\]]*\]|\[[^()\[\]]*\)")
_SQUARE = re.compile(r"[\[\]]")
_ROUND = re.compile(r"[()]")


def with_paired_brackets(text: str, source: str, begun: int = 0) -> str:
    """Return `text` with its mixed pair in the brackets of its `source`.

    Only where the source has one sort alone, and behind the offset `begun`.
    """
    found = _MIXED.search(text, begun)
    square, round_ = bool(_SQUARE.search(source)), bool(_ROUND.search(source))
    if not found or square == round_:
        return text
    opening, closing = "[]" if square else "()"
    inside = text[found.start() + 1 : found.end() - 1]
    return f"{text[: found.start()]}{opening}{inside}{closing}{text[found.end() :]}"
