"""Phrases with a place for a name, and the texts that may be found by them: "Dear Mr. {}"."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

SLOT = "{}"
"""What stands for the name in a phrase; one that begins with it and a blank is a given name."""

_MOST_WORDS = 3
"""Words of a name."""
_MOST_CHARACTERS = 80
_NAME = re.compile(r"[A-Z\u00c0-\u00de\u0100-\u024f][A-Za-z\u00c0-\u024f'’.-]{0,30}")
"""A word of a name in Latin letters: in another script it would be written otherwise."""
_END = re.compile(r"[ \u00a0\u202f]?[.!?]{0,3}\Z")
_MOST_COMMAS = 2
_COMMA = re.compile(r",(?=[ \u00a0])|[，、]")
_TITLES = frozenset({
    "mr", "mrs", "ms", "miss", "dr", "prof", "family", "herr", "frau", "familie", "monsieur",
    "madame", "docteur", "docteure", "famille", "señor", "señora", "sr", "sra", "doctor", "doctora",
    "familia", "signor", "signora", "sig", "dottor", "dottoressa", "famiglia", "senhor", "senhora",
    "doutor", "doutora", "família",
})  # fmt: skip

_GREETINGS = {
    "en": r"(?:dear|hi|hello|hey|good (?:morning|afternoon|evening|day)) ",
    "de": r"(?:liebe[rs]?|sehr geehrte[rs]?|hallo|hi|guten (?:morgen|tag|abend)) ",
    "fr": r"(?:ch[eè]re?s?|bonjour|bonsoir|salut|madame|mesdames|messieurs)[ ,]",
    "es": r"(?:querid[oa]s?|estimad[oa]s?|hola|buen[oa]s (?:días|tardes|noches)) ",
    "ru": r"(?:дорог(?:ой|ая|ие)|уважаем(?:ый|ая|ые)|добр(?:ый|ое)|здравствуйте|привет|всем) ",
    "it": r"(?:car[oaie]|gentil[ei]|egregi[oa]?|ciao|salve|buon(?:giorno|asera)) ",
    "pt": r"(?:car[oa]s?|prezad[oa]s?|querid[oa]s?|estimad[oa]s?|olá|oi|bom dia|boa tarde) ",
    "zh": "尊敬的|亲爱的|各位|大家",
    "ja": "皆様|皆さん|各位|親愛なる",
}
"""Words with which salutations begin."""


def frames(text: str) -> Iterator[tuple[str, str]]:
    """Yield phrases with a slot that `text` may be, and the name in it, the shortest name first."""
    if len(text) > _MOST_CHARACTERS or SLOT in text:
        return
    end = _END.search(text)
    body = text[: end.start()] if end else text
    words = body.split(" ")
    for count in range(1, min(_MOST_WORDS, len(words) - 1) + 1):
        if not _NAME.fullmatch(words[-count]):
            return
        frame = " ".join([*words[:-count], SLOT])
        yield frame + text[len(body) :], " ".join(words[-count:])


def commas(text: str) -> Iterator[int]:
    """Yield where a phrase may end that `text` begins with: before its first commas."""
    found = _COMMA.finditer(text, 0, _MOST_CHARACTERS)
    return (comma.start() for comma in itertools.islice(found, _MOST_COMMAS))


def named(name: str) -> str:
    """Return by what a given name is found: what stands for the family name before it."""
    return f"{SLOT} {name}"


def greets(text: str, language: str) -> bool:
    """Whether a phrase of this language begins with a word of greeting."""
    words = _GREETINGS.get(language)
    return words is not None and re.match(words, text, re.IGNORECASE) is not None


def is_titled(frame: str) -> bool:
    """Whether a title comes before the slot, so that a word of the language is a name there."""
    before = frame.partition(SLOT)[0].split()
    return bool(before) and before[-1].rstrip(".").lower() in _TITLES
