"""The languages that the project knows by name, and how a user's spelling of one is understood.

A pack may offer any subset of them. To add a language, add one row to `_TABLE` (and, if its
sentences end in a way of their own, one entry to `mltranslate.text.rules`).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from mltranslate.errors import LanguageError

_NAMED = 20
"""Codes that an error names at most: the detector alone knows about two hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language: ISO 639-1 code, names, and how it is written."""

    code: str
    name: str
    """English name."""
    endonym: str
    """The language's name in the language itself."""
    script: str
    """ISO 15924 code of the usual script."""
    rtl: bool = False
    """True when it is written from right to left."""
    spaced: bool = True
    """True when sentences are set apart by a space; Chinese and Japanese use none."""


_TABLE = (
    Language(code="en", name="English", endonym="English", script="Latn"),
    Language(code="zh", name="Chinese", endonym="中文", script="Hans", spaced=False),
    Language(code="de", name="German", endonym="Deutsch", script="Latn"),
    Language(code="fr", name="French", endonym="Français", script="Latn"),
    Language(code="es", name="Spanish", endonym="Español", script="Latn"),
    Language(code="ru", name="Russian", endonym="Русский", script="Cyrl"),
    Language(code="it", name="Italian", endonym="Italiano", script="Latn"),
    Language(code="pt", name="Portuguese", endonym="Português", script="Latn"),
    Language(code="ja", name="Japanese", endonym="日本語", script="Jpan", spaced=False),
    Language(code="ko", name="Korean", endonym="한국어", script="Kore"),
    Language(code="nl", name="Dutch", endonym="Nederlands", script="Latn"),
    Language(code="tr", name="Turkish", endonym="Türkçe", script="Latn"),
    Language(code="uk", name="Ukrainian", endonym="Українська", script="Cyrl"),
    Language(code="ar", name="Arabic", endonym="العربية", script="Arab", rtl=True),
    Language(code="pl", name="Polish", endonym="Polski", script="Latn"),
)

_ALIASES = {
    "mandarin": "zh",
    "simplified chinese": "zh",
    "chinese (simplified)": "zh",
    "简体中文": "zh",
    "汉语": "zh",
    "漢語": "zh",
    "castilian": "es",
    "castellano": "es",
    "brazilian portuguese": "pt",
    "flemish": "nl",
    "zho": "zh",
    "chi": "zh",
    "cmn": "zh",
    "eng": "en",
    "deu": "de",
    "ger": "de",
    "fra": "fr",
    "fre": "fr",
    "spa": "es",
    "rus": "ru",
    "ita": "it",
    "por": "pt",
    "jpn": "ja",
    "kor": "ko",
    "nld": "nl",
    "dut": "nl",
    "tur": "tr",
    "ukr": "uk",
    "ara": "ar",
    "pol": "pl",
}

LANGUAGES: dict[str, Language] = {language.code: language for language in _TABLE}
"""Every known language by its code, in the project's order."""


def describe(code: str) -> Language:
    """Return what is known of `code`; a pack's unknown code is shown under the code itself."""
    known = LANGUAGES.get(code)
    return known or Language(code=code, name=code, endonym=code, script="Zyyy")


def is_spaced(code: str) -> bool:
    """Return True when the language sets a space between two sentences."""
    return describe(code).spaced


def is_rtl(code: str) -> bool:
    """Return True when the language is written from right to left."""
    return describe(code).rtl


def resolve(spelling: str, offered: Iterable[str] | None = None) -> str:
    """Return the code of the language that a user means by `spelling`.

    Codes, English names, endonyms and region or script variants ("pt-BR", "zh_Hans") are
    understood, whatever their case and accents. A code in `offered`, a pack's own list, is
    always accepted, exact variants first.

    Raises LanguageError, which names the nearest known spelling, when nothing matches, and when
    `offered` is given and lacks the language.
    """
    offers = None if offered is None else tuple(offered)
    wanted = _fold(spelling)
    for code in offers or ():
        if _fold(code) == wanted:
            return code
    names = _spellings()
    code = names.get(wanted) or names.get(wanted.split("-")[0]) or ""
    if not code:
        raise LanguageError(
            f"unknown language {spelling!r}",
            why=_nearest(wanted),
            fix=_offer(tuple(LANGUAGES) if offers is None else offers),
        )
    if offers is not None and code not in offers:
        raise LanguageError(f"{describe(code).name} ({code}) is not offered", fix=_offer(offers))
    return code


def _fold(spelling: str) -> str:
    """Case, accents, outer space and the choice of "_" or "-" do not matter."""
    plain = unicodedata.normalize("NFKD", spelling.strip().replace("_", "-").casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


@cache
def _spellings() -> dict[str, str]:
    rows = [(text, lang.code) for lang in _TABLE for text in (lang.name, lang.endonym, lang.code)]
    return {_fold(text): code for text, code in [*_ALIASES.items(), *rows]}


def _nearest(wanted: str) -> str:
    """Name the known language whose spelling is closest."""
    names = _spellings()
    close = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    if not close:
        return "no known language has a similar name"
    code = names[close[0]]
    return f"the nearest is {describe(code).name} ({code})"


def _offer(codes: Iterable[str]) -> str:
    """Name what can be chosen, the first of many."""
    named = list(codes)
    first, more = named[:_NAMED], len(named) - _NAMED
    return "Choose one of: " + ", ".join(first) + (f" and {more} others" if more > 0 else "")
