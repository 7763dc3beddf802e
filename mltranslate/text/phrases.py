"""Phrases as they are looked up, in whatever form they were written, and put into that form."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from mltranslate.text.casing import capitalised, raised, small_letters
from mltranslate.text.fragments import ended, unended

_MARKS = ".!?。！？"
_END = f"{_MARKS} \u00a0\u202f"
_ASKING = tuple(f"{polite}か" for polite in ("です", "ます", "ません", "でしょう", "ました"))
"""How Japanese questions end, which are usually written with a full stop."""
_QUOTED = re.compile('(["“„”«»「『]\\s*)([^"“„”«»「」『』]+?)(\\s*["“”«»」』])')
_ASKING_ENDS = {"zh": ("吗", "呢", "吗?", "呢?"), "ja": ("か", "か?")}
_ASKING_WORDS = {
    "en": "who what where when why how which whose is are am was were do does did can could may"
    " might would will shall should have has where's what's who's how's",
    "de": "wer wen wem was wo wann warum wie wohin woher welche welcher welches",
    "fr": "où comment pourquoi combien qui quel quelle quels quelles est-ce",
    "es": "qué cómo dónde adónde cuándo cuánto cuánta cuántos cuántas quién cuál",
    "it": "dove com'è dov'è cos'è come cosa chi quanto quanta quanti quante",
    "pt": "onde quem quanto quanta quantos quantas qual quais",
    "ru": "где куда откуда почему зачем кто сколько",
}
"""With which a text begins that is a question, if it is one of a phrasebook."""
_TO_ASCII = str.maketrans("。！？", ".!?")
_TO_WIDE = str.maketrans(".!?", "。！？")
_TRAILING_OFF = ("..", "…", "。。")
"""What ends a text that goes on, and says something else than the same without it."""


class Doubt(Enum):
    """Why what was found may not be what was meant."""

    NONE = "none"
    NAME = "name"
    """A word with a capital, and the phrasebook has it without: it may be a name."""
    WORD = "word"
    """Another word, perhaps: by its capital, or an abbreviation, or a noun that is called out."""
    QUESTION = "question"
    """A statement, perhaps: it has no mark, and the phrasebook has it as a question."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a text is in the target language."""

    texts: tuple[str, ...] = ()
    """In the form of the text, in the phrasebook's order; several where it is several."""
    doubt: Doubt = Doubt.NONE


def key(text: str, language: str) -> str:
    """Return by what `text` is found, in small letters: all stops are one, and so is none.

    It is "" for what trails off, and so says something else.
    """
    line = one_line(text)
    return "" if line.endswith(_TRAILING_OFF) else key_of_line(line, language)


def key_of_line(line: str, language: str) -> str:
    """Return by what a phrase is found that is one line in composed characters."""
    small = small_letters(line.replace("’", "'"), language)
    bare = small.rstrip(_END)
    run = small[len(bare) :]
    asks = "?" in run or "？" in run or bare.endswith(_ASKING)
    return f"{bare}?".lstrip("¡¿ ") if asks else bare.lstrip("¡¿ ")


def unquoted(text: str) -> tuple[str, str, str]:
    """Return a text without the quotation marks around all of it, and these; "" where none are."""
    found = _QUOTED.fullmatch(text)
    return (found[2], found[1], found[3]) if found else (text, "", "")


def one_line(text: str) -> str:
    """Return `text` in composed characters, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def mark_of(text: str) -> str:
    """Return "?", "!" or "." by what is at the end of a phrase; "" where there is nothing."""
    run = _run(text)
    asks = "?" in run or (run and text.rstrip(_MARKS).endswith(_ASKING))
    return "?" if asks else run[-1:]


def asks_without_mark(text: str, language: str) -> bool:
    """Whether the words of `text` alone show that it is a question."""
    line = key_of_line(one_line(text), language)
    words = _ASKING_WORDS.get(language, "").split()
    return line.endswith(_ASKING_ENDS.get(language, ())) or line.partition(" ")[0] in words


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
