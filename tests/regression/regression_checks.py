"""The regression set, and what can be told of a translation without knowing the right one.

Every check is a function of its own that can fail. None uses the code that it judges: what must be
kept is written beside each input, and not found by the engine's own patterns.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mltranslate import Translation, Translator, detect

HERE = Path(__file__).parent
EMPTY = "empty"
"""The category of inputs that must come back unchanged."""
SURE_LETTERS = 20
"""Letters from which the identifier's opinion counts; Han and kana tell more, and count twice."""
SURE = 0.9

_ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|[nt])")
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d{3}(?!\d))*")
_HAN = re.compile("[\u3005\u3400-\u9fff]")
_KANA = re.compile("[\u3041-\u30ff]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_WIDE = 3
"""Latin letters that a character of Chinese or Japanese is worth."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input in one direction."""

    name: str
    category: str
    source: str
    target: str
    text: str
    keep: tuple[str, ...]
    """What must come out exactly as often as it is in `text`."""
    words: tuple[str, ...]
    """One of these, in lower case, must come out; empty if nothing is asked."""


def read_cases(languages: Iterable[str] | None = None) -> list[Case]:
    """All cases, or those between `languages`."""
    known = None if languages is None else set(languages)
    rows = (HERE / "inputs.tsv").read_text(encoding="utf-8").splitlines()[1:]
    cases = [case for row in rows for case in _cases(*row.split("\t"))]
    return [case for case in cases if known is None or {case.source, case.target} <= known]


def failures(case: Case, result: Translation) -> tuple[str, ...]:
    """Names of the checks that a translation does not pass."""
    if case.category == EMPTY:
        return () if result.text == case.text else ("unchanged",)
    return tuple(name for name, check in CHECKS.items() if not check(case, result.text))


def run(
    translator: Translator, cases: Sequence[Case], beam: int = 1
) -> list[tuple[Case, Translation, tuple[str, ...]]]:
    """Translate all cases, those of a direction in one call, and check them."""
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.source, case.target].append(case)
    found = []
    for (source, target), group in groups.items():
        results = translator.translate([case.text for case in group], target, source, beam)
        found += [
            (case, result, failures(case, result))
            for case, result in zip(group, results, strict=True)
        ]
    return found


def _cases(
    name: str, category: str, source: str, targets: str, text: str, keep: str, words: str
) -> Iterable[Case]:
    wanted = dict(pair.split("=") for pair in words.split(" ") if "=" in pair)
    text = _ESCAPE.sub(_unescape, text)
    for target in targets.split():
        asked = tuple(filter(None, wanted.get(target, "").casefold().split("/")))
        yield Case(name, category, source, target, text, tuple(keep.split()), asked)


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    return {"n": "\n", "t": "\t"}[code] if code in "nt" else chr(int(code[1:], 16))


def _not_empty(case: Case, text: str) -> bool:
    return bool(text.strip())


def _in_language(case: Case, text: str) -> bool:
    """Written in the target's script; and, if long enough, in its language for the identifier."""
    letters = list(filter(str.isalpha, _rest(case, text)))
    own = [char for char in letters if _script(char) == _SCRIPTS.get(case.target, "latin")]
    if letters and 2 * len(own) < len(letters):
        return False
    if sum(2 if _script(char) == "east" else 1 for char in letters) < SURE_LETTERS:
        return True
    best = detect(text)[0]
    return best.language == case.target or best.confidence < SURE


def _numbers_kept(case: Case, text: str) -> bool:
    mine, theirs = _digits(case.text), _digits(text)
    return all(theirs[number] >= count for number, count in mine.items())


def _no_loop(case: Case, text: str) -> bool:
    """No word or phrase comes four times in a row more often than in the source."""
    return _rounds(text) <= max(3, _rounds(case.text) + 1)


def _no_copy(case: Case, text: str) -> bool:
    source, output = _letters(_rest(case, case.text)), _letters(_rest(case, text))
    return source != output or not source


def _likely_length(case: Case, text: str) -> bool:
    source, output = _width(case.text), _width(text)
    return source / 4 - 3 <= output <= 3 * source + 15


def _kept(case: Case, text: str) -> bool:
    return all(text.count(item) == case.text.count(item) for item in case.keep)


def _has_a_word(case: Case, text: str) -> bool:
    return not case.words or any(word in text.casefold() for word in case.words)


Check = Callable[[Case, str], bool]
CHECKS: dict[str, Check] = {
    "not empty": _not_empty,
    "language": _in_language,
    "numbers": _numbers_kept,
    "no loop": _no_loop,
    "no copy": _no_copy,
    "length": _likely_length,
    "kept": _kept,
    "words": _has_a_word,
}
"""Every check by its name in tables."""

_SCRIPTS = {"zh": "east", "ja": "east", "ru": "cyrillic"}


def _script(char: str) -> str:
    if _HAN.match(char) or _KANA.match(char):
        return "east"
    return "cyrillic" if _CYRILLIC.match(char) else "latin"


def _rest(case: Case, text: str) -> str:
    for item in case.keep:
        text = text.replace(item, " ")
    return text


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKC", text).casefold()))


def _digits(text: str) -> Counter[str]:
    found = (re.sub(r"\D", "", match.group()) for match in _NUMBER.finditer(text))
    return Counter(number for number in found if number)


def _width(text: str) -> int:
    return sum(_WIDE if _script(char) == "east" else 1 for char in text)


def _rounds(text: str) -> int:
    """How often the most repeated stretch of words, or of Eastern characters, follows itself."""
    tokens = re.findall("[\u3005-\u9fff]|[^\\W\u3005-\u9fff]+", text.casefold())
    most = 1 if tokens else 0
    for period in range(1, len(tokens) // 2 + 1):
        run = 0
        for earlier, later in zip(tokens, tokens[period:], strict=False):
            run = run + 1 if earlier == later else 0
            most = max(most, 1 + run // period)
    return most
