"""Words and short phrases, and the forms that people write them in: "Dog", "Dog." and "DOG"."""

from __future__ import annotations

import re
import unicodedata

from mltranslate.text.casing import capitalised

_MOST_CHARACTERS = 30
_MOST_UNSPACED = 8
"""Characters of a text without spaces between its words."""
_MOST_WORDS = 3
_MOST_SHORT = 4
"""Letters that an abbreviation has at most."""
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_INNER_CAPITAL = re.compile(r"\w*[a-z][A-Z]")
_WIDE = {".": "{}。", "!": "{}！", "?": "{}？"}
_ENDINGS = {
    "zh": _WIDE,
    "yue": _WIDE,
    "ja": _WIDE,
    "fr": {"!": "{} !", "?": "{} ?"},
    "es": {"!": "¡{}!", "?": "¿{}?"},
    "el": {"?": "{};"},
    "hi": {".": "{}।"},
    **{code: {"?": "{}؟"} for code in ("ar", "fa", "ur")},
}
"""How a language ends a sentence, where that is not the bare ASCII mark."""
_MARKS = {".": ".", "!": "!", "?": "?", "。": ".", "！": "!", "？": "?"}


def is_fragment(text: str) -> bool:
    """Whether it is a word or a few: short, nothing but letters, and no name like "iPhone"."""
    most = _MOST_CHARACTERS if text.isascii() or not _UNSPACED.search(text) else _MOST_UNSPACED
    return (
        0 < len(text) <= most
        and len(text.split()) <= _MOST_WORDS
        and all(character in " '’-" or _is_letter(character) for character in text)
        and _is_letter(text[-1])
        and not _INNER_CAPITAL.match(text)
    )


def may_be_abbreviation(text: str) -> bool:
    """Whether `text` is so few capitals that it may be another word than the same in small ones."""
    word = text.strip().rstrip(".!?。！？")
    return 1 < len(word) <= _MOST_SHORT and word.isupper()


def ended(text: str, mark: str, language: str) -> str:
    """Return `text` with a capital, and with ".", "!" or "?" behind it as the language sets it."""
    endings = _ENDINGS.get(language.partition("-")[0], {})
    return endings.get(mark, f"{{}}{mark}").format(capitalised(text, language))


def unended(text: str) -> tuple[str, str]:
    """Return a text without the mark at its end, and which it is; without one, as it is, and ""."""
    mark = _MARKS.get(text[-1:], "")
    return (text[:-1].rstrip().lstrip("¡¿"), mark) if mark else (text, "")


def _is_letter(character: str) -> bool:
    """Whether it is a letter or a mark on one."""
    return unicodedata.category(character)[0] in "LM"
