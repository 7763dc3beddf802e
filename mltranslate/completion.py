"""Where a translation that is begun goes on: the sentences that it has, and those still to come."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mltranslate.text.edges import bullet_end
from mltranslate.text.rules import rules_for
from mltranslate.text.spans import Span, cut

_STOPPED = re.compile(r"(?<!\d)\d{1,3}\.[ \t]+\Z")
_LONGEST_NUMBER = 8
"""Characters in which a number at the beginning of a line is looked for, with its blanks."""
_WORD, _REST = "Aa", "aa"
"""Put after white space, or after the last word, which a single letter may have begun: whether a
new sentence would begin there is seen by what follows."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A translation that is begun, and what of the source it leaves to translate."""

    head: str
    """What stands before the sentence to complete: it is final."""
    prefix: str
    """The beginning of that sentence; empty when the last one was whole."""
    spans: list[Span]
    """The source from that sentence on."""


def begun(spans: Sequence[Span], text: str, target: str) -> Completion:
    """Match `text`, the beginning of a translation into `target`, with the source's `spans`.

    Sentences are counted: as many as `text` has ended are taken as translated. What it has beyond
    the number of the source's belongs to the last one.
    """
    starts = _sentence_starts(text, target)
    places = [place for place, span in enumerate(spans) if span.translatable]
    number = min(len(starts), len(places)) - 1
    rest = text[starts[number] :].lstrip()
    before = spans[places[number] - 1].text if places[number] else ""
    begin = _before_ordinal(text, len(text) - len(rest), before, target)
    return Completion(text[:begin], text[begin:], list(spans[places[number] :]))


def _before_ordinal(text: str, begin: int, before: str, target: str) -> int:
    """Where a sentence that seems to begin at `begin` does: a number before it may be an ordinal.

    It is the number of an item only where one stands `before` the sentence of the source too.
    """
    line = text[:begin].rpartition("\n")[2]
    number = _STOPPED.search(line[-_LONGEST_NUMBER:])
    is_listed = any(map(str.isdigit, before[-_LONGEST_NUMBER:]))
    if number is None or is_listed or not rules_for(target).ordinal_stop:
        return begin
    return begin - len(number[0]) if bullet_end(line) == len(line) else begin


def _sentence_starts(text: str, language: str) -> list[int]:
    """Offsets at which the sentences of `text` begin, one of them at least."""
    # Behind a space or an opening mark a sentence may begin, within a word none does.
    spans = cut(text + (_REST if text[-1:].isalnum() else _WORD), language)
    offsets = itertools.accumulate((len(span.text) for span in spans), initial=0)
    found = [start for start, span in zip(offsets, spans, strict=False) if span.translatable]
    return found or [0]
