"""Salutations that share a sentence with what they come before: "Dear Anna, how are you?"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from mltranslate.text.casing import capitalised, lowered
from mltranslate.text.edges import core, has_language
from mltranslate.text.spans import Span

Salutation = Callable[[str], int]
"""How many characters at the beginning of a sentence are a salutation, its comma included; 0 where
none is."""

_COMMAS = (",", "，", "、")
_STOPS = (".", "!", "?", "。", "！", "？")
_ENGLISH_I = re.compile(r"[Ii]\b")
_SHOUTED = re.compile(r"[^\W\d_a-z]{2}")


def parted(spans: Iterable[Span], salutation: Salutation) -> list[Span]:
    """Return `spans` with the salutations that sentences begin with in spans of their own.

    The texts still concatenate to the same text.
    """
    return [part for span in spans for part in _parts(span, salutation)]


def going_on(spans: Sequence[Span]) -> list[bool]:
    """Return for every translatable span whether it goes on in its line after a comma."""
    found = []
    said = ""
    for span in spans:
        if span.translatable:
            found.append(said.endswith(_COMMAS))
            said = span.text
        elif "\n" in span.text:
            said = ""
    return found


def carried_on(text: str, before: str, source: str, languages: tuple[str, str]) -> str:
    """Return `text`, the translation of what goes on after `before`, with small letters or not.

    The English "I" says nothing about how the other of the two `languages`, source and target,
    begins; and where a stop became of the comma, a sentence does.
    """
    if before.endswith(_STOPS):
        return capitalised(text, languages[1])
    told = languages[0] == "en" != languages[1] and _ENGLISH_I.match(source)
    if not told or _SHOUTED.match(text):
        return text
    return lowered(text[:1], languages[1]) + text[1:]


def _parts(span: Span, salutation: Salutation) -> Iterator[Span]:
    end = salutation(span.text) if span.translatable else 0
    rest = span.text[end:]
    begin, _ = core(rest)
    if not end > 0 or not has_language(rest[begin:]):
        yield span
        return
    yield Span(span.text[:end], translatable=True)
    if begin:
        yield Span(rest[:begin], translatable=False)
    yield from _parts(Span(rest[begin:], translatable=True), salutation)
