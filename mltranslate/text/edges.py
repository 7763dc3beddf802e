"""What stands around a sentence and is never translated, and what is no language at all."""

from __future__ import annotations

import re
import unicodedata

from mltranslate.text.items import ITEM, find_items, may_hold_items
from mltranslate.text.rules import SentenceRules

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff" + "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
_SPACES = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())
BLANK = _SPACES + _INVISIBLE
"""Every character that shows nothing: white space, zero-width characters, bidi controls."""
_BLANKS = re.compile(f"[{re.escape(BLANK)}]*+")

_BULLET = (
    r"(?:(?:\#{1,6}|>+|\[[ xX]\]|\[\^[\w-]{1,40}\]:|[-*+·○–—])[ \t\u3000]+"
    r"|[•‣◦▪●■□◆・][ \t\u3000]*)"
)
_COUNT = r"(?:\d{1,3}|[一二三四五六七八九十]{1,3})"
# Without a space, "一、二、三" counts and "３．５倍" is a number.
_UNSPACED = rf"(?:{_COUNT}[、．）]|（{_COUNT}）)(?![\d一二三四五六七八九十])[ \t\u3000]*"
_NUMBER = (
    r"(?:\(?\d{1,4}\)|\(?[A-Za-z]\)|(?P<stopped>\d{1,3}\.|[IVX]{2,5}\.)|[①-⑳])[ \t\u3000]+"
    rf"|{_UNSPACED}"
)
_LEAD = re.compile(f"(?:{_BULLET})*(?:{_NUMBER})?")
_COUNTED = re.compile(r"[^\W\d_]{1,24}")
_DATE = re.compile(r"(?:[–—/-][ \t]?)?\d{1,2}\.")
"""What goes on with a date, or with a range: "3. 5. 2026", "3. – 5. Mai"."""

_COMMON = SentenceRules()

_CANDIDATE = re.compile(r"[^\s,;!?¡¿‚—–()\[\]{}\"“”„«»‹›|…<>]++")
_AROUND_WORDS = ".:'’‘-*_~`/"
_WORDS = re.compile(r"(?=.*[A-Za-z]{2})[A-Za-z]+(?:['’/&.:-]+[A-Za-z]+)*")
_IDENTIFIER = re.compile(r"[a-z][A-Z]|\.[a-z0-9]{1,5}$|/.*/|::")


def bullet_end(line: str, rules: SentenceRules = _COMMON) -> int:
    """Return the length of the indentation, bullet and number that begin `line`.

    By `rules` that know ordinals with a stop, such a number stays in the sentence ("3. Mai").
    """
    indent = _after_blank(line, 0)
    match = _LEAD.match(line, indent)
    if match is None:
        return indent
    ordinal = rules.ordinal_stop and match["stopped"] and _is_counted(line, match.end(), rules)
    return match.start("stopped") if ordinal else match.end()


def core(sentence: str) -> tuple[int, int]:
    """Return start and end of what is left of `sentence` without its untranslated edges.

    White space, invisible characters and emoji are cut off both ends, and so are URLs, e-mail
    addresses, @names and #tags that are no part of the sentence: with a stop between, before a
    capital, or alone. Start and end are equal when nothing else is left.
    """
    start = _after_blank(sentence, 0)
    end = _before_blank(sentence, len(sentence), start)
    outside = [
        match for match in find_items(sentence, start, end) if match["sign"] or match["link"]
    ]
    for match in outside:
        following = min(_after_blank(sentence, match.end()), end)
        first = sentence[following : min(following + 1, end)]
        if match.start() != start or (match["link"] and _goes_on(first)):
            break
        start = following
    for match in reversed(outside):
        before = _before_blank(sentence, match.start(), start)
        if match.end() != end or match.start() < start:
            break
        if match["link"] and sentence[max(start, before - 1) : before].isalnum():
            break
        end = before
    return start, end


def has_language(sentence: str) -> bool:
    """Return True when `sentence` holds a word that could be translated.

    Numbers, URLs, addresses, emoji, punctuation and identifiers ("snake_case", "camelCase",
    "v1.2", "a.py", "x = 1") are no language.
    """
    rest = ITEM.sub(" ", sentence) if may_hold_items(sentence) else sentence
    return any(_is_word(match.group().strip(_AROUND_WORDS)) for match in _CANDIDATE.finditer(rest))


def is_ideograph(char: str) -> bool:
    """Return True for Han, kana and full-width forms, which are set without spaces."""
    return "\u3000" < char <= "\u9fff" or "\uff00" <= char <= "\uffef" or char > "\U0001ffff"


def _goes_on(first: str) -> bool:
    """True when a character, or none, goes on with a sentence, whose subject is then before it."""
    return first.islower() or (bool(first) and is_ideograph(first))


def _is_word(text: str) -> bool:
    text = text.replace("’", "'")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        return any(char.isalpha() and not char.isascii() for char in text)
    return bool(_WORDS.fullmatch(text)) and not _IDENTIFIER.search(text)


def _is_counted(line: str, start: int, rules: SentenceRules) -> bool:
    """True when what begins at `start` makes an ordinal of the number with a stop before it."""
    word = _COUNTED.match(line, start)
    if word is None:
        return _DATE.match(line, start) is not None
    return line[start].islower() or word.group().casefold() in rules.counted


def _after_blank(text: str, start: int) -> int:
    match = _BLANKS.match(text, start)
    return match.end() if match else start


def _before_blank(text: str, end: int, start: int) -> int:
    while end > start and text[end - 1] in BLANK:
        end -= 1
    return end
