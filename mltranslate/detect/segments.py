"""The languages of a mixed text: which part of it is in which.

Every word is scored by itself, and the best sequence of languages is found with a price on every
change (Viterbi 1967), lower where a sentence or line ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mltranslate.detect.features import ADDRESS
from mltranslate.types import UNDETERMINED, Segment

if TYPE_CHECKING:
    from mltranslate.detect.detector import Detector

_INSIDE, _AFTER_COMMA, _AFTER_SENTENCE = 7.0, 5.0, 3.0
"""Price of a change of language, in nats, by what stands before the word."""
_DOUBT = 0.02
"""Share of the probability that a word leaves to all languages of its script together."""
_OTHER_SCRIPT = 1e-8
"""Probability of a language that is not written like the word: one such word is a part."""
_LETTERS, _MOST = 6, 4.0
"""A word of so many letters counts once, a longer one more, up to this."""
_WORD_CHARACTERS = 400
"""Letters without a break beyond this many are scored in pieces."""
_TOGETHER = 4096
"""Words, or parts, that are scored together: the memory for scores does not grow with the text."""

_CJK = "\u3005-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
# Vowel signs and other marks are no \w, yet they are part of a word.
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0730-\u074a\u07a6-\u07b0\u0900-\u0963\u0970-\u1049\u104c-\u109f\u1780-\u17d3"
)
# A run of letters of one kind, with the marks and apostrophes inside it.
_WORD = re.compile(
    rf"[{_CJK}]{{1,{_WORD_CHARACTERS}}}"
    rf"|(?:(?![{_CJK}\d])[^\W_{_MARKS}]|(?!\d)[{_MARKS}]|(?<=\w)['’](?=\w))"
    rf"{{1,{_WORD_CHARACTERS}}}"
)
_UNSPACED = re.compile(f"[{_CJK}]")
_BREAK = re.compile(r"[.!?…。！？؟۔।॥။።\n\r\u2029]")
_COMMA = re.compile(r"[,;:()\[\]\"«»„“”、，；：،؛၊-]")
# Brackets, quotes and signs that stand before a word, and the signs that begin a direction.
_OPENS = "(\\[{«‹“‘„‚「『（［｛【〈《〔〖¿¡#@$€£¥\u202a\u202b\u202d\u202e\u2066-\u2068"
_OPENING = re.compile(f"[{_OPENS}]")
_OPENING_OR_QUOTE = re.compile(f'[{_OPENS}"]')
_SPACES = re.compile(r"\s(?:.*\s)?", re.DOTALL)  # from the first space to the last

_Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The T words of texts in their order, each with what belongs to it."""

    words: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Characters of its text up to the end of each word and of what belongs to it."""
    prices: list[float] = field(default_factory=list)
    """Of a change of language before each word; 0 where a text begins, and only there."""

    def add(self, word: str, end: int, price: float) -> None:
        """Append one word."""
        self.words.append(word)
        self.ends.append(end)
        self.prices.append(price)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of texts[owner] whose words are in the language of class `label`."""

    owner: int
    text: str
    label: int


def segments(
    detector: Detector, text: str, languages: Iterable[str] | None = None
) -> list[Segment]:
    """Cut `text` into parts of one language each; their texts put together are `text`.

    `languages` restricts the answer, and is refused before any work, as in `Detector.detect`. A
    part that is no language, or in a script of no language on offer, is "und". An empty text has
    no parts.
    """
    return segments_many(detector, [text], languages)[0]


def segments_many(
    detector: Detector, texts: Sequence[str], languages: Iterable[str] | None = None
) -> list[list[Segment]]:
    """Do what `segments` does for many texts at once, much faster a text."""
    offered = detector.offered(languages)
    tokens = _Tokens()
    for text in texts:
        _tokenise(text, tokens)
    parts = _cut(texts, tokens, _path(detector, tokens, offered))
    found: list[list[Segment]] = [[] for _ in texts]
    names = (*detector.languages, UNDETERMINED)
    for part, label, confidence in _judged(detector, parts, offered):
        _append(found[part.owner], part.text, names[label], confidence)
    return found


def _append(before: list[Segment], text: str, language: str, confidence: float) -> None:
    """Append a part, joined with the one before where that turned out to be in its language."""
    start = begin = before[-1].end if before else 0
    end = start + len(text.encode("utf-8", "surrogatepass"))
    if before and before[-1].language == language:
        joined = before.pop()
        text, begin = joined.text + text, joined.start
        confidence = min(joined.confidence, confidence)
    before.append(
        Segment(text=text, start=begin, end=end, language=language, confidence=confidence)
    )


def _tokenise(text: str, tokens: _Tokens) -> None:
    """Add the words of `text`; one that has none is one empty word."""
    words = _without_addresses(text)
    word, end, quotes, price = "", 0, 0, 0.0
    for match in _WORD.finditer(words):
        if word:
            gap = words[end : match.start()]
            if gap == " ":  # most are
                tokens.add(word, end + 1, price)
                price = _INSIDE
            else:
                quotes += gap.count('"')
                tokens.add(word, end + _belonging(gap, quotes % 2 == 1), price)
                price = _price(gap)
        else:
            quotes = words.count('"', 0, match.start())
        word, end = match[0], match.end()
    if text:
        tokens.add(word, len(text), price)


def _without_addresses(text: str) -> str:
    """Return `text` with spaces in the place of web and mail addresses."""
    if "@" in text or "://" in text or "www." in text.lower():
        return ADDRESS.sub(lambda match: " " * len(match[0]), text)
    return text


def _belonging(gap: str, quoted: bool) -> int:
    """Return how much of the gap between two words belongs to the first of them.

    What touches a word is the word's; between spaces, and where no space is, an opening sign and
    all after it are the next word's. `quoted` says that the last ASCII quote mark opens.
    """
    spaces = _SPACES.search(gap)
    first, last = spaces.span() if spaces else (0, len(gap))
    opening = (_OPENING_OR_QUOTE if quoted else _OPENING).search(gap, first, last)
    return opening.start() if opening else last


def _price(gap: str) -> float:
    if _BREAK.search(gap):
        return _AFTER_SENTENCE
    return _AFTER_COMMA if _COMMA.search(gap) else _INSIDE


def _path(detector: Detector, tokens: _Tokens, offered: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the (T,) classes of the best sequence for every text."""
    chosen = [row for row, language in enumerate(detector.languages) if language in offered]
    classes = np.array([*chosen, len(detector.languages)])
    best = np.zeros(len(classes), np.float32)
    leaders: list[int] = []
    changes: list[npt.NDArray[np.uint8]] = []
    for start in range(0, len(tokens.words), _TOGETHER):
        words = tokens.words[start : start + _TOGETHER]
        places, scores = _scores(detector, words, offered)
        prices = tokens.prices[start : start + _TOGETHER]
        best -= best.max()  # keeps the sums small and so exact
        changes.append(_forward(best, scores[:, classes], places, prices, leaders))
    return classes[_traced(int(best.argmax()), leaders, changes)]


def _traced(
    label: int, leaders: Sequence[int], changes: Sequence[npt.NDArray[np.uint8]]
) -> npt.NDArray[np.int64]:
    """Return the (T,) labels of the sequence that ends with `label`, from what `_forward` gave."""
    path = np.empty(len(leaders), np.int64)
    place = len(leaders)
    for packed in reversed(changes):
        for changed in np.unpackbits(packed, axis=1)[::-1]:
            place -= 1
            path[place] = label
            if changed[label]:
                label = leaders[place]
    return path


def _forward(
    best: _Scores,
    scores: _Scores,
    places: Sequence[int],
    prices: Sequence[float],
    leaders: list[int],
) -> npt.NDArray[np.uint8]:
    """Extend the best sequences by the words scores[places]; `best` (K,) changes in place.

    Appends the class that led before each word, and returns as packed bits (T, K) which classes
    were reached by a change from it.
    """
    changed = np.empty((len(places), len(best)), np.bool_)
    for mask, place, price in zip(changed, places, prices, strict=True):
        leader = int(best.argmax())
        leaders.append(leader)
        least = best[leader] - np.float32(price)
        np.less(best, least, out=mask)
        np.maximum(best, least, out=best)
        best += scores[place]
    return np.packbits(changed, axis=1)


def _scores(
    detector: Detector, words: Sequence[str], offered: Sequence[str]
) -> tuple[list[int], _Scores]:
    """Return the row of each word, and (U, K + 1) log-likelihoods of the different words.

    The last class is that of words whose script no language on offer uses.
    """
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(word, len(numbers)) for word in words]
    # Each word is judged as a finished one.
    known = detector.probabilities([f"{word} " for word in numbers], offered)
    # What speaks for no language speaks for none of them more than for another.
    known[:, -1] = 0
    total = known.sum(axis=1, keepdims=True)
    known /= np.where(total > 0, total, 1)
    for word, row, any_language in zip(numbers, known, total > 0, strict=True):
        if not any_language and any(map(str.isalpha, word)):
            row[-1] = 1
    possible = known > 0
    known *= 1 - _DOUBT
    known += _DOUBT / np.maximum(possible.sum(axis=1, keepdims=True), 1)
    known[~possible & possible.any(axis=1, keepdims=True)] = _OTHER_SCRIPT
    lengths = [len(word) * (3 if _UNSPACED.match(word) else 1) for word in numbers]
    weights = np.clip(np.array(lengths, np.float32) / _LETTERS, 1, _MOST)
    np.log(known, out=known)
    known *= weights[:, None]
    return places, known


def _cut(texts: Sequence[str], tokens: _Tokens, path: npt.NDArray[np.int64]) -> list[_Part]:
    """Put neighbouring words of one class together."""
    begins = np.array(tokens.prices) == 0
    last = np.append((path[1:] != path[:-1]) | begins[1:], True)[: len(path)].nonzero()[0]
    filled = [number for number, text in enumerate(texts) if text]
    owners = (begins.cumsum() - 1)[last].tolist()
    parts = []
    before, start = -1, 0
    for owner, place, label in zip(owners, last.tolist(), path[last].tolist(), strict=True):
        number = filled[owner]
        start = start if owner == before else 0
        end = tokens.ends[place]
        parts.append(_Part(number, texts[number][start:end], label))
        before, start = owner, end
    return parts


def _judged(
    detector: Detector, parts: Sequence[_Part], offered: Sequence[str]
) -> Iterator[tuple[_Part, int, float]]:
    """Yield each part with its class and probability.

    The answer for a whole part is surer than that of its words, and knows numbers and code.
    """
    for start in range(0, len(parts), _TOGETHER):
        chunk = parts[start : start + _TOGETHER]
        rows = detector.probabilities([part.text for part in chunk], offered)
        labels = np.array([part.label for part in chunk])
        places = np.arange(len(chunk))
        likeliest = rows.argmax(axis=1)
        wrong = (rows[places, labels] == 0) | (likeliest == rows.shape[1] - 1)
        labels = np.where(wrong, likeliest, labels)
        yield from zip(chunk, labels.tolist(), rows[places, labels].tolist(), strict=True)
