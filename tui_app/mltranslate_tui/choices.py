"""Which languages are chosen: defaults, swapping, and the search behind the pickers."""

from __future__ import annotations

import locale
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mltranslate.errors import LanguageError
from mltranslate.languages import Language, asked_variety, describe, resolve
from mltranslate.types import UNDETERMINED

AUTO = "auto"
"""The source choice that asks for detection."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Codes of the languages that something is translated from, and of those into."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language once."""
        return tuple(dict.fromkeys((*self.sources, *self.targets)))

    def has(self, pair: Pair) -> bool:
        """Whether both languages of a pair can be chosen where they are."""
        return pair.source in {AUTO, *self.sources} and pair.target in self.targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The chosen languages; `spare` is never the target and stands in where that is no use."""

    source: str
    target: str
    spare: str
    variety: str = ""
    """BCP 47 tag of the target's variety that was asked for and that no pack lists."""

    @property
    def asked(self) -> str:
        """Code of what to translate into: the variety, or the target as the packs have it."""
        return self.variety or self.target


def locale_language(environ: Mapping[str, str]) -> str:
    """Code of the language that the user's system speaks; empty when it does not tell."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(variable):
            break
    else:
        value = locale.getlocale()[0] or ""
    code = value.split(".")[0].split("_")[0].lower()
    return "" if code in {"c", "posix"} else code


def default_pair(
    languages: Sequence[str], *, source: str = AUTO, target: str | None = None, spoken: str = ""
) -> Pair:
    """Fill in what was not asked for: the language spoken here, then English, then any other."""
    wishes = [code for code in (target, spoken, "en", *languages) if code in languages]
    usable = [code for code in dict.fromkeys(wishes) if code is not None and code != source]
    first = usable[0] if usable else source
    return Pair(source=source, target=first, spare=usable[1] if len(usable) > 1 else source)


def first_pair(offer: Offer, source: str, target: str | None, *, spoken: str) -> Pair:
    """Return the pair to begin with, for wishes as users spell them.

    Raises LanguageError for a language that is not offered, or twice the same one.
    """
    source = AUTO if source.casefold() == AUTO else resolve(source, offer.sources)
    if target is None:
        return default_pair(offer.targets, source=source, spoken=spoken)
    code, variety = asked_target(target, offer.targets)
    if source == code:
        raise LanguageError(f"Source and target are both {describe(source).name}")
    pair = default_pair(offer.targets, source=source, target=code, spoken=spoken)
    return replace(pair, variety=variety)


def asked_target(spelling: str, offered: Iterable[str]) -> tuple[str, str]:
    """Return the offered code of a target, and the variety asked for beyond it, or "".

    Raises LanguageError for a language that is not offered.
    """
    code = resolve(spelling, offered)
    return code, asked_variety(spelling, code)


def opening_pair(
    offer: Offer, source: str, target: str | None, *, spoken: str
) -> tuple[Pair, LanguageError | None]:
    """Return what `first_pair` does; where it refuses, a pair with one wish or none, and why."""
    refusal: LanguageError | None = None
    for wish in ((source, target), (source, None), (AUTO, target)):
        try:
            return first_pair(offer, *wish, spoken=spoken), refusal
        except LanguageError as error:
            refusal = refusal or error
    return default_pair(offer.targets, spoken=spoken), refusal


def with_source(pair: Pair, code: str) -> Pair:
    """Translate from `code`; if that was the target, the two change places."""
    if code != pair.target:
        return replace(pair, source=code)
    target = pair.spare if pair.source == AUTO else pair.source
    return Pair(source=code, target=target, spare=pair.target)


def with_target(pair: Pair, code: str, variety: str = "") -> Pair:
    """Translate into `code`; if that was the source, the two change places."""
    if code == pair.target:
        return replace(pair, variety=variety)
    source = pair.target if code == pair.source else pair.source
    return Pair(source=source, target=code, spare=pair.target, variety=variety)


def swapped(pair: Pair, detected: str | None) -> Pair:
    """Exchange the languages, with the detected one standing in for `AUTO`.

    A text that is already in the target language, or in none, goes into the spare one instead.
    """
    source = detected if pair.source == AUTO else pair.source
    if source is None or source in {pair.target, UNDETERMINED}:
        return replace(pair, target=pair.spare, spare=pair.target, variety="")
    return Pair(
        source=pair.target,
        target=source,
        spare=pair.target if pair.spare == source else pair.spare,
    )


def fold(text: str) -> str:
    """Reduce to what people type when they search: no case, no diacritics."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).strip()


def matching(query: str, languages: Iterable[Language]) -> list[Language]:
    """Languages whose code, English name or own name holds `query`, the best match first.

    An exact code or a known alias ("Mandarin") wins, then names that begin with the query, then
    those that hold it.
    """
    offered = list(languages)
    wanted = fold(query)
    exact = _exact(query, offered)
    ranked = ((0 if lang.code == exact else _rank(wanted, lang), lang) for lang in offered)
    found = [(rank, language) for rank, language in ranked if rank is not None]
    return [language for _, language in sorted(found, key=lambda item: item[0])]


def variety_meant(query: str, languages: Sequence[Language]) -> Language | None:
    """Return the variety of one of `languages` that `query` spells out and they lack, or None."""
    codes = [language.code for language in languages]
    code = _exact(query, languages)
    tag = asked_variety(query, code) if code else ""
    return describe(tag) if tag and tag not in codes else None


def _exact(query: str, languages: Sequence[Language]) -> str:
    if not query.strip():
        return ""
    try:
        return resolve(query, [language.code for language in languages])
    except LanguageError:
        return ""


def _rank(wanted: str, language: Language) -> int | None:
    names = [fold(language.name), fold(language.endonym)]
    if any(name.startswith(wanted) for name in names):
        return 1
    if language.code.startswith(wanted):
        return 2
    if any(wanted in name for name in names):
        return 3
    return None
