"""What stands around a sentence and is never translated, and what is no language at all."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff" + "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
_SPACES = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())
BLANK = _SPACES + _INVISIBLE
"""Every character that shows nothing: white space, zero-width characters, bidi controls."""
_BLANKS = re.compile(f"[{re.escape(BLANK)}]*+")

_EMOJI = (
    r"[\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    r"\U0001f000-\U0001faff][\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*+"
)
_URL = r"(?:(?:https?|ftp|file)://|mailto:|www\.)[!-~]*[A-Za-z0-9/_=&#+~-]"
# The look-behind lets a run of letters be tried once, not once a letter.
_EMAIL = r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+"
_MENTION = r"(?<![\w@])@\w++"
_PROTECTED = re.compile(f"(?:{_URL})|(?:{_EMAIL})|(?:{_MENTION})|(?:{_EMOJI})")

_BULLET = r"(?:(?:\#{1,6}|>+|\[[ xX]\]|[-*+·○–—])[ \t\u3000]+|[•‣◦▪●■□◆][ \t\u3000]*)"
_NUMBER = r"(?:\(?\d{1,4}\)|\(?[A-Za-z]\)|\d{1,3}\.|[①-⑳])[ \t\u3000]+"
_LEAD = re.compile(f"(?:{_BULLET})*(?:{_NUMBER})?")
_LEAD_BUT_ORDINAL = re.compile(rf"(?:{_BULLET})*(?:(?!\d+\.){_NUMBER})?")

_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,200}>|(?<!\w)\w++\(\)")
_CANDIDATE = re.compile(r"[^\s,;!?()\[\]{}\"“”„«»‹›|…<>]++")
_AROUND_WORDS = ".:'’‘-*_~`/"
_WORDS = re.compile(r"(?=.*[A-Za-z]{2})[A-Za-z]+(?:['’/&.:-]+[A-Za-z]+)*")
_IDENTIFIER = re.compile(r"[a-z][A-Z]|\.[a-z0-9]{1,5}$|/.*/|::")


def bullet_end(line: str, *, ordinal_stop: bool = False) -> int:
    """Return the length of the indentation, bullet and number that begin `line`.

    With `ordinal_stop`, "3. " stays in the sentence, where it may be an ordinal ("3. Mai").
    """
    indent = _after_blank(line, 0)
    match = (_LEAD_BUT_ORDINAL if ordinal_stop else _LEAD).match(line, indent)
    return match.end() if match else indent


def core(sentence: str) -> tuple[int, int]:
    """Return start and end of what is left of `sentence` without its untranslated edges.

    White space, invisible characters, emoji, URLs, e-mail addresses and @names are cut off both
    ends. Start and end are equal when nothing else is left.
    """
    start = _after_blank(sentence, 0)
    end = _before_blank(sentence, len(sentence), start)
    kept = [match.span() for match in _PROTECTED.finditer(sentence, start, end)]
    for left, right in kept:
        if left != start:
            break
        start = min(_after_blank(sentence, right), end)
    for left, right in reversed(kept):
        if right != end or left < start:
            break
        end = _before_blank(sentence, left, start)
    return start, end


def has_language(sentence: str) -> bool:
    """Return True when `sentence` holds a word that could be translated.

    Numbers, URLs, addresses, emoji, punctuation and identifiers ("snake_case", "camelCase",
    "v1.2", "a.py", "x = 1") are no language.
    """
    rest = _MARKUP.sub(" ", _PROTECTED.sub(" ", sentence))
    return any(_is_word(match.group().strip(_AROUND_WORDS)) for match in _CANDIDATE.finditer(rest))


def is_ideograph(char: str) -> bool:
    """Return True for Han, kana and full-width forms, which are set without spaces."""
    return "\u3000" < char <= "\u9fff" or "\uff00" <= char <= "\uffef" or char > "\U0001ffff"


def _is_word(text: str) -> bool:
    text = text.replace("’", "'")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        return any(char.isalpha() and not char.isascii() for char in text)
    return bool(_WORDS.fullmatch(text)) and not _IDENTIFIER.search(text)


def _after_blank(text: str, start: int) -> int:
    match = _BLANKS.match(text, start)
    return match.end() if match else start


def _before_blank(text: str, end: int, start: int) -> int:
    while end > start and text[end - 1] in BLANK:
        end -= 1
    return end
