"""The languages of a mixed text: which part of it is in which.

Every word is scored by itself, and the best sequence of languages is found with a price on every
change (Viterbi 1967), lower where a sentence or line ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

_CJK = "\u3005-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
# A run of letters of one kind, with the marks and apostrophes inside it.
_WORD = re.compile(
    rf"[{_CJK}]{{1,{_WORD_CHARACTERS}}}"
    rf"|(?:(?![{_CJK}])[^\W\d_]|[\u0300-\u036f\u0590-\u109f\u1780-\u17d3]|(?<=\w)['’](?=\w))"
    rf"{{1,{_WORD_CHARACTERS}}}"
)
_UNSPACED = re.compile(f"[{_CJK}]")
_BREAK = re.compile(r"[.!?…。！？\n\r\u2029]")
_COMMA = re.compile(r"[,;:()\[\]\"«»„“”、，；：-]")


@dataclass(frozen=True, slots=True)
class _Token:
    """A word with what belongs to it: text[start:end], and the price of a change before it."""

    word: str
    start: int
    end: int
    price: float


def segments(
    detector: Detector, text: str, languages: Iterable[str] | None = None
) -> list[Segment]:
    """Cut `text` into parts of one language each; their texts put together are `text`.

    `languages` restricts the answer as in `Detector.detect`. A part that is no language is "und".
    An empty text has no parts.
    """
    if not text:
        return []
    offered = None if languages is None else tuple(languages)
    tokens = list(_tokens(text))
    names = (*detector.languages, UNDETERMINED)
    path = _path(_scores(detector, tokens, offered), [token.price for token in tokens])
    pieces = list(_joined(text, tokens, [names[index] for index in path]))
    # The answer for a whole part is surer than that of its words, and knows numbers and code.
    probabilities = detector.probabilities([piece for piece, _ in pieces], offered)
    return list(_located(pieces, probabilities, names))


def _tokens(text: str) -> Iterator[_Token]:
    """Cut into words; each takes along what follows it, up to the last space before the next."""
    words = ADDRESS.sub(lambda match: " " * len(match[0]), text)
    found = list(_WORD.finditer(words))
    if not found:
        yield _Token("", 0, len(text), 0.0)
        return
    start, price = 0, 0.0
    for match, following in zip(found, [*found[1:], None], strict=True):
        gap = words[match.end() : following.start()] if following else ""
        cut = max((place + 1 for place, sign in enumerate(gap) if sign.isspace()), default=0)
        end = match.end() + cut if following else len(text)
        yield _Token(match[0], start, end, price)
        start, price = end, _price(gap)


def _price(gap: str) -> float:
    if _BREAK.search(gap):
        return _AFTER_SENTENCE
    return _AFTER_COMMA if _COMMA.search(gap) else _INSIDE


def _scores(
    detector: Detector, tokens: Sequence[_Token], offered: Sequence[str] | None
) -> npt.NDArray[np.float64]:
    """Return (T, K + 1) log-likelihoods of the tokens; "und" is never worth a change."""
    # Each word is judged as a finished one; equal words once.
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(token.word, len(numbers)) for token in tokens]
    found = detector.probabilities([f"{word} " for word in numbers], offered).astype(np.float64)
    # What speaks for no language speaks for none of them more than for another.
    found[:, -1] = 0
    total = found.sum(axis=1, keepdims=True)
    known = np.divide(found, total, out=np.zeros_like(found), where=total > 0)
    usable = known.any(axis=0)
    usable[-1] = not usable.any()
    doubted = (1 - _DOUBT) * known + _DOUBT / max(1, int(usable.sum()))
    doubted[(known == 0) & (total > 0)] = _OTHER_SCRIPT
    lengths = [len(word) * (3 if _UNSPACED.match(word) else 1) for word in numbers]
    weights = np.clip(np.array(lengths) / _LETTERS, 1, _MOST)
    weighed = np.log(doubted) * weights[:, None]
    scores: npt.NDArray[np.float64] = np.where(usable, weighed, -np.inf)[places]
    return scores


def _path(scores: npt.NDArray[np.float64], prices: Sequence[float]) -> list[int]:
    """Return the classes of the best sequence, one for each row of (T, K) `scores`."""
    usable = np.flatnonzero(np.isfinite(scores[0]))
    narrow = scores[:, usable]
    best = narrow[0].copy()
    stays = np.arange(len(usable))
    origins: list[npt.NDArray[Any]] = []
    for row, price in zip(narrow[1:], prices[1:], strict=True):
        leader = int(best.argmax())
        changed = best[leader] - price
        origins.append(np.where(best >= changed, stays, leader))
        best = np.maximum(best, changed) + row
    path = [int(best.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return [int(usable[index]) for index in reversed(path)]


def _joined(
    text: str, tokens: Sequence[_Token], languages: Sequence[str]
) -> Iterator[tuple[str, str]]:
    start = 0
    for token, language, following in zip(tokens, languages, [*languages[1:], None], strict=True):
        if language != following:
            yield text[start : token.end], language
            start = token.end


def _located(
    pieces: Sequence[tuple[str, str]],
    probabilities: npt.NDArray[np.float32],
    names: Sequence[str],
) -> Iterator[Segment]:
    start = 0
    for (piece, language), row in zip(pieces, probabilities, strict=True):
        end = start + len(piece.encode("utf-8", "surrogatepass"))
        if row.argmax() == len(names) - 1:
            language = UNDETERMINED
        confidence = float(row[names.index(language)])
        yield Segment(text=piece, start=start, end=end, language=language, confidence=confidence)
        start = end
