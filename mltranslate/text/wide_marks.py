"""Marks of full width in Chinese and Japanese, as their typography has them.

They hold their own space, so that none stands beside them, and brackets open and close in one
width. Models trained on mixed text write "（2024 ）" and "(2024）".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mltranslate.text.gaps import wholes

_WIDE = frozenset(("zh", "ja"))
_CLOSING = "。，、；：！？）》」』】"
_OPENING = "（《「『【"
_SPACE = re.compile(
    rf"(?<=[^ ]) (?=[{_CLOSING}])|(?<=[{_OPENING}]) (?=[^ ])|(?<=[。，、；：]) (?=[^\W_])"
)
_MIXED = re.compile(r"\([^()（）]*）|（[^()（）]*\)")


def with_wide_marks(text: str, language: str, begun: int = 0) -> str:
    """Return `text` in `language` without spaces beside wide marks, its brackets in one width.

    A space after "！" and "？" stays, which Japanese sets. Nothing changes in other languages,
    before the offset `begun`, nor within links, code and markup.
    """
    if language.partition("-")[0] not in _WIDE:
        return text
    changes = dict(_changes(text, begun))
    if not changes:
        return text
    closed = {at for start, end in wholes(text) for at in range(start, end)}
    made = (char if at in closed else changes.get(at, char) for at, char in enumerate(text))
    return "".join(made)


def _changes(text: str, begun: int) -> Iterator[tuple[int, str]]:
    """Places of characters, and what they become."""
    for space in _SPACE.finditer(text, begun):
        yield space.start(), ""
    for pair in _MIXED.finditer(text, begun):
        yield pair.start(), "（"
        yield pair.end() - 1, "）"
