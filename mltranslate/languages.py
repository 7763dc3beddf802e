"""The languages that the project knows by name, and how a user's spelling of one is understood.

A pack may offer any of them, or others. To name a language, add one row to
`mltranslate.language_table` (and, if its sentences end in a way of their own, one entry to
`mltranslate.text.rules`).
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import NamedTuple

from mltranslate import language_table
from mltranslate.errors import LanguageError

_NAMED = 20
"""Codes that an error names at most: the detector alone knows about two hundred."""
_NEAREST = 3
"""Languages that an error suggests at most."""
_SIMILAR = 0.6
"""Least similarity of a spelling that is suggested (difflib's ratio)."""

_RTL = frozenset({"Arab", "Hebr", "Nkoo", "Syrc", "Thaa"})
_UNSPACED = frozenset({"Hans", "Hant", "Jpan"})
# Compiled when they are first needed: every command imports this module.
_SUBTAGS = r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*"
"""Language, script, region and variants of a folded BCP 47 tag."""
_SEPARATORS = r"[\s_-]+"
_TYPED = str.maketrans(dict.fromkeys("'`’‘ʻʼ´", "") | {"ı": "i", "ł": "l", "ø": "o", "đ": "d"})
"""What people type who lack a letter."""
_HAN_REGIONS = dict.fromkeys(("CN", "SG"), "Hans") | dict.fromkeys(("TW", "HK", "MO"), "Hant")
_NO_REGION = "XX"
"""Of codes such as mBART's en_XX."""
_SCRIPT_PARTS = {"Hang": "Kore"}
"""A script that a larger one has as its usual part."""
_NEAR = {"no": "nb", "nb": "no", "tl": "fil", "fil": "tl"}
"""Codes of the same written language, under which packs offer it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language, or a variety of one: its code, names, and how it is written."""

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


class _Row(NamedTuple):
    """One row of the table."""

    language: Language
    codes: tuple[str, ...]
    names: tuple[str, ...]


def _language(code: str, name: str, endonym: str, script: str) -> Language:
    return Language(
        code=code,
        name=name,
        endonym=endonym,
        script=script,
        rtl=script in _RTL,
        spaced=script not in _UNSPACED,
    )


def _rows(table: str) -> Iterator[_Row]:
    for line in table.strip().splitlines():
        head, endonyms = line.split(" = ")
        code, others, script, names = head.split(" ", 3)
        every = (*names.split("|"), *endonyms.split("|"))
        language = _language(code, every[0], endonyms.split("|")[0], script)
        yield _Row(language, (code, *others.replace("-", "").split(",")), every)


LANGUAGES: dict[str, Language] = {
    row.language.code: row.language for row in _rows(language_table.MAIN)
}
"""The project's main languages by their codes, in its order; `describe` names many more."""


def describe(code: str) -> Language:
    """Return what is known of `code`; a pack's unknown code is shown under the code itself.

    Further codes of a language are understood, and varieties without a name of their own are
    called by language and part: "Kashmiri (Devanagari)", "German (LI)".
    """
    return LANGUAGES.get(code) or _described(code)


def is_spaced(code: str) -> bool:
    """Return True when the language sets a space between two sentences."""
    return describe(code).spaced


def is_rtl(code: str) -> bool:
    """Return True when the language is written from right to left."""
    return describe(code).rtl


def code_of(long: str) -> str:
    """Return the project's code of an ISO 639 code: "de" of "deu"; "" where it is not known."""
    return _codes().get(long, "")


def resolve(spelling: str, offered: Iterable[str] | None = None) -> str:
    """Return the code of the language that a user means by `spelling`.

    Codes (ISO 639-1, 639-2, 639-3), English names, endonyms and region or script variants
    ("pt-BR", "zh_Hans") are understood, whatever their case and accents. Without `offered` the
    answer is a language without its variety. Of `offered`, a pack's own list, the same code is
    taken first, then the same variety under another spelling, then the language as a whole
    (`asked_variety` tells), and for a plain language the usual or only variety on offer.

    Raises LanguageError, which names the nearest known spellings, when nothing matches, and when
    `offered` is given and lacks the language.
    """
    offers = None if offered is None else tuple(offered)
    wanted = _fold(spelling)
    for code in offers or ():
        if _fold(code) == wanted:
            return code
    tag = _known_tag(spelling, offers)
    if offers is None:
        return _base(tag)
    found = _among(tag, offers)
    if not found:
        raise LanguageError(f"{describe(tag).name} ({tag}) is not offered", fix=_offer(offers))
    return found


def tag_of(spelling: str) -> str:
    """Return the BCP 47 tag of the language or variety that a user means by `spelling`.

    Raises LanguageError as `resolve` does.
    """
    return _known_tag(spelling, None)


def covers(tag: str, code: str) -> bool:
    """Whether a text in `code` is one in `tag`: "pt-BR" in "pt", and no other way round.

    A language without its variety is in the one of its usual script, as in `resolve`: "zh" is in
    "zh-Hans".
    """
    known = _tag(_fold(code)) or code
    return f"{known}-".startswith(f"{tag}-") or tag == f"{known}-{describe(known).script}"


def asked_variety(spelling: str, code: str) -> str:
    """Return the BCP 47 tag that `spelling` asks for where `code` does not promise it, else "".

    `code` is what `resolve` made of it: "zh-Hant" for "zh_TW" and "zh", "" for "pt-BR" and
    "pt-BR". A region or script that a language has anyway (de-DE, ja-Jpan) asks for nothing.
    """
    tag, given = _tag(_fold(spelling)), _tag(_fold(code))
    return tag if tag != given and _base(tag) == given else ""


def _known_tag(spelling: str, offers: Sequence[str] | None) -> str:
    wanted = _fold(spelling)
    if tag := _tag(wanted):
        return tag
    raise LanguageError(
        f"unknown language {spelling!r}",
        why=_nearest(wanted, offers or ()),
        fix="Give its code, such as de, or its English name" if offers is None else _offer(offers),
    )


def _base(tag: str) -> str:
    return tag.partition("-")[0]


@lru_cache(maxsize=1024)
def _fold(spelling: str) -> str:
    """Case, accents, apostrophes, outer blanks and the choice of " ", "_" or "-" do not matter."""
    joined = re.sub(_SEPARATORS, "-", spelling.strip().casefold().translate(_TYPED))
    plain = unicodedata.normalize("NFKD", joined)
    return "".join(char for char in plain if not unicodedata.combining(char))


@cache
def _table() -> Mapping[str, _Row]:
    """Every row by its code; the whole table is read when it is first needed."""
    tables = (language_table.MAIN, language_table.OTHERS, language_table.VARIETIES)
    return {row.language.code: row for table in tables for row in _rows(table)}


@cache
def _scripts() -> Mapping[str, str]:
    """English names of scripts by their codes."""
    rows = language_table.SCRIPTS.strip().replace("\n", " ").split(", ")
    return {code: name for code, _, name in (row.partition(" ") for row in rows)}


@cache
def _homes() -> frozenset[str]:
    return frozenset(language_table.HOMES.split())


@cache
def _codes() -> Mapping[str, str]:
    """From every code in the table to that of its row."""
    rows = _table().values()
    return {code: row.language.code for row in rows for code in row.codes if code}


@cache
def _spellings() -> Mapping[str, str]:
    """From every folded spelling to the tag that it means; codes go before names."""
    found = {_fold(code): tag for code, tag in _codes().items()}
    for row in _table().values():
        for name in row.names:
            found.setdefault(_fold(name), row.language.code)
    return found


@lru_cache(maxsize=1024)
def _tag(folded: str) -> str:
    """Return the canonical tag of a folded spelling; "" when it is none of a known language."""
    names = _spellings()
    if folded in names:
        return names[folded]
    match = re.fullmatch(_SUBTAGS, folded)
    language = names.get(match[1], "") if match else ""
    if match is None or not language:
        return ""
    script, region = (match[2] or "").title(), (match[3] or "").upper()
    if script and script not in _scripts():
        return ""
    return _canonical(language, _SCRIPT_PARTS.get(script, script), region)


def _canonical(language: str, script: str, region: str) -> str:
    """Return the shortest tag that says the same."""
    if language == "zh":
        script, region = script or _HAN_REGIONS.get(region, ""), ""
    home = language.upper() == region or f"{language}-{region}" in _homes()
    region = "" if home or region == _NO_REGION else region
    tag = "-".join(filter(None, (language, script, region)))
    if tag not in _table() and script == describe(language).script:
        tag = "-".join(filter(None, (language, region)))
    return tag


@lru_cache(maxsize=1024)
def _described(code: str) -> Language:
    folded = _fold(code)
    tag = _tag(folded) if re.fullmatch(_SUBTAGS, folded) else ""
    if tag in _table():
        return replace(_table()[tag].language, code=code)
    if not tag:
        return _language(code, code, code, "Zyyy")
    language, *parts = tag.split("-")
    known = _table()[language].language
    told = ", ".join(_scripts().get(part, part) for part in parts)
    script = parts[0] if parts[0] in _scripts() else known.script
    return _language(code, f"{known.name} ({told})", f"{known.endonym} ({told})", script)


def _among(tag: str, offers: Sequence[str]) -> str:
    """Return the offered code that serves `tag`, or ""."""
    codes = {_tag(_fold(code)) or code: code for code in reversed(offers)}
    parts = tag.split("-")
    for count in range(len(parts), 0, -1):
        if found := codes.get("-".join(parts[:count])):
            return found
    if len(parts) > 1:
        return ""
    if found := codes.get(f"{tag}-{describe(tag).script}") or codes.get(_NEAR.get(tag, "")):
        return found
    varieties = [code for known, code in codes.items() if _base(known) == tag]
    return varieties[0] if len(varieties) == 1 else ""


def _nearest(wanted: str, offers: Sequence[str]) -> str:
    """Name the known languages whose spelling is closest, those on offer if any is close."""
    names = _spellings()
    offered = {_tag(_fold(code)) for code in offers}
    likely = [name for name, tag in names.items() if tag in offered]
    for choice in (likely, names):
        close = difflib.get_close_matches(wanted, choice, n=2 * _NEAREST, cutoff=_SIMILAR)
        if close:
            tags = list(dict.fromkeys(names[name] for name in close))[:_NEAREST]
            told = ", ".join(f"{describe(tag).name} ({tag})" for tag in tags)
            return f"the nearest {'is' if len(tags) == 1 else 'are'} {told}"
    return "no known language has a similar name"


def _offer(codes: Iterable[str]) -> str:
    """Name what can be chosen, the first of many."""
    named = list(codes)
    first, more = named[:_NAMED], len(named) - _NAMED
    return "Choose one of: " + ", ".join(first) + (f" and {more} others" if more > 0 else "")
