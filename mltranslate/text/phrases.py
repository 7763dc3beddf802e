"""Phrases as they are looked up, in whatever form they were written, and put into that form."""

from __future__ import annotations

import re
import unicodedata

from mltranslate.text.casing import capitalised, raised
from mltranslate.text.fragments import ended, unended

_STOPS = re.compile("[ \u00a0\u202f]*[.!。！]+$", re.MULTILINE)
_QUESTION = re.compile("[ \u00a0\u202f]*[?？]+$", re.MULTILINE)
_OPENING = re.compile("^[¡¿ ]+", re.MULTILINE)
_ONE_APOSTROPHE = str.maketrans("’ʼ", "''")
_TRAILING_OFF = ("..", "…", "。。")
"""What ends a text that goes on, and says something else than the same without it."""
_MOST_SHORT = 4
"""Letters that an abbreviation has at most."""


def keys(lines: str) -> list[str]:
    """Return by what each of `lines` is found: all stops are one, and a question keeps its mark."""
    lines = _STOPS.sub("", lines.translate(_ONE_APOSTROPHE))
    return _OPENING.sub("", _QUESTION.sub("?", lines)).split("\n")


def key(text: str) -> str | None:
    """Return by what `text` is found; None for what trails off, and so says something else."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return None if line.endswith(_TRAILING_OFF) else keys(line)[0]


def may_be_abbreviation(text: str) -> bool:
    """Whether `text` is so few capitals that it may be another word than the same in small ones."""
    word = unended(text.strip())[0]
    return 1 < len(word) <= _MOST_SHORT and word.isupper()


def in_form(translation: str, phrase: str, asked: str, language: str) -> str:
    """Return the `translation` of a `phrase` in the form in which the phrase was `asked` for.

    That is its capital, or capitals throughout, and the mark at its end. A question stays one.
    """
    phrase, asked = phrase.strip(), asked.strip()
    text = _marked(translation, unended(phrase)[1], unended(asked)[1], language)
    if asked.isupper() and not phrase.isupper() and len(asked) > 1:
        return raised(text, (), language)
    if asked[:1].isupper() and phrase[:1].islower():
        return capitalised(text, language)
    return text


def _marked(translation: str, known: str, asked: str, language: str) -> str:
    """The translation of a phrase with the mark `known`, where `asked` is at the end."""
    if known == asked or (known == "?" and not asked):
        return translation
    text = unended(translation)[0]
    if set("¡¿") & set(text):  # its mark belongs to one that stands within
        return translation
    return ended(text, asked, language) if asked else text
