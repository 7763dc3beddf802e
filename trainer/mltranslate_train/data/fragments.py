"""Words and short phrases as people also write them: "Dog", "Dog." and "DOG".

Dictionaries and phrase lists give "dog" alone, and a model that has learnt it only so does not know
the others.
"""

from __future__ import annotations

import random

from mltranslate_train.data.shards import Way

_MOST_CHARACTERS = 30
_MOST_WORDS = 3
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
    "hy": {".": "{}։"},
    **{code: {"?": "{}؟"} for code in ("ar", "fa", "ur")},
}
"""How a language ends a sentence, where that is not the bare ASCII mark."""


def is_fragment(text: str) -> bool:
    """Whether it is a word or a few: short, and with a letter at its end."""
    return (
        len(text) <= _MOST_CHARACTERS
        and len(text.split()) <= _MOST_WORDS
        and text[-1:].isalpha()
        and "¡" not in text
        and "¿" not in text
    )


def other_form(
    first: str, second: str, languages: tuple[str, str], rng: random.Random
) -> tuple[str, str, Way]:
    """Both sides in another form alike, and the directions that it teaches.

    A form is learnt from a side that shows it: Chinese has no capitals, but it has stops.
    """
    (form,) = rng.choices(_FORMS, _SHARES)
    if form in ("capital", "upper"):
        change = str.upper if form == "upper" else _capitalised
        return cased(first, second, change(first), change(second))
    one, two = (
        _ENDINGS.get(language, {}).get(form, f"{{}}{form}").format(_capitalised(text))
        for text, language in zip((first, second), languages, strict=True)
    )
    return one, two, "both"


def cased(first: str, second: str, one: str, two: str) -> tuple[str, str, Way]:
    """Both sides in another case, to be learnt from those that it changed."""
    if (one == first) == (two == second):
        return one, two, "both"
    return one, two, "backward" if one == first else "forward"


def _capitalised(text: str) -> str:
    """With its first letter in upper case, the rest as it is; "ß" and the like stay."""
    head = text[:1].upper()
    return head + text[1:] if len(head) == 1 else text
