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
EMOTICON = (
    r"(?<!\S)(?:[:;=]'?[-o^]?[)(\]\[DPp]{1,9}+|[:;]-?[Oo|/\\*]|[xX]D{1,5}+|</?3{1,9}+(?! \w{1,2}\b)"
    r"|\^[_.-]?\^|-_{1,5}+-|>_{1,5}+<|¯\\_\(ツ\)_/¯)(?=[\s.,!?…。，！？]|\Z)"
    r"|(?<![\w:]):(?:[a-z][a-z0-9_+-]{1,30}+|[+-]1):(?![\w:])"
)
"""A face of punctuation that stands by itself, or the name of an emoji: ":-)", "<3", ":tada:"."""
_CURRENCIES = r"\u20a0-\u20cf\u00a2\u00a3\u00a5\uffe0\uffe1\uffe5\uffe6"
_CURRENCY = f"[{_CURRENCIES}]"
_ACCENTED = r"\u00c0-\u024f\u0370-\u052f\u1e00-\u1fff"
"""Latin letters with accents, Greek and Cyrillic: of names, files and addresses as ASCII ones."""
_W = f"[A-Za-z0-9_{_ACCENTED}]"
_END = rf"(?!{_W})"
_UNSPACED = (
    r"\u2e80-\u2fdf\u3005-\u3007\u3041-\u312f\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f"
    r"\U00020000-\U0003ffff"
)
_LETTER = rf"[^\W{_UNSPACED}]"
"""A character of a word in a script with spaces: Han and kana touch what is no part of theirs."""

_BOOLEAN = (
    "allowfullscreen|async|autofocus|autoplay|checked|controls|default|defer|disabled|download"
    "|hidden|inert|ismap|itemscope|loop|multiple|muted|nomodule|novalidate|open|playsinline"
    "|readonly|required|reversed|selected"
)
"""Attributes of HTML that need no value; of other words, "a <b and c>" is no tag."""
_ATTRIBUTES = (
    r"\s++[\w:-]++=[^<>]{0,200}"
    r"|(?:\s++[\w:-]++){1,9}+=[\"'][^<>]{0,200}"
    rf"|(?:\s++(?i:{_BOOLEAN}|data-[\w-]++)(?![\w-])){{1,9}}+(?:\s++[\w:-]++=[^<>]{{0,200}})?"
)
_TAGS = (
    r"<(?P<raw>(?i:script|style))(?=[\s>])[^<>\n]{0,300}+>[^\n]{0,2000}?</(?P=raw)>"
    rf"|</?[A-Za-z][A-Za-z0-9-]*+(?:{_ATTRIBUTES})?\s?/?>|<!--[^\n]{{0,500}}?-->"
    r"|<![A-Za-z][^<>\n]{0,300}+>|<\?[A-Za-z][^\n]{0,500}?\?>"
)
# Lines are no part of a name ("_private", "type_") only where both ends are found, or a sentence
# within emphasis begins or ends.
_EMPHASIS = (
    rf"(?<!{_LETTER}|\*)\*{{1,3}}(?=[^\s*.])|(?<=[^\s*])\*{{1,3}}(?!{_LETTER}|\*)"
    rf"|(?<!{_LETTER}|[~\\])(?P<open>_{{1,3}}|~~)(?=[^\s_~])"
    rf"(?=[^\n]{{1,300}}?(?<=[^\s_~\\])(?P=open)(?!{_LETTER}|~))"
    r"|\A(?:_{1,3}|~~)(?=[^\W\d_a-z]\w{0,30}+[\s,])|(?<=[.!?…。！？])(?:_{1,3}|~~)\Z"
    rf"|(?<=[^\s_~\\])(?P<close>_{{1,3}}|~~)(?!{_LETTER}|~)"
)
_TARGET = (
    r"\]\((?=[^\s)])[^\s()]{0,300}+(?:\([^\s()]{0,300}+\)[^\s()]{0,300}+){0,3}+"
    r"(?:[ \t]{1,3}+(?:\"[^\"\n]{0,300}+\"|'[^'\n]{0,300}+'))?+\)"
)
LINK = rf"!?\[(?:[^\[\]\n]{{0,300}}+|!\[[^\[\]\n]{{0,300}}+{_TARGET}){_TARGET}"
"""Pattern of a link or picture of Markdown, or of a picture that is a link."""
_REFERENCE = r"\]\[[^\[\]\n]{0,60}+\]"
_LINKED = (
    rf"!?\[(?=[^\[\]\n]{{1,300}}(?:{_TARGET}|{_REFERENCE}))"
    rf"|\[(?=!\[[^\[\]\n]{{0,300}}{_TARGET}{_TARGET})|{_TARGET}|{_REFERENCE}"
)
NOTE = r"\[(?:\^[\w-]{1,40}+|\d{1,3}+|[a-h])\]"
"""Of Markdown or an encyclopedia: "[^note]", "[12]"."""
_NOTES = rf"(?<!\A)(?<!\s|[(\[{{])(?:{NOTE})++(?![(:])"
_ENTITY = (
    r"&(?:amp|lt|gt|nbsp|shy|(?:e[nm]|thin)sp|copy|reg|trade|euro|pound|yen|cent|bull|[lr]arr"
    r"|#(?:38|60|62|160|169|173|174|8364|8482|8203|[xX](?:26|3[CcEe]|[Aa]0|[Aa][9DdEe]|20[Aa][Cc])));"
)
"""Those of HTML that stand for no letter, apostrophe or quote."""
_MARK = f"{_TAGS}|{_CURRENCY}|{_EMPHASIS}|{_NOTES}|{_LINKED}|{_ENTITY}"

# Browsers copy addresses decoded: "…/wiki/Köln".
_URL_END = rf"[A-Za-z0-9/_=&#+~{_ACCENTED}-]"
# A bracket ends one where the other of its pair is in it: "…/Mercury_(planet)".
_URL_REST = (
    rf"(?:[!-~{_ACCENTED}]*\([!-'*-~{_ACCENTED}]{{0,100}}+\)"
    rf"(?=[!-\"$%'-*,.:-<>?@\[-^`{{-}}]{{0,20}}+(?![!-~{_ACCENTED}]))"
    rf"|[!-~{_ACCENTED}]*{_URL_END})"
)
# Han and kana touch the text behind an address: they are of it in a wiki, before the ending of a
# file, or where spaces set the address apart.
_URL_HAN = rf"(?<=[/=_-])[A-Za-z0-9_=&#%/{_UNSPACED}-]{{1,80}}+"
_URL_TITLE = rf"(?<=/wiki/){_URL_HAN}"
_URL_FILE = rf"{_URL_HAN}(?:\.[A-Za-z0-9]{{1,5}}+)++(?![A-Za-z0-9_])"
_URL_APART = rf"{_URL_HAN}(?=[\s)\]>\"]|\Z)"
_URL_START = r"(?:(?:https?|ftp|file)://|mailto:|www\.)"
_URL = (
    rf"(?<![{_UNSPACED}]){_URL_START}{_URL_REST}(?:{_URL_TITLE}|{_URL_FILE}|{_URL_APART})?"
    rf"|{_URL_START}{_URL_REST}(?:{_URL_TITLE}|{_URL_FILE})?"
)
_DOMAIN = (
    rf"(?<![A-Za-z0-9_.@/-])(?:[A-Za-z0-9-]++\.)+(?:com|org|net|edu|gov|io|eu){_END}"
    rf"(?!\.[A-Za-z])(?:/{_URL_REST}|/)?"
)
# The look-behinds let a run of letters be tried once, not once a letter.
_EMAIL = (
    rf"(?<![A-Za-z0-9_.+{_ACCENTED}-])[A-Za-z0-9_.+{_ACCENTED}-]++"
    rf"@[A-Za-z0-9{_ACCENTED}-]++(?:\.[A-Za-z0-9{_ACCENTED}-]++)+"
)
# A name in Han or kana ends with a space, or else where it ends is not known.
_MENTION = rf"(?<![A-Za-z0-9_@])@(?:{_LETTER}++|\w{{1,20}}+(?=\s))"
_TAG = (
    rf"(?<!{_LETTER}|[&#/])#(?:{_LETTER}{{0,20}}+[{_UNSPACED}]\w{{0,30}}+#"
    rf"|\d*+[^\W\d_{_UNSPACED}]{_LETTER}*+|\d*+[{_UNSPACED}]\w{{0,20}}+(?=\s|\Z))"
)

_PLUS = rf"(?<!{_W}){_W}{{1,30}}+\+\+(?!{_W}|[+#])|(?<!{_W})[A-Z]#(?!{_W}|[+#])"
"""Programming languages and programs, as "C++", "C#"."""
_GAPS = rf"(?<!{_LETTER})_{{3,}}+(?!{_LETTER})"
"""Lines to write on."""
_AND = rf"(?<!{_W}){_W}++(?:&amp;{_W}++)++"
_BRACES = r"\$?\{\{?+ ?[^{}\s]{1,60} ?\}{1,2}"
_INNER = r"[^{}]{0,200}+(?:\{[^{}]{0,60}+\}[^{}]{0,200}+){0,5}+"
_MESSAGE = (
    r"\{ ?\w{1,40}+ ?, ?(?:plural|select(?:ordinal)?|number|date|time)(?![A-Za-z])[^{}]{0,60}+"
    rf"(?:\{{{_INNER}\}}[^{{}}]{{0,60}}+){{0,12}}+\}}"
)
"""A placeholder of ICU with its forms: "{n, plural, one {# file} other {# files}}"."""
_PERCENT = (
    r"(?<![A-Za-z0-9_%])%(?:(?:\([A-Za-z]\w{0,40}\)|\d{1,2}\$)?[-+#0]?\d{0,3}(?:\.\d{1,3})?[sdifuxXgc@]"
    rf"|\d{{1,2}}){_END}"
)
_VARIABLE = rf"(?<![A-Za-z0-9_$])\$[A-Za-z_]{_W}*+"
# Behind a letter it is an apostrophe ("It`s"), and a tab ends the cell of a table.
_QUOTED = rf"(?<!{_LETTER}|`)(?P<ticks>`{{1,9}}+)(?!`)[^\t\n]{{1,200}}?(?<!`)(?P=ticks)(?!`)"
_PATH = (
    rf"(?<![A-Za-z0-9_.{_ACCENTED}])[A-Za-z]:\\[A-Za-z0-9_.+@%\\{_ACCENTED}-]*[A-Za-z0-9_\\{_ACCENTED}]"
    rf"|(?<![A-Za-z0-9_/.~<+@%{_ACCENTED}-])(?:~|\.{{1,2}})?/(?=[A-Za-z0-9_.])"
    rf"[A-Za-z0-9_.+@%/{_ACCENTED}-]*[A-Za-z0-9_/{_ACCENTED}]"
)
_EXTENSIONS = (
    "py|js|ts|c|h|cpp|rs|go|java|html|css|json|toml|ya?ml|xml|md|txt|csv|pdf|docx?|xlsx?|pptx?|png"
    "|jpe?g|gif|svg|zip|gz|tar|sh|exe|log|ini|cfg|conf|mp3|mp4|onnx"
)
_FILE = (
    rf"(?<![A-Za-z0-9_/.+@%~{_ACCENTED}-])(?:[A-Za-z0-9_.+@%{_ACCENTED}-]++/)*+"
    rf"(?:[A-Za-z0-9_+@%{_ACCENTED}-]++\.)+(?:{_EXTENSIONS}){_END}"
    rf"|(?<=[\s\"“「『（(《])[A-Za-z0-9_{_UNSPACED}-]{{1,40}}+\.(?:{_EXTENSIONS}){_END}"
)
_CALL = rf"(?<![A-Za-z0-9_.:])[A-Za-z_]{_W}*+(?:(?:\.|::){_W}++)*+\(\)|(?<!{_W}){_W}++(?:::{_W}++)+"
_OPTION = r"(?<![A-Za-z0-9_-])--[A-Za-z][A-Za-z0-9_-]*+"
_SNAKE = (
    rf"(?<!{_W})[A-Za-z{_ACCENTED}][A-Za-z0-9{_ACCENTED}]*+(?:_[A-Za-z0-9{_ACCENTED}]++)+{_END}"
    rf"|(?<!{_W})__(?:init|new|main|name|file|dict|repr|str|call|enter|exit|FILE|LINE)__{_END}"
)
_CAMEL = rf"(?<!{_W})[a-z]{{2,40}}(?:[A-Z][a-z0-9]*+)+{_END}"
_GAP = r"[ \u00a0\u202f]"
_CODES = "AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|INR|JPY|KRW|MXN|NOK|NZD|PLN|RMB|RUB|SEK|USD"
"""Of ISO 4217, those whose amounts are written most; no word is spelt like one."""
_DOLLARS = r"(?<![A-Za-z$])(?:US|CA|AU|NZ|HK|NT|MX|[ACRS])?\$"
_MONEY = rf"(?:{_CURRENCY}|{_DOLLARS}|(?<![A-Za-z])(?:{_CODES}))"
_FIGURES = (
    rf"(?:\d{{1,3}}(?:{_GAP}\d{{3}})++(?:[.,]\d{{1,2}})?(?!\d)|\d(?:[.,'’]?\d)*+)"
    r"(?:(?:bn|[KMBkm])(?![A-Za-z]))?"
)
# Models know "$5 million", whose words change their order in some languages.
_MULTIPLE = rf"{_GAP}(?i:hundred|thousand|tausend|mi[lo]|bi[lo]|tri[lo]|m[lr]d|tsd|тыс|м[ил])"
_AMOUNT = (
    rf"(?!{_DOLLARS}{_GAP}?{_FIGURES}{_MULTIPLE}){_MONEY}{_GAP}?{_FIGURES}"
    rf"|(?<![\d.,]){_FIGURES}{_GAP}?(?:{_CURRENCY}|(?:US)?\$(?![\w$])|(?:{_CODES})(?![A-Za-z]))"
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
    rf"|(?P<code>{_QUOTED}|{_MESSAGE}|{_BRACES}|{_PERCENT}|{_VARIABLE}|{_PATH}|{_FILE}|{_CALL}"
    rf"|{_OPTION}|{_SNAKE}|{_PLUS}|{_GAPS}|{_AND}|{_CAMEL}|{_VERSION}|{_AMOUNT}|{_DATE}|{_ADDRESS}|{_HEX}|{_IBAN})"
    rf"|(?P<sign>{SIGN}|{EMOTICON})|(?P<mark>{_MARK})"
)
"""One item; the name of the group that matched says which sort it is."""

_HINT = re.compile(
    rf"[@#{{%$`/\\_<*\u20e3{_SIGNS}{_CURRENCIES}]|~~|[;=](?=[!-~])|[&^]|D(?<=XD)|\+(?=\+)"
    r"|\](?=\[)|\[(?=\d{1,3}\]|[a-h]\])"
    rf"|[.(:-](?:(?<=[.:])[!-~\d{_ACCENTED}]|(?<=\()\)|(?<=\]\()|(?<=-)[-\d])|[A-Z](?<=[a-z][A-Z])"
    rf"|\d(?:(?<=[A-Za-f]\d)|(?=[a-f])|(?={_GAP}?(?:{_CODES})))"
    rf"|[A-Z](?<=[A-Z]{{3}})(?={_GAP}?\d)"
)
"""A character that no item lacks: most text has none, and needs no more than this search."""


def may_hold_items(text: str) -> bool:
    """Return False only for text that holds no item."""
    return _HINT.search(text) is not None


def find_items(text: str, start: int = 0, end: int | None = None) -> Iterator[re.Match[str]]:
    """Return the items of `text`, in order, between two offsets."""
    last = len(text) if end is None else end
    if not _HINT.search(text, start, last):
        return iter(())
    return _paired(ITEM.finditer(text, start, last))


def without_names(text: str) -> str:
    """Return `text` with spaces instead of its links and code, which are in no language."""
    found = (match for match in find_items(text) if match.lastgroup in ("link", "code"))
    made, done = [], 0
    for match in found:
        made.append(text[done : match.start()])
        done = match.end()
    return " ".join([*made, text[done:]])


def unbroken(text: str, start: int = 0) -> set[int]:
    """Return the offsets within code in backticks or braces, tags and targets of links: no ends.

    Neither a sentence nor a cell of a table ends in one, whatever it holds.
    """
    offsets: set[int] = set()
    for match in find_items(text, start):
        if match.group()[0] in "`<]{":
            offsets.update(range(match.start() + 1, match.end()))
    return offsets


def _paired(matches: Iterator[re.Match[str]]) -> Iterator[re.Match[str]]:
    """Leave out lines of emphasis that close what nothing opened."""
    opened: set[str] = set()
    for match in matches:
        if match["open"]:
            opened.add(match["open"])
        elif (closed := match["close"]) and closed not in opened:
            continue
        elif closed:
            opened.remove(closed)
        yield match
