"""Abbreviations in Latin capitals ("DVD", "GDP", "MP3") within Chinese and Japanese."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mltranslate.text.protected import STAND_INS, Masked

_STAND_INS = STAND_INS[1]
"""Words that may be a subject or have an article: models build better sentences with them."""
_SAID_OTHERWISE = frozenset(
    ("APP", "CM", "EU", "NG", "OK", "PC", "SNS", "TV", "UK", "UN", "US", "USA", "WIFI")
)
"""What is rather named, or spelt, otherwise in the languages between which it is translated."""
_MOST = 20
"""Abbreviations that are looked for: a sentence with more is a list, or noise."""
_JOINTS = r"[-_.&]"
_ABBREVIATION = re.compile(
    rf"(?<![A-Za-z0-9])(?<![A-Za-z0-9]{_JOINTS})(?=[0-9]{{0,8}}[A-Z][0-9]{{0,8}}[A-Z])"
    rf"[A-Z0-9]{{2,12}}+(?!{_JOINTS}?[A-Za-z0-9])"
)


def abbreviations(text: str) -> tuple[str, ...]:
    """Return the first abbreviations of `text` that look the same in other languages, once each."""
    found = dict.fromkeys(_ABBREVIATION.findall(text))
    return tuple(one for one in found if one not in _SAID_OTHERWISE)[:_MOST]


def hide(sentence: str, words: Sequence[str]) -> Masked | None:
    """Put stand-ins in the places of the abbreviations `words`; None if it has none of them.

    Of one that comes several times the first is hidden, of more than there are stand-ins the first.
    """
    fresh = [word for word in _STAND_INS if word not in sentence]
    places = {one[0]: one for one in reversed(list(_ABBREVIATION.finditer(sentence)))}
    found = sorted((places[word] for word in words if word in places), key=re.Match.start)
    text, done = "", 0
    names = []
    for stand_in, one in zip(fresh, found, strict=False):
        text += sentence[done : one.start()] + stand_in
        names.append((stand_in, one[0]))
        done = one.end()
    if not names:
        return None
    return Masked(sentence, text + sentence[done:], tuple(names), marks=(), shouted=False)
