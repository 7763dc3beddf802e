"""Text cut into spans that concatenate back to it exactly, and put together again.

Only translatable spans are ever replaced: line breaks, indentation, bullets, blank lines, white
space between sentences, emoji and URLs at a sentence's edge, blocks of code and front matter are
in spans of their own that come back unchanged.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mltranslate.languages import is_spaced
from mltranslate.text.blocks import blocks
from mltranslate.text.edges import BLANK, bullet_end, core, has_language, is_ideograph
from mltranslate.text.items import unbroken
from mltranslate.text.rules import rules_for
from mltranslate.text.sentences import sentence_starts, sign_breaks
from mltranslate.text.tables import before_leader, cells
from mltranslate.text.verbatim import runs
from mltranslate.text.wrapping import wrapped_lines

_WIDE_MARKS = "。！？；：，、…"
_CLOSING = "”’\"')）」』】》"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text: a sentence to translate, or something to keep as it is."""

    text: str
    translatable: bool


def cut(text: str, language: str, *, wrapped: bool = False) -> list[Span]:
    """Cut `text` into sentences of `language` and what stands between them.

    With `wrapped` a sentence may go on in the next line, and has the line break in it. The texts of
    the spans concatenate to `text`; no two kept spans are neighbours; no span is empty. Time and
    memory are linear in the length of the text.
    """
    return spans_of(text, _sentence_ranges(text, language, wrapped=wrapped))


def spans_of(text: str, translatable: Iterable[tuple[int, int]]) -> list[Span]:
    """Turn ascending (start, end) ranges of `text` into spans that cover all of it."""
    spans: list[Span] = []
    done = 0
    for start, end in translatable:
        if start > done:
            spans.append(Span(text[done:start], translatable=False))
        spans.append(Span(text[start:end], translatable=True))
        done = end
    if done < len(text):
        spans.append(Span(text[done:], translatable=False))
    return spans


def join(spans: Sequence[Span], translations: Sequence[str], target: str) -> str:
    """Put spans together with `translations`, one for each translatable span, in their place.

    Two sentences that touch, as in Chinese, are set apart by a space when `target` uses spaces; a
    space between two of them goes when `target` uses none.
    """
    return "".join(itertools.chain.from_iterable(_joints(spans, translations, target)))


def starts(
    spans: Sequence[Span], translations: Sequence[str], target: str
) -> Iterator[tuple[int, int]]:
    """Yield where each translatable span begins: in the source, and in what `join` makes of it."""
    read = written = 0
    joints = _joints(spans, translations, target)
    for span, (before, text) in zip(spans, joints, strict=True):
        written += len(before)
        if span.translatable:
            yield read, written
        read, written = read + len(span.text), written + len(text)


def _joints(
    spans: Sequence[Span], translations: Sequence[str], target: str
) -> Iterator[tuple[str, str]]:
    """Yield what comes of each span, and the space that it needs before it."""
    fresh = iter(translations)
    said = ""
    for index, span in enumerate(spans):
        meets = index and _meet(spans[index - 1], span)
        before = gap(spans[index - 1].text, span.text, target) if meets else ""
        if span.translatable:
            said = next(fresh)
            yield before, said
        else:
            idle = _is_idle(spans, index) and not is_spaced(target) and _ends_wide(said)
            yield before, "" if idle else span.text


def _ends_wide(said: str) -> bool:
    """Whether a sentence ends with a mark that has its own white space, or with quotes behind."""
    return said.rstrip(_CLOSING)[-1:] in _WIDE_MARKS if said else False


def _is_idle(spans: Sequence[Span], index: int) -> bool:
    """True for a space that parts two sentences of a language with spaces."""
    inner = 0 < index < len(spans) - 1 and spans[index].text == " "
    return inner and not is_ideograph(spans[index - 1].text[-1:])


def gap(left: str, right: str, target: str) -> str:
    """Return the space that `target` needs between two source texts that were set without one."""
    ideographs = any(map(is_ideograph, left[-3:] + right[:1]))
    touching = ideographs and left[-1:] not in BLANK and right[:1] not in BLANK
    return " " if touching and is_spaced(target) else ""


def last_sentence_start(text: str, language: str) -> int:
    """Return where the last sentence of `text` begins; 0 when it holds only one."""
    return max(_ends(text, sentence_starts(text, language)), default=0)


def _meet(left: Span, right: Span) -> bool:
    """True between two sentences, and between a sentence and a word or sign that is kept."""
    if left.translatable:
        return right.translatable or _is_sign(right.text[0])
    return right.translatable and _is_sign(left.text[-1])


def _is_sign(char: str) -> bool:
    """True for letters, digits and symbols: all that shows, is no punctuation and ends no tag."""
    return unicodedata.category(char)[0] in "LNS" and char not in "<>"


def _sentence_ranges(text: str, language: str, *, wrapped: bool) -> Iterator[tuple[int, int]]:
    offset = 0
    for run, kept in runs(text):
        lines = wrapped_lines(run) if wrapped else run.splitlines(keepends=True)
        for start, end in () if kept else _ranges_of_prose(lines, language):
            yield offset + start, offset + end
        offset += len(run)


def _ranges_of_prose(lines: Iterable[str], language: str) -> Iterator[tuple[int, int]]:
    rules = rules_for(language)
    offset = 0
    for line in lines:
        if not line.isspace():
            for first, last in _cells(line, bullet_end(line, rules)):
                for start, end in _cores(line[first:last], language):
                    yield offset + first + start, offset + first + end
        offset += len(line)


def _cells(line: str, begin: int) -> Iterator[tuple[int, int]]:
    """What a table or HTML sets apart in a line."""
    for start, end in cells(line, begin):
        for first, last in blocks(line, start, end):
            yield first, before_leader(line, first, last)


def _cores(body: str, language: str) -> Iterator[tuple[int, int]]:
    """The sentences of a cell, without their untranslated edges."""
    start = 0
    breaks = (*sentence_starts(body, language), *sign_breaks(body, language))
    for end in (*sorted(_ends(body, breaks)), len(body)):
        left, right = core(body[start:end])
        if left < right and has_language(body[start + left : start + right]):
            yield start + left, start + right
        start = end


def _ends(text: str, breaks: Iterable[int]) -> set[int]:
    """The breaks that are not within code, a tag or the target of a link."""
    found = set(breaks)
    return found - unbroken(text) if found else found
