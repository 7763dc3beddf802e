"""Words and short phrases as people also write them: "Dog", "Dog." and "DOG".

Dictionaries and phrase lists give "dog" alone, and a model that has learnt it only so does not know
the others.
"""

from __future__ import annotations

import random
import re
import unicodedata

from mltranslate.text.casing import capitalised, raised
from mltranslate_train.data.shards import Way

_MOST_CHARACTERS = 30
_MOST_UNSPACED = 8
"""Characters of a text without spaces between its words."""
_MOST_WORDS = 3
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_INNER_CAPITAL = re.compile(r"\w*[a-z][A-Z]")
_FORMS = ("capital", "upper", ".", "!", "?")
_SHARES = (0.4, 0.15, 0.2, 0.125, 0.125)
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


def _is_letter(character: str) -> bool:
    """Whether it is a letter or a mark on one."""
    return unicodedata.category(character)[0] in "LM"


def other_form(
    first: str, second: str, languages: tuple[str, str], rng: random.Random
) -> tuple[str, str, Way]:
    """Both sides in another form alike, and the directions that it teaches.

    A form is learnt from a side that shows it: Chinese has no capitals, but it has stops. Where
    neither side has capitals, there is one copy in two.
    """
    (form,) = rng.choices(_FORMS, _SHARES)
    if form in ("capital", "upper"):
        one, two = (
            raised(text, (), code) if form == "upper" else capitalised(text, code)
            for text, code in zip((first, second), languages, strict=True)
        )
        return cased(first, second, one, two)
    one, two = map(_ended, (first, second), (form, form), languages)
    return one, two, "both"


def cased(first: str, second: str, one: str, two: str) -> tuple[str, str, Way]:
    """Both sides in another case, to be learnt from those that it changed."""
    if (one == first) == (two == second):
        return one, two, "both"
    return one, two, "backward" if one == first else "forward"


def _ended(text: str, mark: str, language: str) -> str:
    """With a capital, and with a mark at the end as the language sets it."""
    endings = _ENDINGS.get(language.partition("-")[0], {})
    return endings.get(mark, f"{{}}{mark}").format(capitalised(text, language))
