"""What a text holds that no model translates, found by one regular expression.

*Links* (URLs, addresses, @names, #tags) and *code* (placeholders, paths, identifiers, amounts of
money, dates in digits) are words of their sentence; *signs* (emoji, symbols) and *marks* (tags,
Markdown's emphasis and links, currency signs) are not.

Every repeat that could be tried twice is possessive or bounded, and begins where a run of its
characters begins, so that the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SIGNS = (
    r"\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    r"\u00a9\u00ae\u2022\U0001f000-\U0001faff"
)
SIGN = (
    rf"[{_SIGNS}]"
    r"[\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*+|[0-9#*]\ufe0f?\u20e3"
)
"""Pattern of one emoji or symbol."""
_CURRENCIES = r"\u20a0-\u20cf\u00a2\u00a3\u00a5"
_CURRENCY = f"[{_CURRENCIES}]"
_TAGS = r"</?[A-Za-z][A-Za-z0-9-]*+(?:\s++[\w:-]++=[^<>]{0,200})?\s?/?>"
_EMPHASIS = r"(?<![\w*])\*{1,3}(?=[^\s*.])|(?<=[^\s*])\*{1,3}(?![\w*])"
_LINKED = r"!?\[(?=[^\[\]\n]{1,300}\]\([^\s()]{1,300}\))|\]\([^\s()]{1,300}\)"
_MARK = f"{_TAGS}|{_CURRENCY}|{_EMPHASIS}|{_LINKED}"

_W = "[A-Za-z0-9_]"
_END = rf"(?!{_W})"
_URL_END = r"[A-Za-z0-9/_=&#+~-]"
_URL = rf"(?:(?:https?|ftp|file)://|mailto:|www\.)[!-~]*{_URL_END}"
_DOMAIN = (
    rf"(?<![A-Za-z0-9_.@/-])(?:[A-Za-z0-9-]++\.)+(?:com|org|net|edu|gov|io|eu){_END}"
    rf"(?!\.[A-Za-z])(?:/[!-~]*{_URL_END}|/)?"
)
# The look-behinds let a run of letters be tried once, not once a letter.
_EMAIL = r"(?<![A-Za-z0-9_.+-])[A-Za-z0-9_.+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)+"
_MENTION = r"(?<![A-Za-z0-9_@])@\w++"
_TAG = r"(?<![\w&#/])#(?=\d*+[^\W\d_])\w++"

_BRACES = r"\$?\{\{?+ ?[^{}\s]{1,60} ?\}{1,2}"
_PERCENT = (
    r"(?<![\w%])%(?:(?:\([A-Za-z]\w{0,40}\)|\d{1,2}\$)?[-+#0]?\d{0,3}(?:\.\d{1,3})?[sdifuxXgc@]"
    rf"|\d{{1,2}}){_END}"
)
_VARIABLE = r"(?<![\w$])\$[A-Za-z_]\w*+"
_QUOTED = r"`[^`\n]{1,200}`"
_PATH = (
    r"(?<![A-Za-z0-9_.])[A-Za-z]:\\[A-Za-z0-9_.+@%\\-]*[A-Za-z0-9_\\]"
    r"|(?<![A-Za-z0-9_/.~<+@%-])(?:~|\.{1,2})?/(?=[A-Za-z0-9_.])[A-Za-z0-9_.+@%/-]*[A-Za-z0-9_/]"
)
_EXTENSIONS = (
    "py|js|ts|c|h|cpp|rs|go|java|html|css|json|toml|ya?ml|xml|md|txt|csv|pdf|docx?|xlsx?|pptx?|png"
    "|jpe?g|gif|svg|zip|gz|tar|sh|exe|log|ini|cfg|conf|mp3|mp4|onnx"
)
_FILE = (
    r"(?<![A-Za-z0-9_/.+@%~-])(?:[A-Za-z0-9_.+@%-]++/)*+(?:[A-Za-z0-9_+@%-]++\.)+"
    rf"(?:{_EXTENSIONS}){_END}"
)
_CALL = rf"(?<![A-Za-z0-9_.:])[A-Za-z_]{_W}*+(?:(?:\.|::){_W}++)*+\(\)|(?<!{_W}){_W}++(?:::{_W}++)+"
_OPTION = r"(?<![\w-])--[A-Za-z][A-Za-z0-9_-]*+"
_SNAKE = rf"(?<!{_W})[A-Za-z][A-Za-z0-9]*+(?:_[A-Za-z0-9]++)+{_END}"
_CAMEL = rf"(?<!{_W})[a-z]{{2,40}}(?:[A-Z][a-z0-9]*+)+{_END}"
_AMOUNT = (
    rf"{_CURRENCY}[ \u00a0\u202f]?\d(?:[.,]?\d)*+"
    rf"|(?<![\d.,])\d(?:[.,]?\d)*+[ \u00a0\u202f]?{_CURRENCY}"
)
_DATE = (
    rf"(?<![A-Za-z0-9_.-])\d{{4}}-\d\d-\d\d"
    rf"(?:T\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?!{_W}|-)"
)
_ADDRESS = rf"(?<![A-Za-z0-9_.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?!{_W}|\.\d)"
_HEX = (
    rf"(?<!{_W})(?=[0-9A-Fa-f-]{{0,35}}-\d)[0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}}{_END}"
    rf"|(?<!{_W})(?=[a-f]{{0,63}}\d)(?=\d{{0,63}}[a-f])[0-9a-f]{{7,64}}{_END}"
)
_IBAN = rf"(?<!{_W})[A-Z]{{2}}\d\d(?: ?[A-Z]{{4}})?(?: ?\d{{4}}){{3,7}}(?: ?\d{{1,3}})?{_END}"
_VERSION = rf"(?<!{_W})v\d{{1,4}}(?:\.\d{{1,6}})+{_END}"

ITEM = re.compile(
    rf"(?P<link>{_URL}|{_EMAIL}|{_DOMAIN}|{_MENTION}|{_TAG})"
    rf"|(?P<code>{_QUOTED}|{_BRACES}|{_PERCENT}|{_VARIABLE}|{_PATH}|{_FILE}|{_CALL}|{_OPTION}"
    rf"|{_SNAKE}|{_CAMEL}|{_VERSION}|{_AMOUNT}|{_DATE}|{_ADDRESS}|{_HEX}|{_IBAN})"
    rf"|(?P<sign>{SIGN})|(?P<mark>{_MARK})"
)
"""One item; the name of the group that matched says which sort it is."""

_HINT = re.compile(
    rf"[@#{{%$`/\\_<*\u20e3{_SIGNS}{_CURRENCIES}]"
    r"|[.(:-](?:(?<=[.:])[!-~\d]|(?<=\()\)|(?<=\]\()|(?<=-)[-\d])|[A-Z](?<=[a-z][A-Z])"
    r"|\d(?:(?<=[A-Za-f]\d)|(?=[a-f]))"
)
"""A character that no item lacks: most text has none, and needs no more than this search."""


def may_hold_items(text: str) -> bool:
    """Return False only for text that holds no item."""
    return _HINT.search(text) is not None


def find_items(text: str, start: int = 0, end: int | None = None) -> Iterator[re.Match[str]]:
    """Return the items of `text`, in order, between two offsets."""
    last = len(text) if end is None else end
    return ITEM.finditer(text, start, last) if _HINT.search(text, start, last) else iter(())
