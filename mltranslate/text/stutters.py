"""Words that a model says three times in a row, and its source does not: "1.85 m m m tall".

Too short for a loop of subwords (`mltranslate.guards`), and no translation has them otherwise.
"""

from __future__ import annotations

import re

_WORD = r"(?<!\w)(?P<word>[^\W\d_]{1,40}+(?:['’][^\W\d_]{1,40}+)?)"
_TWICE = re.compile(rf"{_WORD}\W{{1,3}}(?P=word)(?!\w)", re.IGNORECASE)
_STUTTER = re.compile(rf"{_WORD}(?:[ -](?P=word)){{2,}}+(?!\w)", re.IGNORECASE)


def without_stutters(text: str, source: str, begun: int = 0) -> str:
    """Return `text`, the translation of `source`, with one word for three or more of it in a row.

    Nothing changes where the source says a word twice in a row itself ("ha ha"), in scripts that
    set no spaces, and before the offset `begun`.
    """
    if not _STUTTER.search(text, begun) or _TWICE.search(source):
        return text
    return _STUTTER.sub(lambda found: found["word" if found.start() >= begun else 0], text)
