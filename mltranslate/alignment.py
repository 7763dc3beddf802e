"""Which words of a sentence its translation's words come from: a model's attention made links.

A *word* is a run of letters, digits and their marks; an apostrophe between letters does not part
it, nor does a dot or comma between digits. Scripts that set no spaces (Han, kana, Thai and their
like) have no such runs: there a word is what one subword writes.

Links are kept as places among the words that the model read and wrote. Where these stand in the
texts that people see is settled last, by `places`: until then words may be hidden from the model,
put back, mended or raised to capitals. What is not found again has no link.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mltranslate.types import WordLink

LEAST_SHARE = 0.1
"""Of a target word's attention that the source word gets which it is linked to (measured: see
docs/alignment.md)."""

_UNSPACED = (
    (0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x312F),
    (0x31A0, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip
"""Thai and Lao, Tibetan, Burmese, Khmer, Han and kana. Korean has spaces."""
_APOSTROPHES = "'’"
_SEPARATORS = ".,"
_MOST_COMPARED = 1_000_000
"""Words of a sentence times those that are looked for: longer ones have no links if changed."""

Range = tuple[int, int]
"""Start, and end behind the last one."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """The words that a model read and wrote, and which come from which.

    `source` and `target` are words, those of unspaced scripts cut into characters. A link is a
    range of either.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    links: tuple[tuple[Range, Range], ...]


NO_ALIGNMENT = Alignment((), (), ())


@dataclass(slots=True)
class _Word:
    """A word by the number of its parts (see `Alignment`) and of the subwords that write it."""

    parts: Range
    pieces: set[int]


def align(
    source: Sequence[bytes], target: Sequence[bytes], attention: Sequence[Sequence[float]]
) -> Alignment:
    """Link the words of one translation.

    `source` and `target` have what each subword writes; `attention` (T, S + 2) has a row for each
    subword of the target and a column for the source's tag, subwords and end mark. A word of the
    target comes from the word of the source that its subwords look at most, together, unless that
    is hardly looked at: they may all look at the end mark.
    """
    read, sources = _words(source)
    written, targets = _words(target)
    links = []
    for word in targets if sources else ():
        rows = (attention[piece] for piece in word.pieces)
        looks = [sum(column) / len(word.pieces) for column in zip(*rows, strict=True)]
        shares = [sum(looks[1 + piece] for piece in one.pieces) for one in sources]
        best = max(range(len(shares)), key=shares.__getitem__)
        if shares[best] >= LEAST_SHARE:
            links.append((sources[best].parts, word.parts))
    return Alignment(tuple(read), tuple(written), tuple(links))


def joined(parts: Sequence[Alignment]) -> Alignment:
    """The alignment of a sentence that was translated in parts, in their order."""
    links: list[tuple[Range, Range]] = []
    read = written = 0
    for part in parts:
        links += [(_moved(one, read), _moved(other, written)) for one, other in part.links]
        read, written = read + len(part.source), written + len(part.target)
    return Alignment(
        tuple(itertools.chain.from_iterable(part.source for part in parts)),
        tuple(itertools.chain.from_iterable(part.target for part in parts)),
        tuple(links),
    )


def places(
    alignment: Alignment, source: str, text: str, offsets: tuple[int, int] = (0, 0)
) -> Iterator[WordLink]:
    """Yield the links between words of `source` and of its translation `text`, as they are now.

    `offsets` is added to the places, of the one and the other. Words that the model did not see or
    write as they stand have no links.
    """
    if not alignment.links:
        return
    read, written = _found(alignment.source, source), _found(alignment.target, text)
    for one, other in alignment.links:
        here, there = _place(read, one), _place(written, other)
        if here and there:
            yield WordLink(source=_moved(here, offsets[0]), target=_moved(there, offsets[1]))


def _moved(span: Range, by: int) -> Range:
    return span[0] + by, span[1] + by


def _words(surfaces: Sequence[bytes]) -> tuple[list[str], list[_Word]]:
    """The parts of what subwords write together, and the words that they make."""
    owners = [piece for piece, written in enumerate(surfaces) for _ in written]
    text = b"".join(surfaces).decode("utf-8", "surrogateescape")
    sizes = (len(char.encode("utf-8", "surrogateescape")) for char in text)
    bounds = list(itertools.accumulate(sizes, initial=0))
    words: list[_Word] = []
    parts: list[str] = []
    behind = -1
    for number, (start, end) in enumerate(_ranges(text)):
        pieces = set(owners[bounds[start] : bounds[end]])
        goes_on = start == behind and _is_unspaced(text[start]) and _is_unspaced(parts[-1][0])
        if goes_on and words[-1].pieces & pieces:
            words[-1].parts = words[-1].parts[0], number + 1
            words[-1].pieces |= pieces
        else:
            words.append(_Word((number, number + 1), pieces))
        parts.append(text[start:end])
        behind = end
    return parts, words


def _ranges(text: str) -> Iterator[Range]:
    """Where the words of `text` stand, those of unspaced scripts character by character."""
    start = end = 0
    for at, char in enumerate(text):
        if unicodedata.category(char)[0] == "M":
            # A mark belongs to what it stands on, and is nothing alone.
            end += start < end == at
        elif char.isalnum():
            if start < end and not _continues(text, (start, end), at):
                yield start, end
                start = end = at
            start = start if start < end else at
            end = at + 1
    if start < end:
        yield start, end


def _continues(text: str, word: Range, at: int) -> bool:
    """Whether the letter or digit at `at` goes on with a word."""
    start, end = word
    if _is_unspaced(text[start]) or _is_unspaced(text[at]) or at - end > 1:
        return False
    between = text[end:at]
    if between in _APOSTROPHES:
        return not between or (text[end - 1].isalpha() and text[at].isalpha())
    return between in _SEPARATORS and text[end - 1].isdigit() and text[at].isdigit()


def _is_unspaced(char: str) -> bool:
    code = ord(char)
    # Most characters are below all of them.
    return code >= _UNSPACED[0][0] and any(first <= code <= last for first, last in _UNSPACED)


def _found(words: Sequence[str], text: str) -> list[Range | None]:
    """Where each of `words`, which come in their order, stands in `text`."""
    ranges = list(_ranges(text))
    wanted = [_key(word) for word in words]
    there = [_key(text[start:end]) for start, end in ranges]
    if wanted == there:
        return list(ranges)
    found: list[Range | None] = [None] * len(words)
    if len(wanted) * len(there) <= _MOST_COMPARED:
        for block in SequenceMatcher(None, wanted, there, autojunk=False).get_matching_blocks():
            found[block.a : block.a + block.size] = ranges[block.b : block.b + block.size]
    return found


def _key(word: str) -> str:
    """What is the same of a word in its spellings: composed or not, in capitals or not."""
    return unicodedata.normalize("NFC", word).casefold()


def _place(found: Sequence[Range | None], span: Range) -> Range | None:
    """Where the parts of a word stand; None unless all of them do, side by side."""
    parts = found[span[0] : span[1]]
    whole = [part for part in parts if part is not None]
    touching = all(one[1] == other[0] for one, other in itertools.pairwise(whole))
    return (whole[0][0], whole[-1][1]) if len(whole) == len(parts) and touching else None
