"""The part of a model card that people write: read, and refused where it could mislead."""

from __future__ import annotations

import re
from pathlib import Path

from mltranslate.errors import DataError, reason
from mltranslate.packs.card import printable

MOST_BYTES = 2**18
"""Largest file of hand-written sections."""

_MARKS = r"^(?:[\s>]|[-+*]\s|\d+[.)]\s)*"
"""Quotes and lists that a line may open before its own text begins."""
_ONLY_MARKS = r"^(?=(?:[\s>+*_=-]|\d+[.)]\s)*$)"
"""Looks ahead: the line has no text of its own."""
_REFUSED = (
    (re.compile(_MARKS + r"#(?!#+ )"), "a heading must begin with ## or more, and a space"),
    (re.compile(_ONLY_MARKS + r".*(?:=|([-_*])(?:\s*\1){2})"),
     "a rule or an underlined heading could be taken for an edge of the generated part"),
    (re.compile(_MARKS + r"(`{3}|~{3})"), "a fenced block could swallow what follows"),
    (re.compile(r"<[A-Za-z/!?]"), "HTML and links in angle brackets are not taken"),
    (re.compile(r"!\["), "an image would be loaded from elsewhere"),
    (re.compile(_MARKS + r"\[[^\]]*\]:"), "links are written in place, as [text](https://…)"),
    (re.compile(r"\]\((?!https://[^\s()<>]+\))"), "a link must be [text](https://…)"),
)  # fmt: skip
"""What a line may not have, and why."""


def read_sections(path: Path) -> str:
    r"""Read a file of hand-written sections: Markdown with headings from ## on, ending in one "\n".

    Raises:
        DataError: the file cannot be read, is no UTF-8, empty or too large, or a line has what the
            card does not take: control characters, HTML, images, rules, fences, other links.
    """
    text = _read(path)
    for number, line in enumerate(text.split("\n"), start=1):
        if why := _fault(line):
            raise _refusal(path, f"line {number}: {why}")
    return text


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8-sig").replace("\r\n", "\n").strip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(path, reason(error)) from error
    if len(data) > MOST_BYTES:
        raise _refusal(path, f"it is larger than {MOST_BYTES} bytes")
    if not text.strip():
        raise _refusal(path, "it is empty")
    return text + "\n"


def _fault(line: str) -> str:
    if printable(line) != line or "\u2028" in line or "\u2029" in line:
        return "it has a control character"
    return next((why for pattern, why in _REFUSED if pattern.search(line)), "")


def _refusal(path: Path, why: str) -> DataError:
    return DataError(f"{path} cannot be part of a card", why=why, fix="See docs/export.md")
