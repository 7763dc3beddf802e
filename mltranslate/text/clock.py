"""Times of the English clock of twelve hours, as languages write them that count to 24.

A small model takes "p.m." for a unit, a year or nothing: "at 3pm" came out as three in the
morning in German and "from 8 a.m." as "от 8 млр." in Russian. What it copies is "15:00".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mltranslate.text.items import find_items

_FROM = frozenset(("en",))
_INTO = frozenset(("de", "fr", "es", "it", "pt", "ru", "zh", "ja"))
_HOUR = r"(?:1[0-2]|0?[1-9])(?:[:.][0-5]\d)?"
_HALF = r"(?P<half>[AaPp])(?:\.[Mm]\.|[Mm]\b(?!\.[A-Za-z]))"
_TIME = re.compile(
    rf"(?<![\w.,:/$£€-])(?:(?P<first>{_HOUR})(?:[ \u00a0]?(?P<begin>[AaPp])\.?[Mm]\.?)?"
    r"(?P<to>[ \u00a0]?[-\u2013][ \u00a0]?|[ ]to[ ]))?"
    rf"(?P<last>{_HOUR})[ \u00a0\u202f]?{_HALF}(?!\w)"
)
_WRITTEN = re.compile(r"(?<![\d:])(\d{1,2}):([0-5]\d)(?![\d:])")
_SAID = {
    "ja": re.compile(r"(?<!\d)(\d{1,2})(?:[:：]\d\d(?!\d)時?|時(?:\d{1,2}[分時]|半)?)(?!間)"),
    "zh": re.compile(
        r"(?<!\d)(\d{1,2})(?:[:：]\d\d(?!\d) ?点?| ?点(?: ?\d{1,2} ?[分点]| ?半)?)(?!钟)"
    ),
}
"""Times as models write them, right and wrong: "15時半", "7 点 15 点"."""


def on_24_hours(text: str, source: str, target: str) -> str:
    """Return an English `text` with "15:00" for "3 p.m.", where `target` is to have it so.

    Of "9-5 p.m." the first hour is the one before the last. A full stop that ends the text stays,
    and so does what is within links, code and markup.
    """
    if source not in _FROM or target not in _INTO:
        return text
    return _outside_items(_TIME, _rewritten, text)


def with_clock(text: str, source: str, language: str, begun: int = 0) -> str:
    """Return `text` in Japanese or Chinese with the minutes that the times of its `source` have.

    Only those in digits with a colon count there, and here those of the same hour; of several at
    one hour nothing is known. Nothing changes before the offset `begun`, nor within links, code
    and markup.
    """
    said = _SAID.get(language.partition("-")[0])
    times = _WRITTEN.findall(source) if said else []
    hours = [int(hour) for hour, _ in times]
    meant = {int(hour): int(rest) for hour, rest in times if hours.count(int(hour)) == 1}
    if not (said and meant):
        return text

    def mended(found: re.Match[str]) -> str:
        hour = int(found[1])
        if hour not in meant or found.start() < begun:
            return found[0]
        minutes = meant[hour]
        if language.startswith("ja"):
            return f"{hour}時{minutes}分" if minutes else f"{hour}時"
        return f"{hour}:{minutes:02}"

    return _outside_items(said, mended, text)


def _outside_items(
    pattern: re.Pattern[str], change: Callable[[re.Match[str]], str], text: str
) -> str:
    """What `change` makes of each match, but for those within an item."""
    if not pattern.search(text):
        return text
    closed = {at for item in find_items(text) for at in range(*item.span())}
    return pattern.sub(lambda one: one[0] if one.start() in closed else change(one), text)


def _rewritten(found: re.Match[str]) -> str:
    last = _minutes(found["last"], found["half"])
    said = _clock(last)
    if found["first"] and found["begin"]:
        said = f"{_clock(_minutes(found['first'], found['begin']))}{found['to']}{said}"
    elif found["first"]:
        same, other = (_minutes(found["first"], half) for half in _halves(found["half"]))
        said = f"{_clock(same if same < last else other)}{found['to']}{said}"
    ends = found[0].endswith(".") and found.end() == len(found.string)
    return f"{said}." if ends else said


def _halves(half: str) -> tuple[str, str]:
    return (half, "p" if half in "aA" else "a")


def _minutes(time: str, half: str) -> int:
    """Minutes since midnight; twelve is the hour before one in both halves."""
    hour, _, minutes = time.replace(".", ":").partition(":")
    return (int(hour) % 12 + (12 if half in "pP" else 0)) * 60 + int(minutes or 0)


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
