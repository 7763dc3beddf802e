"""Source code: signs that prose in no language has so densely."""

from __future__ import annotations

import re

# Prose hardly has one of these: without them nothing below can match.
_ODD = re.compile(r"[{}<>=_|\\$;/\[(#]|--")
_CODE = re.compile(
    r"""
      [{}]\s*$ | [)}\]"'\d]; | \{\w+[:}] | \$\{ | ["']\s*:      # blocks, statements, keys
    | [=!<>+*/%|-]= | => | \w->\w | && | \|\| | \w::\w          # operators
    | [a-z_]\+\+[;)\s]
    | \s=\s | \w=[\w"'\[{(] | \s[<>]\s
    | \(\) | \w\([^()\s]*\)\s*[:;{.] | (?<=\w)\([\w"'&*]+[,=]    # calls
    | \w\[\w*\] | \w+_\w+ | \b[a-z]+[A-Z]\w+ | \b\w+\.\w+\(      # names
    | </?\w+[\s>/] | /> | \\[nt"'] | \b[A-Z]:\\                  # markup, escapes, paths
    | (?:^|\s)[~.]{0,2}/[\w.-]+ | \w/[\w.-]+/\w | \s--[a-z]
    | ^\s*\#(?:include|define|ifn?def|endif)\b
    | ^\s*(?:def|fn|func|class|function|struct|impl)\s+\w+\s*(?=[(:{<])
    | \b(?:SELECT|FROM|WHERE|INSERT|UPDATE|VALUES|JOIN)\b
    """,
    re.MULTILINE | re.VERBOSE,
)
_LETTER = re.compile(r"[^\W\d_]")
_LOOKED_AT = 2000
"""Characters of a long text that are looked at."""
_WORDS_FOR_A_SIGN = 2
"""A text is code if it has one sign of it for so many words."""


def looks_like_code(text: str) -> bool:
    """Say whether signs of source code are too dense in `text` for it to be prose.

    One sign makes code of two words, which are what spaces part, and three signs of six: a
    sentence that names a file or a function stays a sentence.
    """
    # Most prose has none of these characters, and is done with after one look.
    if not _ODD.search(text, 0, _LOOKED_AT):
        return False
    head = text[:_LOOKED_AT]
    signs = sum(1 for _ in _CODE.finditer(head))
    words = sum(1 for word in head.split() if _LETTER.search(word))
    return signs > 0 and words <= signs * _WORDS_FOR_A_SIGN
