"""Copies of words and short phrases as people also write them: "Dog", "Dog." and "DOG".

Dictionaries and phrase lists give "dog" alone, and a model that has learnt it only so does not know
the others.
"""

from __future__ import annotations

import random

from mltranslate.text.casing import capitalised, raised
from mltranslate.text.fragments import ended
from mltranslate_train.data.shards import Way

_FORMS = ("capital", "upper", ".", "!", "?")
_SHARES = (0.4, 0.15, 0.2, 0.125, 0.125)


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
    one, two = map(ended, (first, second), (form, form), languages)
    return one, two, "both"


def cased(first: str, second: str, one: str, two: str) -> tuple[str, str, Way]:
    """Both sides in another case, to be learnt from those that it changed."""
    if (one == first) == (two == second):
        return one, two, "both"
    return one, two, "backward" if one == first else "forward"
