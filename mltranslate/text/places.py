"""Where in a translation something belongs that was taken out of its source.

In this order: at the outer end of the text; next to the same name or number; next to the same
punctuation mark, if both texts have as many of its kind; around the words that come from those it
was around, if it is one of a pair; else at the same share of the text. The last is a guess, and so
is what is around other words as well.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mltranslate.alignment import Range
from mltranslate.languages import is_spaced
from mltranslate.text.edges import BLANK
from mltranslate.text.marks import Mark, is_emphasis, is_link, is_note, pairs_of, singles
from mltranslate.text.pairs import Inside, Link, between

_WORD = re.compile(r"@?(?:(?![\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef])[^\W_])+(?:[.,]\d+)*")
_NUMBER = re.compile(r"\d[\d.,]*")
_PAUSE = re.compile(r"[。，、；：！？,;:!?]+")
_KINDS = (",，、،", ";；؛", ":：", "(（", ")）", "–—")
_KIND_OF = {mark: kind for kind in _KINDS for mark in kind}


@dataclass(frozen=True, slots=True)
class Edit:
    """New text for the characters from `start` to `end` of a text."""

    start: int
    end: int
    text: str


def apply(edits: Sequence[Edit], text: str) -> str:
    """Make all `edits`; those at one place come in their order, and one within another after it."""
    parts: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        parts += text[done : edit.start], edit.text
        done = max(done, edit.end)
    return "".join([*parts, text[done:]])


def put_back(
    marks: Sequence[Mark],
    source: str,
    translation: str,
    target: str,
    links: Sequence[Link] = (),
) -> tuple[list[Edit], bool]:
    """Return how `marks`, taken out of `source`, go into its translation into `target`.

    They keep their order, but for pairs that go where `links` between words tell, in the order of
    these. Of what a translation leaves out, emphasis goes too, and a link keeps its own words. The
    second value is True when a place was guessed.
    """
    if not marks:
        return [], False
    places = _Places(source, translation, spaced=is_spaced(target))
    marks = _parted(marks, source, places, links)
    pairs = pairs_of(marks)
    insides = _insides(marks, pairs, places, links)
    found = _placed(marks, places, insides)
    if insides and _are_crossed(pairs, marks, found):
        found = _placed(marks, places, insides := {})
    empty = [pair for pair in pairs if _is_empty(pair, found)]
    # Markdown would show the marks of an emphasis that has nothing in it.
    lost = itertools.chain(*(pair for pair in empty if is_emphasis(marks[pair[0]].text)))
    kept = sorted(set(range(len(marks))).difference(lost), key=_order(pairs, found))
    full = insides.keys() - set(itertools.chain(*empty))
    _keep_words(marks, empty, source)
    _unline(marks, [pair for pair in pairs if pair[0] in full], found, translation)
    sequence = [_Next(marks[number], found[number].place, number in full) for number in kept]
    for later, (former, number) in zip(sequence[1:], itertools.pairwise(kept), strict=False):
        later.goes_on = number == former + 1 and later.place == found[former].place
    edits = list(_edits(sequence, translation, places))
    return edits, bool(empty) or any(one.guessed for one in found)


def _keep_words(marks: list[Mark], empty: Sequence[tuple[int, int]], source: str) -> None:
    """Give links that have nothing in them their own words."""
    for one, other in empty:
        if is_link(marks[one].text):
            words = source[marks[one].offset : marks[other].offset].strip(BLANK)
            marks[one] = replace(marks[one], text=marks[one].text + words)


def _unline(
    marks: list[Mark], pairs: Sequence[tuple[int, int]], found: Sequence[_Place], translation: str
) -> None:
    """Emphasise with asterisks where lines would touch a letter: these are none to Markdown."""
    for pair in pairs:
        start, end = (found[number].place for number in pair)
        outside = translation[max(0, start - 1) : start] + translation[end : end + 1]
        if set(marks[pair[0]].text) == {"_"} and any(map(str.isalnum, outside)):
            for number in pair:
                marks[number] = replace(marks[number], text=marks[number].text.replace("_", "*"))


@dataclass(slots=True)
class _Next:
    """A mark in the order of the translation."""

    mark: Mark
    place: int
    beside_word: bool
    """True when it is right at a word, whatever it stood beside."""
    goes_on: bool = False
    """True when it comes right after the mark that it came after."""

    @property
    def joined(self) -> bool:
        """Whether it has what stood between it and that mark."""
        return self.goes_on and self.mark.gap is not None


def _edits(sequence: Sequence[_Next], translation: str, places: _Places) -> Iterator[Edit]:
    end, put = 0, ""
    for one, following in zip(sequence, [*sequence[1:], None], strict=False):
        left = put if put and end == one.place else translation[: one.place]
        right = translation[one.place : one.place + 1]
        if one.beside_word or one.joined:
            left = ""
        if one.beside_word or (following and following.joined):
            right = ""
        mark = one.mark
        if one.joined:
            mark = replace(mark, text=f"{mark.gap}{mark.text}")
        edit = places.edit(mark, one.place, left[-1:], right)
        end, put = edit.end, edit.text
        yield edit


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a mark goes, and whether that is a guess."""

    place: int
    guessed: bool


def _parted(
    marks: Sequence[Mark], source: str, places: _Places, links: Sequence[Link]
) -> list[Mark]:
    """The marks, those that were found as one each by itself where links place some of them."""
    groups = [singles(mark, source) for mark in marks]
    apart = list(itertools.chain.from_iterable(groups))
    insides = _insides(apart, pairs_of(apart), places, links)
    found: list[Mark] = []
    done = 0
    for mark, group in zip(marks, groups, strict=True):
        part = not insides.keys().isdisjoint(range(done, done + len(group)))
        found += group if part else [mark]
        done += len(group)
    return found


def _insides(
    marks: Sequence[Mark],
    pairs: Sequence[tuple[int, int]],
    places: _Places,
    links: Sequence[Link],
) -> dict[int, _Place]:
    """The places of pairs that links tell and the surroundings do not, by number of mark."""
    spans = {pair: (marks[pair[0]].offset, marks[pair[1]].offset) for pair in pairs}
    found: dict[int, _Place] = {}
    for pair in pairs if links else ():
        ends = [marks[number] for number in pair]
        if any(end.within_word for end in ends) or places.are_sure(*ends):
            continue
        others = [span for other, span in spans.items() if other != pair]
        if inside := _inside(ends[0], spans[pair], others, places, links):
            found[pair[0]] = _Place(inside.start, not inside.whole)
            found[pair[1]] = _Place(inside.end, not inside.whole)
    return found


def _inside(
    opening: Mark, span: Range, others: Sequence[Range], places: _Places, links: Sequence[Link]
) -> Inside | None:
    """What is between two marks; emphasis and links of what was left out have no extent.

    The word behind may stand for both: "the *summer* holidays" are one word in German.
    """
    found = places.between(span, links)
    if found or not (is_emphasis(opening.text) or is_link(opening.text)):
        return found
    following = places.word_behind(span[1])
    if not is_link(opening.text) and following and not _is_marked(following, others):
        found = places.between(following, links)
    place = places.place(opening)
    return replace(found, whole=False) if found else Inside(place, place, whole=False)


def _is_marked(word: Range, spans: Sequence[Range]) -> bool:
    return any(word[0] < end and start < word[1] for start, end in spans)


def _placed(marks: Sequence[Mark], places: _Places, known: Mapping[int, _Place]) -> list[_Place]:
    """The place of each mark; one that is not `known` is never before such a one before it."""
    found: list[_Place] = []
    last = 0
    for number, mark in enumerate(marks):
        if number in known:
            found.append(known[number])
            continue
        sure = places.sure(mark)
        place = max(last, places.place(mark))
        found.append(_Place(place, sure is None or sure < last))
        last = places.behind(mark, place)
    return found


def _is_empty(pair: tuple[int, int], found: Sequence[_Place]) -> bool:
    return found[pair[0]].place == found[pair[1]].place


def _are_crossed(
    pairs: Sequence[tuple[int, int]], marks: Sequence[Mark], found: Sequence[_Place]
) -> bool:
    """Whether of two pairs one would begin within the other and end outside."""
    there = [
        pair for pair in pairs if not (is_emphasis(marks[pair[0]].text) and _is_empty(pair, found))
    ]
    for pair, other in itertools.permutations(there, 2):
        start, end = (found[number].place for number in pair)
        first, last = (found[number].place for number in other)
        nested = pair[0] < other[0] < pair[1]
        if nested and not start <= first <= last <= end:
            return True
        if pair[1] < other[0] and max(start, first) < min(end, last):
            return True
    return False


def _order(
    pairs: Sequence[tuple[int, int]], found: Sequence[_Place]
) -> Callable[[int], tuple[tuple[float, ...], ...]]:
    """Sorts marks by place; at one place, what is between two marks stays between them."""
    spans = {pair: (found[pair[0]].place, found[pair[1]].place, pair[0]) for pair in pairs}

    def key(number: int) -> tuple[tuple[float, ...], ...]:
        place = found[number].place
        around = sorted(pair for pair in pairs if pair[0] <= number <= pair[1])
        own: tuple[float, ...] = (place, place, number)
        if around and number in around[-1]:
            own = (-math.inf,) if number == around[-1][0] else (math.inf,)
        return (place,), *(spans[pair] for pair in around), own

    return key


def _set_apart(mark: Mark, left: str, right: str) -> str:
    """The mark with the spaces that it had around it, where it comes between two letters."""
    apart = left and left not in BLANK and unicodedata.category(left) not in ("Ps", "Pi")
    before = " " if apart and not mark.glued_left else ""
    after = " " if right.isalnum() and not mark.glued_right else ""
    return before + mark.text + after


class _Places:
    """Finds places in one translation."""

    def __init__(self, source: str, translation: str, *, spaced: bool) -> None:
        self._source = source
        self._translation = translation
        self._spaced = spaced
        self._words = list(_WORD.finditer(source))
        self._others = list(_WORD.finditer(translation))

    def edit(self, mark: Mark, place: int, left: str, right: str) -> Edit:
        """Puts a mark at `place`, between two characters, with the spaces that it had."""
        text = _set_apart(mark, left, right) if self._spaced else mark.text
        return Edit(place, self.behind(mark, place), text)

    def behind(self, mark: Mark, place: int) -> int:
        """The place behind a mark that is put at `place`.

        What touched both words had no space, and the one that stood in for it goes.
        """
        return self.after_blank(place) if mark.within_word else place

    def between(self, span: Range, links: Sequence[Link]) -> Inside | None:
        """What comes from a span of the source; see `mltranslate.text.pairs.between`."""
        here, there = ([word.span() for word in one] for one in (self._words, self._others))
        return between(span, links, here, there)

    def word_behind(self, place: int) -> Range | None:
        """The next word of the source, if nothing but a space is before it."""
        following = next((word for word in self._words if word.start() >= place), None)
        blank = following and not self._source[place : following.start()].strip(BLANK)
        return following.span() if following and blank else None

    def are_sure(self, opening: Mark, closing: Mark) -> bool:
        """Whether their surroundings tell where both marks of a pair go."""
        first, last = self.sure(opening), self.sure(closing)
        return first is not None and last is not None and first < last

    def place(self, mark: Mark) -> int:
        """Where a mark goes by its surroundings, or else by its share of the text."""
        sure = self.sure(mark)
        return self.beside_word(mark, self.guess(mark) if sure is None else sure)

    def sure(self, mark: Mark) -> int | None:
        """The place that the surroundings of a mark tell; None when they tell none."""
        after = sum(word.end() <= mark.offset for word in self._words)
        near = [self._behind_twin(after - 1, mark.offset), self._before_twin(after, mark.offset)]
        if mark.glued_right and not mark.glued_left:
            near.reverse()
        glued = (mark.glued_left or mark.glued_right) and not is_note(mark.text)
        ends = self._outer_end(mark.offset)
        tried = (*near, ends) if glued else (ends, *near)
        return next((place for place in tried if place is not None), self._pause(mark.offset))

    def guess(self, mark: Mark) -> int:
        """The place at the same share of the text, between two words."""
        if self._spaced:
            ends = [word.start() if mark.glued_right else word.end() for word in self._others]
        else:
            ends = [pause.end() for pause in _PAUSE.finditer(self._translation)]
        share = mark.offset / max(1, len(self._source)) * len(self._translation)
        if not ends or not mark.glued_right:
            ends.append(self._tail(self._translation))
        return min(ends, key=lambda place: abs(place - share))

    def beside_word(self, mark: Mark, place: int) -> int:
        """The other side of the spaces at `place`, if that is where the word of a mark is."""
        if mark.glued_left:
            return len(self._translation[:place].rstrip(BLANK))
        return self.after_blank(place) if mark.glued_right else place

    def after_blank(self, place: int) -> int:
        """The first place from `place` on that has no space behind it."""
        rest = self._translation[place:]
        return place + len(rest) - len(rest.lstrip(BLANK))

    def _outer_end(self, offset: int) -> int | None:
        """The start or end of the translation, if nothing but punctuation is beyond `offset`."""
        before = self._source[:offset]
        if not any(map(str.isalnum, before)):
            return len(before) if self._translation.startswith(before) else 0
        if any(map(str.isalnum, self._source[offset:])):
            return None
        return self._tail(self._translation) if self._source[offset:] else len(self._translation)

    def _behind_twin(self, index: int, offset: int) -> int | None:
        """Behind the word's twin, and behind what punctuation stood between it and `offset`."""
        if not (twin := self._twin(index)):
            return None
        between = self._source[self._words[index].end() : offset].rstrip(BLANK)
        same = self._translation.startswith(between, twin.end())
        return twin.end() + (len(between) if same else 0)

    def _before_twin(self, index: int, offset: int) -> int | None:
        """Before the word's twin, and before what punctuation stood between `offset` and it."""
        if not (twin := self._twin(index)):
            return None
        between = self._source[offset : self._words[index].start()].lstrip(BLANK)
        same = self._translation.endswith(between, 0, twin.start())
        return twin.start() - (len(between) if same else 0)

    def _twin(self, index: int) -> re.Match[str] | None:
        """The word of the translation that is the same as a name or number of the source."""
        if not 0 <= index < len(self._words) or not _is_telling(self._words[index].group()):
            return None
        key = _key(self._words[index])
        alike = [at for at, word in enumerate(self._words) if _key(word) == key]
        twins = [word for word in self._others if _key(word) == key]
        return twins[alike.index(index)] if len(alike) == len(twins) else None

    def _pause(self, offset: int) -> int | None:
        """The place before or after the same punctuation mark."""
        for at, shift in (
            (len(self._source[:offset].rstrip(BLANK)) - 1, 1),
            (self._next(offset), 0),
        ):
            kind = _KIND_OF.get(self._source[at : at + 1]) if at >= 0 else None
            if kind:
                mine = [i for i, char in enumerate(self._source) if char in kind]
                theirs = [i for i, char in enumerate(self._translation) if char in kind]
                if len(mine) == len(theirs):
                    return theirs[mine.index(at)] + shift
        return None

    def _next(self, offset: int) -> int:
        rest = self._source[offset:]
        return offset + len(rest) - len(rest.lstrip(BLANK))

    @staticmethod
    def _tail(text: str) -> int:
        """Where the punctuation that ends `text` begins."""
        return max((at for at, char in enumerate(text, 1) if char.isalnum()), default=len(text))


def _is_telling(word: str) -> bool:
    """True for names and numbers, which mean the same thing wherever they stand."""
    return word != word.lower() or any(map(str.isdigit, word))


def _key(word: re.Match[str]) -> str:
    """What makes two words the same: their letters, or the digits of a number."""
    text = word.group().casefold()
    return re.sub("[.,]", "", text) if _NUMBER.fullmatch(text) else text
