"""Long texts in blocks of lines, so that the first sentences are shown before the last are done.

The engine never lets a sentence cross the end of a line, so a text translated in blocks of
whole lines comes out as it would in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mltranslate.text.verbatim import units
from mltranslate.types import Caution, Translation, WordLink

FIRST_CHARACTERS = 600
"""The first block is small: something should be on the screen soon."""
BLOCK_CHARACTERS = 4000
"""About as much as the engine decodes in one batch; smaller blocks would waste time."""


def blocks(text: str) -> list[str]:
    """Cut `text` at line ends into blocks that concatenate to it; one block if it is short.

    None ends within code or front matter, which the engine keeps as they are.
    """
    found: list[str] = []
    waiting: list[str] = []
    room = FIRST_CHARACTERS
    for unit in units(text):
        waiting.append(unit)
        room -= len(unit)
        if room <= 0:
            found.append("".join(waiting))
            waiting, room = [], BLOCK_CHARACTERS
    return [*found, "".join(waiting)] if waiting or not found else found


def around(text: str, at: int) -> range:
    """Return the characters of the block that `at` is in; the end of `text` is in the last one."""
    start = 0
    *others, last = blocks(text)
    for block in others:
        if at < start + len(block):
            return range(start, start + len(block))
        start += len(block)
    return range(start, start + len(last) + 1)


def merged(parts: Sequence[Translation]) -> Translation:
    """Put the translations of all blocks together; the score is their mean by length.

    Scores of single words, and other translations, are true of one block: they are left out.
    """
    if len(parts) == 1:
        return parts[0]
    telling = max(parts, key=_tells)
    return replace(
        telling,
        source_text="".join(part.source_text for part in parts),
        text="".join(part.text for part in parts),
        milliseconds=sum(part.milliseconds for part in parts),
        score=_mean_score(parts),
        warnings=_cautions(parts),
        missing_terms=tuple(dict.fromkeys(term for part in parts for term in part.missing_terms)),
        alternatives=(),
        token_scores=(),
        alignment=tuple(_links(parts)),
        phrases=sum(part.phrases for part in parts),
    )


def _tells(part: Translation) -> int:
    """How much was done with it: of the first block with most, the whole tells what it was."""
    return 2 if part.route else int(Caution.REWRITTEN in part.warnings)


def _links(parts: Sequence[Translation]) -> Iterator[WordLink]:
    """The links of all parts, at the places that their words have in the whole."""
    read = written = 0
    for part in parts:
        for link in part.alignment:
            (start, end), (begin, stop) = link.source, link.target
            yield WordLink(
                source=(read + start, read + end), target=(written + begin, written + stop)
            )
        read, written = read + len(part.source_text), written + len(part.text)


def _mean_score(parts: Sequence[Translation]) -> float | None:
    scored = [(part.score, len(part.text)) for part in parts if part.score is not None]
    length = sum(weight for _, weight in scored)
    return sum(score * weight for score, weight in scored) / length if length else None


def _cautions(parts: Sequence[Translation]) -> tuple[Caution, ...]:
    """Every caution of a part; of what was done with them the most: translated, or rewritten."""
    found = {caution for part in parts for caution in part.warnings}
    if any(part.route for part in parts):
        found -= {Caution.UNTRANSLATED, Caution.REWRITTEN}
    elif Caution.REWRITTEN in found:
        found.discard(Caution.UNTRANSLATED)
    return tuple(caution for caution in Caution if caution in found)
