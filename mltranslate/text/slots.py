"""Phrases with a place for a name, and the texts that may be found by them: "Dear Mr. {}"."""

from __future__ import annotations

import re
from collections.abc import Iterator

SLOT = "{}"
"""What stands for the name in a phrase."""

_MOST_WORDS = 3
"""Words of a name."""
_MOST_CHARACTERS = 80
_NAME = re.compile(r"[A-Z\u00c0-\u00de\u0100-\u024f][A-Za-z\u00c0-\u024f'’.-]{0,30}")
"""A word of a name in Latin letters: in another script it would be written otherwise."""
_END = re.compile(r"[ \u00a0\u202f]?[.!?]{0,3}\Z")
_TITLES = frozenset({
    "mr", "mrs", "ms", "miss", "dr", "prof", "family", "herr", "frau", "familie", "monsieur",
    "madame", "docteur", "docteure", "famille", "señor", "señora", "sr", "sra", "doctor", "doctora",
    "familia", "signor", "signora", "sig", "dottor", "dottoressa", "famiglia", "senhor", "senhora",
    "doutor", "doutora", "família",
})  # fmt: skip


def frames(text: str) -> Iterator[tuple[str, str]]:
    """Yield phrases with a slot that `text` may be, and the name in it, the shortest name first."""
    if len(text) > _MOST_CHARACTERS or SLOT in text:
        return
    end = _END.search(text)
    body = text[: end.start()] if end else text
    words = body.split(" ")
    for count in range(1, min(_MOST_WORDS, len(words) - 1) + 1):
        if not _NAME.fullmatch(words[-count]):
            return
        frame = " ".join([*words[:-count], SLOT])
        yield frame + text[len(body) :], " ".join(words[-count:])


def is_titled(frame: str) -> bool:
    """Whether a title comes before the slot, so that a word of the language is a name there."""
    before = frame.partition(SLOT)[0].split()
    return bool(before) and before[-1].rstrip(".").lower() in _TITLES
