"""What of a translation is between two marks: told by which words come from which.

As for the tags of other translators (Zenkel et al. 2021, "Automatic bilingual markup transfer"):
the longest run of words of the translation that has more words from between the two than from
elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mltranslate.alignment import Range

Link = tuple[Range, Range]
"""A word of a text and the word of its translation that comes from it, by their characters."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What is between two marks."""

    start: int
    end: int
    whole: bool
    """True when all that comes from between the marks is there, and nothing else."""


def between(
    span: Range, links: Sequence[Link], words: Sequence[Range], others: Sequence[Range]
) -> Inside | None:
    """What comes from the `span` of the source; None where nothing is known to.

    `words` and `others` are all words of the source and of the translation, where these are set
    apart by spaces.
    """
    # A mark may cut what is one word to the model: "l'*eau*", or two characters of Chinese.
    whole = any(_is_of(here, span) for here, _ in links)
    belongs = _is_of if whole else _meets
    known = sorted((there, belongs(here, span)) for here, there in links)
    first, last = _best_run([1 if does else -1 for _, does in known])
    if first == last:
        return None
    run = known[first:last]
    inside = run[0][0][0], run[-1][0][1]
    whole &= all(does for _, does in run) and len(run) == sum(does for _, does in known)
    linked, written = [here for here, _ in links], [there for _, there in links]
    left = [word for word in words if _is_of(word, span) and not _is_in(word, linked)]
    near = _with_neighbours(inside, others)
    spare = [word for word in near if not _is_in(word, written)]
    return Inside(*inside, whole and not (left and spare))


def widened(links: Iterable[Link], here: Sequence[Range], there: Sequence[Range]) -> list[Link]:
    """The links, those of a part of one of these spans of either text being of all of it."""
    return [(_whole(one, here), _whole(other, there)) for one, other in links]


def termed(
    links: Iterable[Link], terms: Iterable[tuple[str, str]], source: str, translation: str
) -> list[Link]:
    """The links of a translation that was made to have `terms`: these come from each other.

    What a model looks at when it is made to write a word tells nothing.
    """
    found = list(links)
    for term, its in terms:
        here, there = _places(term, source), _places(its, translation)
        found = [
            (one, other)
            for one, other in found
            if not _is_in(one, here) and not _is_in(other, there)
        ]
        if len(here) == len(there) == 1:
            found.append((here[0], there[0]))
    return found


def _best_run(gains: Sequence[int]) -> Range:
    """The run with the largest sum, if that is more than nothing; the first of several."""
    best, found = 0, (0, 0)
    total = start = 0
    for number, gain in enumerate(gains):
        if total <= 0:
            total, start = 0, number
        total += gain
        if total > best:
            best, found = total, (start, number + 1)
    return found


def _with_neighbours(span: Range, words: Sequence[Range]) -> Sequence[Range]:
    """The words that meet a span, and those beside it."""
    numbers = [number for number, word in enumerate(words) if _meets(word, span)]
    return words[max(0, numbers[0] - 1) : numbers[-1] + 2] if numbers else ()


def _is_of(word: Range, span: Range) -> bool:
    """Whether more than half of a word is in a span."""
    both = min(word[1], span[1]) - max(word[0], span[0])
    return 2 * both > word[1] - word[0]


def _meets(word: Range, span: Range) -> bool:
    return word[0] < span[1] and span[0] < word[1]


def _is_in(word: Range, spans: Iterable[Range]) -> bool:
    return any(_meets(word, span) for span in spans)


def _whole(word: Range, spans: Sequence[Range]) -> Range:
    return next((span for span in spans if _meets(word, span)), word)


def _places(term: str, text: str) -> list[Range]:
    return [found.span() for found in re.finditer(re.escape(term), text, re.IGNORECASE)]
