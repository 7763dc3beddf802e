"""Sentences that begin with a small letter: with a capital to the model, as they were from it.

Models have learnt from sentences with capitals. Without the first one they take what follows for
something else, in German for words that are none (docs/quality.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mltranslate.text.casing import capitalised, small_letters
from mltranslate.text.fragments import is_fragment, unended

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*+")
_FIRST = re.compile(rf"({_WORD.pattern})(?=[ ,])")
_LEAD = re.compile(r"[\W_]*")
_PRONOUN = re.compile(r"(?<![\w.'’-])i(?=['’](?:m|ve|ll|d|s|re)\b| [a-z])")

_MORE = 1
"""Subwords that a word may take in addition with its capital."""
_VOWEL = re.compile("[aeiouyà-öø-ÿаеёиоуыэюяі]", re.IGNORECASE)
_CAPITALS = {
    "en": frozenset(("I", "I'm", "I’m", "I've", "I’ve", "I'll", "I’ll", "I'd", "I’d")),
    "de": frozenset(("Sie", "Ihr", "Ihre", "Ihren", "Ihrem", "Ihrer", "Ihnen")),
}
"""Words that have a capital within a sentence, too, or would be others without it."""
_SMALL_IN_GERMAN = frozenset({
    "Also", "Am", "An", "Bin", "Der", "Die", "Das", "Du", "Er", "Es", "Fast", "Hat", "Her", "Ich",
    "In", "Ja", "Man", "Mein", "Meine", "Nein", "So", "Wann", "War", "Warum", "Was", "Wer", "Wie",
    "Will", "Wir", "Wo",
})  # fmt: skip
"""They begin so many sentences that a vocabulary has them with a capital first, or are written like
English words."""

Encode = Callable[[str], tuple[int, ...]]
"""The subwords of a word: a frequent one has few, which come first in the vocabulary."""


def raised_start(text: str, language: str, encode: Encode) -> str | None:
    """Return a sentence with a capital, and the English "i" with one; None where nothing changes.

    Words and short phrases without a mark stay as they are, and so does what begins with no word,
    or with a name such as "iPhone", or with one that a vocabulary without capitals would spell.
    """
    found = _FIRST.match(text)
    bare, mark = unended(text)
    if found is None or (is_fragment(bare) and not mark):
        return None
    word = found[1]
    if not _VOWEL.search(word):  # a name such as npm
        return None
    raised = capitalised(text, language) if word.islower() else text
    if len(encode(raised[: len(word)])) > len(encode(word)) + _MORE:
        return None
    raised = _PRONOUN.sub("I", raised) if language == "en" else raised
    return raised if raised != text else None


def lowered_start(text: str, source: str, language: str, encode: Encode) -> str:
    """Return `text`, a translation that begins with a capital since its model read one.

    `source` begins with a small letter; a name, a noun of German and the like keep theirs. A word
    of the source that came through as it is gets the letters that it has there.
    """
    if not source[:1].islower():
        return text
    lead = _LEAD.match(text)
    begin = lead.end() if lead else 0
    first = _WORD.match(text, begin)
    if first and _is_lowered(first[0], source, language, encode):
        small = small_letters(text[begin : begin + 1], language)
        text = text[:begin] + small + text[begin + 1 :]
    return text if language == "de" else _with_copies(text, source, encode)


def _is_lowered(word: str, source: str, language: str, encode: Encode) -> bool:
    """Whether the first word of a translation has its capital for its place alone."""
    if not _is_begun(word) or word in source or word in _CAPITALS.get(language, ()):
        return False
    if language == "de":  # what German has from other languages are nouns
        copied = word.lower() in source.split()
        return word in _SMALL_IN_GERMAN or (_is_rarer(word, encode) and not copied)
    return not _has_names(source) or _is_small(word, encode)


def _has_names(text: str) -> bool:
    """Whether any word has a capital, but for the English "I"."""
    words = (found[0] for found in _WORD.finditer(text))
    return any(word[:1].isupper() and word not in _CAPITALS["en"] for word in words)


def _with_copies(text: str, source: str, encode: Encode) -> str:
    """Return `text` with the first word of its source as that is, wherever it came through."""
    found = _FIRST.match(source)
    copy = capitalised(found[1]) if found else ""
    if found is None or copy in source or copy not in text or not _is_small(copy, encode):
        return text
    return re.sub(rf"\b{re.escape(copy)}\b", found[1], text)


def _is_small(word: str, encode: Encode) -> bool:
    """Whether a word takes no more subwords without its capital."""
    return len(encode(word.lower())) <= len(encode(word))


def _is_rarer(word: str, encode: Encode) -> bool:
    """Whether a word is rarer than without its capital."""
    small, capital = encode(word.lower()), encode(word)
    return (len(small), small) < (len(capital), capital)


def _is_begun(word: str) -> bool:
    """Whether its first letter is its only capital."""
    return word[:1].isupper() and not any(map(str.isupper, word[1:]))
