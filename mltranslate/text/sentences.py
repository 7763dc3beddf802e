"""Where sentences end: common rules in the spirit of UAX #29, and each language's exceptions.

Every pattern uses possessive repeats, and every look at the neighbourhood is bounded, so the
time is linear in the length of the text, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mltranslate.text.edges import is_ideograph
from mltranslate.text.items import EMOTICON, NOTE, SIGN, may_hold_items
from mltranslate.text.rules import SentenceRules, rules_for

_OPENERS = r"[\"'“”„‘‚«»‹›(\[{¿¡「『【《〈（*_–—-]"
_STOP = re.compile(
    r"(?:(?P<wide>[。！？｡]++[。！？｡.!?…]*+)"
    rf"(?P<wide_close>(?:[」』】》〉）”’\"')\]]|{NOTE})*+)"
    r"|(?P<stop>[.!?…‼⁇⁈⁉؟۔]++)"
    # French sets a space before its closing mark; elsewhere that mark would open a quotation.
    r"(?P<close>(?:[\"'”’“‘»«›‹)\]}」』*_~]|[ \u00a0\u202f]»(?![^\s.,;:!?)])"
    rf"|{NOTE})*+))(?P<gap>\s*+)(?:{_OPENERS}|\s)*+"
)
_SIGNS = re.compile(rf"(?:(?:{SIGN}|(?P<face>{EMOTICON}))[^\S\n]*+)++")
_ARROWS = "\u2190\u2192\u21d0\u21d2\u279c\u27a1"
_WORD_BEFORE = re.compile(r"[^\s\"'“”„‘‚«»‹›(\[{¿¡「『【《〈（–—]*$")
_WORD_AFTER = re.compile(r"\w{1,24}")
_DOTTED = re.compile(r"[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})+")
_SPACED = re.compile(
    r"(?<![\w.])[^\W\d_]\.[ \u00a0](?:[^\W\d_]{1,2}\.[ \u00a0]){0,3}[^\W\d_]{1,2}$"
)
_INITIAL = re.compile(r"[^\W\d_]\.")
_YEAR = re.compile(r"\d[ \u00a0]?\w{1,2}$")
_ORDINAL = re.compile(r"\d{1,2}|[IVX]{1,6}")
_LONGEST_WORD = 24
_UNBREAKABLE = "\u00a0\u202f\u2007"
_GOES_ON = ",;:)]}%،؛，、；："


def sentence_starts(text: str, language: str) -> Iterator[int]:
    """Yield each offset in `text` at which a sentence has just ended, the end of text excepted.

    The white space between two sentences belongs to the later one.
    """
    rules = rules_for(language)
    for match in _STOP.finditer(text):
        if match.end() < len(text) and _ends(match, rules):
            yield match.start("gap")


def sign_breaks(text: str, language: str) -> Iterator[int]:
    """Yield each offset after emoji, faces or symbols that part two sentences, or labels.

    They do so before a capital of a word that often begins a sentence; a face of punctuation
    before any capital, and an arrow between spaces always does.
    """
    if not may_hold_items(text):
        return
    rules = rules_for(language)
    for match in _SIGNS.finditer(text):
        if not match.group()[-1].isspace() or match.end() == len(text):
            continue
        is_arrow = match.group()[0] in _ARROWS and text[match.start() - 1 : match.start()].isspace()
        begins = match["face"] or _word_after(text, match.end()) in rules.starters
        if is_arrow or (begins and text[match.end()].isupper()):
            yield match.end()


def _ends(match: re.Match[str], rules: SentenceRules) -> bool:
    text, following = match.string, match.string[match.end()]
    if match["wide"]:
        return not (
            match["wide_close"]
            and rules.quote_goes_on
            and re.compile(rules.quote_goes_on).match(text, match.start("gap"))
        )
    if not match["gap"]:
        return _ends_between_ideographs(match, following)
    if following in _GOES_ON:
        return False
    if match["stop"] == ".":
        return _full_stop_ends(match, following, rules)
    if following.islower():
        return match["stop"][-1] in "!?‼⁇⁈⁉؟" and not _reports_speech(match)
    return True


def _ends_between_ideographs(match: re.Match[str], following: str) -> bool:
    """A stop of ASCII in unspaced text; an ellipsis there is a pause, not an end."""
    before = match.string[max(0, match.start() - 1) : match.start()]
    return "…" not in match["stop"] and is_ideograph(following) and is_ideograph(before)


def _reports_speech(match: re.Match[str]) -> bool:
    """A small letter after a closed quotation or a dash goes on: "Stop!" he said."""
    opened = match.string[match.end("gap")]
    return bool(match["close"]) or opened in "–—-"


def _full_stop_ends(match: re.Match[str], following: str, rules: SentenceRules) -> bool:
    """A single full stop between a word and white space."""
    if following.islower() or match["gap"] in _UNBREAKABLE:
        return False
    word = _word_before(match.string, match.start())
    if _binds(match, word, following, rules):
        return False
    if match["close"] or not following.isalnum() or not _may_bind(match, word, rules):
        return True
    return _word_after(match.string, match.end()) in rules.starters


def _binds(match: re.Match[str], word: str, following: str, rules: SentenceRules) -> bool:
    """An abbreviation that belongs to what comes next; "et c." is one, as "etc" and "e.t.c" are."""
    folded, whole = word.casefold(), _dotted_before(match).casefold()
    if not following.isalpha() and _binds_number(folded, rules):
        return True
    if whole in rules.closes or (folded in rules.years and _YEAR.search(_before(match))):
        return False
    begun = len(word) == 1 and word.islower() and _INITIAL.match(match.string, match.end())
    return bool(begun) or folded in rules.binds or whole in rules.binds


def _binds_number(folded: str, rules: SentenceRules) -> bool:
    return folded in rules.binds_number or folded.endswith(rules.number_endings)


def _may_bind(match: re.Match[str], word: str, rules: SentenceRules) -> bool:
    """An initial, "U.S.", "Inc." or an ordinal: it ends a sentence only before a sure beginning."""
    if len(word) == 1 and word.isupper():
        return True
    folded, whole = word.casefold(), _dotted_before(match)
    if whole.casefold() in rules.closes:
        return False
    if folded in rules.may_bind or folded in rules.years or _DOTTED.fullmatch(whole or word):
        return True
    return rules.ordinal_stop and bool(_ORDINAL.fullmatch(word))


def _before(match: re.Match[str]) -> str:
    """The last characters before a stop: no more than the longest word has."""
    return match.string[max(0, match.start() - _LONGEST_WORD) : match.start()]


def _dotted_before(match: re.Match[str]) -> str:
    """The abbreviation that ends before a stop, without its spaces: "h.c" for "h. c."."""
    found = _SPACED.search(_before(match))
    return found.group().replace(" ", "").replace("\u00a0", "") if found else ""


def _word_before(text: str, end: int) -> str:
    """The word that touches `end`; its first letters are missing if it is very long."""
    match = _WORD_BEFORE.search(text[max(0, end - _LONGEST_WORD) : end])
    return match.group() if match else ""


def _word_after(text: str, start: int) -> str:
    match = _WORD_AFTER.match(text, start)
    return match.group().casefold() if match else ""
