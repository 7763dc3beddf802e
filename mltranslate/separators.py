"""Thousands and decimals as each language parts them: 1,234.5 is 1.234,5 in German.

Subword models copy some separators of the source and change others, so that "1,234,567" comes out
as "1 234,567". The conventions are those of Unicode CLDR 46 for the languages by themselves.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

_SPACES = " \u00a0\u2009\u202f"


@dataclass(frozen=True, slots=True)
class _Convention:
    groups: str
    """What may part groups of three digits; the first is what is written."""
    decimal: str

    def written(self, whole: str, fraction: str) -> str:
        first = len(whole) % 3 or 3
        groups = [whole[:first], *(whole[at : at + 3] for at in range(first, len(whole), 3))]
        return self.groups[0].join(groups) + (self.decimal + fraction if fraction else "")


_COMMA = _Convention(",", ".")
_DOT = _Convention(".", ",")
_SPACE = _Convention("\u00a0 \u2009\u202f", ",")
_NARROW = _Convention("\u202f \u00a0\u2009", ",")
_CONVENTIONS = {
    **dict.fromkeys(("en", "zh", "yue", "ja", "ko", "th", "he"), _COMMA),
    **dict.fromkeys(("de", "es", "it", "pt", "nl", "id", "tr", "da", "el", "ro", "hr"), _DOT),
    **dict.fromkeys(("ru", "uk", "pl", "cs", "sk", "bg", "sv", "fi", "hu"), _SPACE),
    "fr": _NARROW,
}
_WRITTEN = re.compile(
    rf"(?<![\d.,])\d{{1,3}}(?:[.,'’{_SPACES}]\d{{3}}(?!\d))++(?:[.,]\d{{1,9}}+)?(?![.,]?\d)"
)


def with_separators(text: str, source: str, written_in: str, language: str) -> str:
    """Return `text`, the translation of `source`, with the separators of its own `language`.

    Only numbers change whose digits are those of a number of the source with groups of three as
    the language `written_in` sets them: what parts the digits of others may be no separator. Groups
    between spaces stay, which all can read (ISO 80000-1, 7.3.1).
    """
    here, there = _CONVENTIONS.get(written_in), _CONVENTIONS.get(language)
    if here is None or there is None:
        return text
    meant = {whole + fraction: (whole, fraction) for whole, fraction in _grouped(source, here)}
    if not meant:
        return text
    return _WRITTEN.sub(functools.partial(_rewritten, meant, there), text)


def _grouped(text: str, convention: _Convention) -> list[tuple[str, str]]:
    """The numbers with groups of three: the digits before and behind the decimal sign."""
    number = _pattern(convention)
    return [
        (re.sub(r"\D", "", found["whole"]), found["fraction"] or "")
        for found in number.finditer(text)
    ]


@functools.cache
def _pattern(convention: _Convention) -> re.Pattern[str]:
    return re.compile(
        rf"(?<![\d.,])(?P<whole>\d{{1,3}}(?P<group>[{re.escape(convention.groups)}])\d{{3}}"
        rf"(?:(?P=group)\d{{3}})*+)(?:{re.escape(convention.decimal)}(?P<fraction>\d{{1,9}}+))?"
        r"(?![.,]?\d)"
    )


def _rewritten(
    meant: dict[str, tuple[str, str]], convention: _Convention, found: re.Match[str]
) -> str:
    number = meant.get(re.sub(r"\D", "", found[0]))
    if number is None or _is_neutral(found[0], number[1], convention):
        return found[0]
    return convention.written(*number)


def _is_neutral(number: str, fraction: str, convention: _Convention) -> bool:
    """True where nothing but spaces part the groups, which no language takes for a decimal sign."""
    whole = number.removesuffix(convention.decimal + fraction) if fraction else number
    return all(char.isdecimal() or char in _SPACES for char in whole)
