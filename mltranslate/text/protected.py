"""Keeps links, code, placeholders, emoji and markup through a model that knows none of them.

Words that must not change (links, code, placeholders, what no vocabulary spells) go through the
model as stand-ins, short words that models copy, and are put back where these come out. Emoji,
symbols, markup and currency signs are taken out of the sentence and put back by
`mltranslate.text.places`. Sentences in capitals go through the model in small letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mltranslate.alignment import NO_ALIGNMENT, Alignment, places
from mltranslate.text.casing import capitalised, is_shouted, lowered, raised
from mltranslate.text.edges import BLANK, core, has_language, is_ideograph
from mltranslate.text.foreign import Knows, foreign_words, knows_all
from mltranslate.text.items import find_items
from mltranslate.text.marks import Mark, is_note, pairs_of, singles
from mltranslate.text.pairs import Link, termed, widened
from mltranslate.text.places import Edit, apply, put_back
from mltranslate.text.spans import Span, spans_of

STAND_INS: tuple[tuple[str, ...], ...] = (("@a1", "@b2", "@c3", "@d4"), ("Linux", "Google"))
"""For each attempt the words that take the place of a sentence's names, in order."""

_MOST_ITEMS = 200
"""A "sentence" with more of them is a list or noise; it goes to the model as it is."""
_EMPHASIS = frozenset("*_~")
_OPENING_TAG = re.compile(r"(?:<[A-Za-z](?:[^<>]*[^<>/])?>)+")
_JOINTS = frozenset("-/:.+=_")
_CLOSING = frozenset(".,;:!?…)]}»”。，、；：！？）」』،؛؟")


@dataclass(frozen=True, slots=True)
class Masked:
    """A sentence as the model gets it, and what it lacks."""

    source: str
    text: str
    """The sentence with stand-ins, without what was taken out, and never in capitals."""
    names: tuple[tuple[str, str], ...]
    """Each stand-in and what it stands for, in order."""
    marks: tuple[Mark, ...]
    shouted: bool
    """True when the sentence was in capitals."""

    @property
    def has_pairs(self) -> bool:
        """Whether some of the marks are around words."""
        return bool(pairs_of([one for mark in self.marks for one in singles(mark, self.text)]))

    def restore(
        self,
        translation: str,
        target: str,
        alignment: Alignment = NO_ALIGNMENT,
        terms: Sequence[tuple[str, str]] = (),
    ) -> tuple[str, bool] | None:
        """Return a translation of `text` into `target` with everything back in it.

        With an `alignment` of both, marks are around the words that come from those they were
        around; `terms` are what the translation was made to have. The second value is True when
        a place was guessed. None when a stand-in did not come out exactly once.
        """
        if translation == self.text:
            return self.source, False
        if any(len(_found(word, translation)) != 1 for word, _ in self.names):
            return None
        if self.shouted:
            translation = raised(translation, [word for word, _ in self.names], target)
        links = self._links(translation, alignment, terms)
        edits, guessed = put_back(self.marks, self.text, translation, target, links)
        edits += [Edit(*_found(word, translation)[0], name) for word, name in self.names]
        return apply(edits, translation), guessed

    def _links(
        self, translation: str, alignment: Alignment, terms: Sequence[tuple[str, str]]
    ) -> list[Link]:
        links = [(one.source, one.target) for one in places(alignment, self.text, translation)]
        here, there = (
            [span for word, _ in self.names for span in _found(word, text)]
            for text in (self.text, translation)
        )
        return termed(widened(links, here, there), terms, self.text, translation)

    def beginning(self, translation: str, target: str) -> str:
        """Return the beginning of a translation into `target` with the names that it has so far."""
        stand_ins = [word for word, name in self.names if word != name]
        translation = _before_broken(translation, stand_ins)
        if self.shouted:
            translation = raised(translation, [word for word, _ in self.names], target)
        edits = [
            Edit(*place, name) for word, name in self.names for place in _found(word, translation)
        ]
        return apply(edits, translation)


def mask(
    sentence: str, attempt: int = 0, language: str = "", knows: Knows = knows_all
) -> Masked | None:
    """Hide from the model what it must not change, and capitals; None when there is neither.

    `attempt` chooses the stand-ins. In a sentence with more names than stand-ins, the last ones
    go to the model as they are. `language` is the sentence's, if it is known. Words with what the
    model does not know count as names.
    """
    items = _items(sentence, knows)
    shouted = is_shouted(_without(items, sentence))
    if len(items) > _MOST_ITEMS or not (items or shouted):
        return None
    fresh = iter([word for word in STAND_INS[attempt] if word not in sentence])
    made = _Making()
    done = 0
    for item in items:
        made.text += _said(sentence[done : item.start], language, shouted=shouted)
        done = item.end
        found = sentence[item.start : item.end]
        if item.is_name:
            made.add_name(found, next(fresh, found))
        else:
            done += made.take_out(found, sentence[item.end :])
    text = made.text + _said(sentence[done:], language, shouted=shouted)
    text = capitalised(text, language) if shouted else text
    return Masked(sentence, text, tuple(made.names), tuple(made.marks), shouted)


def calmed(sentence: str, language: str) -> str | None:
    """Return a sentence in capitals in small letters, its items as they are; None for another."""
    items = _items(sentence)
    if not is_shouted(_without(items, sentence)):
        return None
    said, done = "", 0
    for item in items:
        said += lowered(sentence[done : item.start], language) + sentence[item.start : item.end]
        done = item.end
    return capitalised(said + lowered(sentence[done:], language), language)


def names(sentence: str) -> list[str]:
    """Return the links and the code of a sentence, as they are written."""
    return [sentence[item.start : item.end] for item in _items(sentence) if item.is_name]


def parts(sentence: str, knows: Knows = knows_all) -> list[Span]:
    """Cut a sentence around its names, which are spans to keep; see `spans_of`."""
    return spans_of(sentence, _between_names(sentence, knows))


@dataclass(slots=True)
class _Item:
    start: int
    end: int
    is_name: bool


@dataclass(slots=True)
class _Making:
    """A masked sentence in the making."""

    text: str = ""
    names: list[tuple[str, str]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def add_name(self, name: str, stand_in: str) -> None:
        self.names.append((stand_in, name))
        self.text += stand_in

    def take_out(self, found: str, rest: str) -> int:
        """Leave `found` out, with one of the spaces around it; return how many of `rest` go too."""
        left, right = self.text[-1:], rest[:1]
        skipped = 0 if left and left not in BLANK else len(rest) - len(rest.lstrip(BLANK))
        following = rest[skipped : skipped + 1]
        if not following or following in _CLOSING:
            self.text = self.text.rstrip(BLANK)
        elif _is_letter(left) and _is_letter(right):
            self.text += " "
        # Chinese and Japanese have no spaces, so that touching says nothing there, except for
        # markup, which touches what it is around.
        stop = left.isascii() and not left.isalnum() and bool(left) and left not in BLANK
        after = self._closes(found) or is_note(found)
        behind = _is_letter(left) or stop or (after and is_ideograph(left))
        before = _is_letter(right) or (self._opens(found) and is_ideograph(right))
        within = _is_letter(left) and _is_letter(right)
        self.marks.append(Mark(found, len(self.text), behind, before, within))
        return skipped

    def _opens(self, found: str) -> bool:
        if found[0] in _EMPHASIS:
            return not self._is_open(found)
        is_link = found.startswith(("[", "![")) and not is_note(found)
        return is_link or _OPENING_TAG.fullmatch(found) is not None

    def _closes(self, found: str) -> bool:
        return self._is_open(found) if found[0] in _EMPHASIS else found.startswith(("]", "</"))

    def _is_open(self, found: str) -> bool:
        return sum(mark.text == found for mark in self.marks) % 2 == 1


def _items(sentence: str, knows: Knows = knows_all) -> list[_Item]:
    """The items of a sentence; neighbours of one sort, and what joins them, are one."""
    items: list[_Item] = []
    for one in _found_items(sentence, knows):
        last = items[-1] if items else None
        joined = last and last.is_name == one.is_name
        if last and joined and _joins(sentence[last.end : one.start], one.is_name):
            last.end = one.end
        else:
            items.append(one)
    return items


def _found_items(sentence: str, knows: Knows) -> list[_Item]:
    found = [
        _Item(*match.span(), match.lastgroup in ("link", "code")) for match in find_items(sentence)
    ]
    rest, done = "", 0
    for item in found:
        rest += sentence[done : item.start] + "\n" * (item.end - item.start)
        done = item.end
    rest += sentence[done:]
    found += [_Item(*word) for word in foreign_words(rest, knows)]
    return sorted(found, key=lambda item: item.start)


def _without(items: list[_Item], sentence: str) -> str:
    starts = [0, *(item.end for item in items)]
    ends = [*(item.start for item in items), len(sentence)]
    return " ".join(sentence[start:end] for start, end in zip(starts, ends, strict=True))


def _said(text: str, language: str, *, shouted: bool) -> str:
    return lowered(text, language) if shouted else text


def _joins(between: str, is_name: bool) -> bool:
    """True for what makes one item of two: "{hours}:{minutes}", "😀 👍"."""
    return (not between or between in _JOINTS) if is_name else not between.strip(BLANK)


def _found(word: str, text: str) -> list[tuple[int, int]]:
    """Where `word` stands in `text`, not as a part of a longer word."""
    pattern = rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])"
    return [match.span() for match in re.finditer(pattern, text)]


def _before_broken(text: str, stand_ins: Sequence[str]) -> str:
    """The text before a stand-in that is cut off at its end, or that runs into other letters."""
    ends = [len(text)]
    for word in stand_ins:
        whole = {start for start, _ in _found(word, text)}
        starts = (match.start() for match in re.finditer(re.escape(word), text))
        ends += [start for start in starts if start not in whole]
        ends += [len(text) - n for n in range(1, len(word)) if text.endswith(word[:n])]
    return text[: min(ends)].rstrip() if min(ends) < len(text) else text


def _between_names(sentence: str, knows: Knows) -> Iterator[tuple[int, int]]:
    """Ranges of what is to be translated when the names of a sentence stay where they are."""
    start = 0
    ends = [(item.start, item.end) for item in _items(sentence, knows) if item.is_name]
    for end, following in [*ends, (len(sentence), len(sentence))]:
        left, right = core(sentence[start:end])
        if left < right and has_language(sentence[start + left : start + right]):
            yield start + left, start + right
        start = following


def _is_letter(char: str) -> bool:
    return char.isalnum() and not is_ideograph(char)
