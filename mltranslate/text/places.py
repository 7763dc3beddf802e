"""Where in a translation something belongs that was taken out of its source.

In this order: at the outer end of the text; next to the same name or number; next to the same
punctuation mark, if both texts have as many of its kind; else at the same share of the text.
Only the last is a guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from mltranslate.languages import is_spaced
from mltranslate.text.edges import BLANK

_WORD = re.compile(r"@?(?:(?![\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef])[^\W_])+(?:[.,]\d+)*")
_NUMBER = re.compile(r"\d[\d.,]*")
_PAUSE = re.compile(r"[。，、；：！？,;:!?]+")
_KINDS = (",，、،", ";；؛", ":：", "(（", ")）", "–—")
_KIND_OF = {mark: kind for kind in _KINDS for mark in kind}


@dataclass(frozen=True, slots=True)
class Mark:
    """Something taken out of a text."""

    text: str
    offset: int
    """Where it stood in the text without it."""
    glued_left: bool
    """True when it touched the word or punctuation before."""
    glued_right: bool


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
    marks: Sequence[Mark], source: str, translation: str, target: str
) -> tuple[list[Edit], bool]:
    """Return how `marks`, taken out of `source`, go into its translation into `target`.

    They keep their order. The second value is True when a place was guessed.
    """
    if not marks:
        return [], False
    spaced = is_spaced(target)
    places = _Places(source, translation, spaced=spaced)
    edits: list[Edit] = []
    guessed = False
    for mark in marks:
        last = edits[-1].end if edits else 0
        sure = places.sure(mark)
        guessed |= sure is None or sure < last
        place = max(last, places.beside_word(mark, places.guess(mark) if sure is None else sure))
        left = edits[-1].text if edits and place == last else translation[:place]
        around = (
            _set_apart(mark, left[-1:], translation[place : place + 1]) if spaced else mark.text
        )
        # What touched both words had no space, and the one that stood in for it goes.
        end = places.after_blank(place) if mark.glued_left and mark.glued_right else place
        edits.append(Edit(place, end, around))
    return edits, guessed


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

    def sure(self, mark: Mark) -> int | None:
        """The place that the surroundings of a mark tell; None when they tell none."""
        after = sum(word.end() <= mark.offset for word in self._words)
        near = [self._behind_twin(after - 1, mark.offset), self._before_twin(after, mark.offset)]
        if mark.glued_right and not mark.glued_left:
            near.reverse()
        glued = mark.glued_left or mark.glued_right
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
