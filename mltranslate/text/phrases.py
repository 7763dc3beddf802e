"""Phrases as they are looked up, in whatever form they were written, and put into that form."""

from __future__ import annotations

import re
import unicodedata

from mltranslate.text.casing import capitalised, raised, small_letters
from mltranslate.text.fragments import ended, unended

_MARKS = ".!?。！？"
_ENDS = re.compile(f"[{_MARKS}]+$", re.MULTILINE)
_FRENCH_SPACES = re.compile(f"[ \u00a0\u202f]+(?=[{_MARKS}])")
_ASKING = re.compile("((?:です|ます|ません|でしょう|ました)か)$", re.MULTILINE)
"""A Japanese question, which is usually written with a full stop."""
_OPENING = re.compile("^[¡¿ ]+", re.MULTILINE)
_TO_ASCII = str.maketrans("。！？", ".!?")
_TO_WIDE = str.maketrans(".!?", "。！？")
_TRAILING_OFF = ("..", "…", "。。")
"""What ends a text that goes on, and says something else than the same without it."""


def keys(lines: str, language: str) -> list[str]:
    """Return by what each of `lines` is found, in small letters: all stops are one, no mark too."""
    lines = _FRENCH_SPACES.sub("", lines.replace("’", "'").replace("ʼ", "'"))
    lines = _ENDS.sub(_mark_of_question, lines)
    lines = _OPENING.sub("", _ASKING.sub(r"\1?", lines))
    return small_letters(lines, language).split("\n")


def key(text: str, language: str) -> str:
    """Return by what `text` is found; "" for what trails off, and so says something else."""
    line = one_line(text)
    return "" if line.endswith(_TRAILING_OFF) else keys(line, language)[0]


def one_line(text: str) -> str:
    """Return `text` in composed characters, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def mark_of(text: str) -> str:
    """Return "?", "!" or "." by what is at the end of a phrase; "" where there is nothing."""
    run = _run(text)
    if "?" in run or _ASKING.search(text.rstrip(_MARKS)):
        return "?"
    return run[-1:]


def in_form(translation: str, phrase: str, asked: str, language: str) -> str:
    """Return the `translation` of a `phrase` in the form in which the phrase was `asked` for.

    That is its capital, or capitals throughout, and the marks at its end. A question stays one.
    """
    phrase, asked = phrase.strip(), asked.strip()
    text = _marked(translation, mark_of(phrase), mark_of(asked), language)
    run = _run(asked)
    if len(run) > 1 and text[-1:] in _MARKS and _run(phrase) != run:
        text = text.rstrip(_MARKS) + (run if text[-1:].isascii() else run.translate(_TO_WIDE))
    if asked.isupper() and not phrase.isupper() and len(asked) > 1:
        return raised(text, (), language)
    if asked[:1].isupper() and phrase[:1].islower():
        return capitalised(text, language)
    return text


def _run(text: str) -> str:
    """All marks at the end, in ASCII."""
    return text[len(text.rstrip(_MARKS)) :].translate(_TO_ASCII)


def _mark_of_question(found: re.Match[str]) -> str:
    return "?" if "?" in found[0] or "？" in found[0] else ""


def _marked(translation: str, known: str, asked: str, language: str) -> str:
    """The translation of a phrase with the mark `known`, where `asked` is at the end."""
    if known == asked or (known == "?" and not asked):
        return translation
    text, own = unended(translation)
    if not known and own:  # of an abbreviation
        return translation
    if set("¡¿") & set(text):  # its mark belongs to one that stands within
        return translation
    return ended(text, asked, language) if asked else text
