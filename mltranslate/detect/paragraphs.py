"""The languages of a document whose paragraphs are in several: each is looked at by itself.

A heading of a few words says little. So a paragraph that is not sure of its language takes those of
the sure ones around it into account, the one that follows more than the one before.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from mltranslate.detect.live import weighed
from mltranslate.types import UNDETERMINED, Detection

CANDIDATES = 9
"""Candidates of a paragraph that `ParagraphLanguages` should be given, the likeliest first."""

_SURE = 0.9
"""Least probability of a language that no neighbour changes."""
_BEFORE, _AFTER = 3.0, 10.0
"""Odds in favour of the language of the sure paragraph before, and of the one that follows."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def cut_paragraphs(text: str) -> list[str]:
    """Cut `text` after its blank lines into paragraphs, which concatenate to it.

    Blank lines belong to the paragraph before them, those at the beginning to the first one.
    """
    found: list[str] = []
    lines = (match[0] for match in _LINE.finditer(text))
    for blank, group in itertools.groupby(lines, str.isspace):
        run = "".join(group)
        if blank and found:
            found[-1] += run
        elif len(found) == 1 and found[0].isspace():
            found[0] += run
        else:
            found.append(run)
    return found


def whole_paragraphs(blocks: Iterable[str], longest: int) -> Iterator[str]:
    """Regroup `blocks` of whole lines so that none ends within a paragraph; they concatenate alike.

    More than `longest` characters without a blank line are not waited for.
    """
    waiting = ""
    for block in blocks:
        waiting += block
        ends = [match.end() for match in _BLANK_LINE.finditer(waiting)]
        end = ends[-1] if ends else len(waiting) if len(waiting) > longest else 0
        if end:
            yield waiting[:end]
            waiting = waiting[end:]
    if waiting:
        yield waiting


class ParagraphLanguages:
    """Settles the languages of paragraphs, which may come in several lots."""

    def __init__(self) -> None:
        self._before = UNDETERMINED

    def settle(self, candidates: Sequence[Sequence[Detection]]) -> list[Detection]:
        """Return the language of each of the next paragraphs, given its candidates.

        Text that is no language stays so, and has no influence.
        """
        following = _following([found[0] for found in candidates])
        settled = []
        for found, after in zip(candidates, following, strict=True):
            best = found[0]
            if _is_sure(best):
                self._before = best.language
            elif best.language != UNDETERMINED:
                best = weighed(weighed(found, self._before, _BEFORE), after, _AFTER)[0]
            settled.append(best)
        return settled


def _following(likeliest: Sequence[Detection]) -> list[str]:
    """Return, for each paragraph, the language of the next sure one; "und" where there is none."""
    languages, after = [], UNDETERMINED
    for found in reversed(likeliest):
        languages.append(after)
        if _is_sure(found):
            after = found.language
    return languages[::-1]


def _is_sure(found: Detection) -> bool:
    return found.language != UNDETERMINED and found.confidence >= _SURE
