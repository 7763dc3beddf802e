"""Source code: signs that prose in no language has so densely."""

from __future__ import annotations

import re

from mltranslate.detect.features import ADDRESS

# Prose hardly has one of these: without them nothing below is looked for.
_ODD = re.compile(r"[{}<>=_|\\$;/\[(#]")  # or "--": an alternative would take twice the time
_CODE = re.compile(
    r"""
      (?P<sure> \{\s*$ | ;\s*\}\s*$ | \);\s*$                      # ends of a statement
        | <\?php | \b(?:CREATE\ TABLE|INSERT\ INTO|DELETE\ FROM)\b )
    | (?P<name> (?<![\#@\w])[a-z]+[A-Z]\w+ )                        # also those of brands
    | [{}]\s*$ | [)}\]"']; | \{\w+: | \$\{ | ["']\s*:              # blocks, statements, keys
    | [=!<>+*/%|:-]= | => | \w->\w | && | \|\| | \w::\w          # operators
    | [a-z_]\+\+[;)\s] | (?<=[\s(])!\w
    | \s=\s | \w=[\w"'\[{(] | \s[<>]\s
    | \(\) | \w\([^()\s]*\)(?=\s*\{|;\s*$|\.\w) | (?<=\w)\([\w"'&*]+[,=]    # calls
    | \w\[\w*\] | (?<![\#@\w])\w+_\w+ | \b\w+\.\w+\(         # names
    | (?<!\w)\$[A-Za-z_]\w*(?=[;:=)"'/\[\-]|$)
    | \blet\ mut\b | </?[a-z]\w*[\s>/] | /> | \\[nt"'] | \b[A-Z]:\\  # markup, escapes, paths
    | (?:^|\s)[~.]{0,2}/[\w.-]+ | \s--[a-z]
    | ^[ \t]*\#(?:include|define|ifn?def|endif)\b
    | ^[ \t]*(?:def|fn|func|class|function|struct|impl)\s+\w+\s*(?=[(:{<])
    | \b(?:SELECT|FROM|WHERE|INSERT|UPDATE|VALUES|JOIN)\b
    """,
    re.MULTILINE | re.VERBOSE | re.ASCII,
)
# "Hello {name}" is a sentence of a program, but no program.
_PLACEHOLDER = re.compile(r"(?<![\w$)=])\{{1,2}\w{1,64}\}{1,2}")
# Thai, Lao, Burmese, Khmer, kana and Han: no spaces between words.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff]")
_LETTERS_OF_A_WORD = 2
"""Of those, taken for one word."""
_LETTER = re.compile(r"[^\W\d_]")
_LOOKED_AT = 2000
"""Characters of a long text that are looked at."""
_WORDS_FOR_A_SIGN = 2
"""A text is code if it has one sign of it for so many words."""


def looks_like_code(text: str) -> bool:
    """Say whether signs of source code are too dense in `text` for it to be prose.

    One sign makes code of two words, which are what spaces part, and three signs of six: a
    sentence that names a file or a function stays a sentence. The end of a statement counts
    twice, names like "easyJet" only beside other signs, addresses and {placeholders} not at all.
    """
    # Most prose has none of these characters, and is done with after one look.
    if not (_ODD.search(text, 0, _LOOKED_AT) or "--" in text):
        return False
    head = _PLACEHOLDER.sub(" ", ADDRESS.sub(" ", text[:_LOOKED_AT]))
    found = [match.lastgroup for match in _CODE.finditer(head)]
    if not any(kind != "name" for kind in found):
        return False
    signs = len(found) + found.count("sure")
    words = sum(1 for word in head.split() if _LETTER.search(word))
    words += len(_UNSPACED.findall(head)) // _LETTERS_OF_A_WORD
    return words <= signs * _WORDS_FOR_A_SIGN
