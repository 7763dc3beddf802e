"""gettext catalogues: a streaming parser of PO files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mltranslate.errors import DataError
from mltranslate_train.data.readers.lines import MAX_LINE, one_line, read_lines
from mltranslate_train.data.readers.pair import Pair, Skipped

_STRING = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?)\s*)?"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"} | {
    character: character for character in "\\\"'?"
}
_CHARSET = re.compile(r"charset=([\w-]+)", re.IGNORECASE)
_READABLE = frozenset({"utf-8", "utf8", "ascii", "us-ascii", "charset"})
"""Character sets that are read; an untouched template says literally "charset=CHARSET"."""
_MOST_FORMS = 3


def read_po(path: Path, origin: str, skipped: Skipped) -> Iterator[Pair]:
    """Pairs of msgid and msgstr; fuzzy, obsolete and untranslated entries are counted.

    An entry with plural forms gives its plural beside the last form and, where there are two or
    three forms, its singular beside the first. Which of more forms is which depends on the
    language: such an entry is counted as skipped.

    Raises:
        DataError: a line is no part of a catalogue, or the catalogue is not in UTF-8.
    """
    for entry in _entries(path):
        if entry.is_header:
            _check_charset(path, entry)
        elif reason := entry.unusable():
            skipped[reason, origin] += 1
        else:
            for first, second in entry.pairs():
                yield Pair(origin, one_line(first), one_line(second))


@dataclass(slots=True)
class _Entry:
    """One entry: keyword (msgid, msgstr, msgstr[0] …) to text, in the order of the file."""

    texts: dict[str, str] = field(default_factory=dict)
    fuzzy: bool = False
    obsolete: bool = False

    @property
    def is_header(self) -> bool:
        return not self.texts["msgid"] and "msgctxt" not in self.texts and not self.obsolete

    @property
    def forms(self) -> dict[str, str]:
        """The translations by keyword."""
        return {key: text for key, text in self.texts.items() if key.startswith("msgstr")}

    def unusable(self) -> str:
        """Why the entry gives no pair; empty if it does."""
        if self.obsolete:
            return "obsolete"
        if self.fuzzy:
            return "fuzzy"
        if not all(self.forms.values()):
            return "untranslated"
        return "plural forms" if len(self.forms) > _MOST_FORMS else ""

    def pairs(self) -> Iterator[tuple[str, str]]:
        forms = list(self.forms.values())
        if "msgid_plural" not in self.texts:
            yield self.texts["msgid"], forms[0]
            return
        if len(forms) > 1:
            yield self.texts["msgid"], forms[0]
        yield self.texts["msgid_plural"], forms[-1]

    def fault(self) -> str:
        """Why the entry is malformed; empty if it is not."""
        if "msgid" not in self.texts or not self.forms:
            return "an entry needs msgid and msgstr"
        plural = "msgid_plural" in self.texts
        numbered = [f"msgstr[{number}]" for number in range(len(self.forms))]
        if list(self.forms) != (numbered if plural else ["msgstr"]):
            return "msgid_plural and msgstr[0], msgstr[1] … come together, msgstr alone"
        return ""


def _entries(path: Path) -> Iterator[_Entry]:
    """The entries in order; one ends where a comment or a msgid follows its translation."""
    entry, keyword = _Entry(), ""
    for number, line in read_lines(path):
        text = line.strip()
        obsolete = text.startswith("#~")
        text = text[2:].lstrip() if obsolete else text
        comment = text.startswith(("#", "|"))
        if entry.forms and (comment or text.startswith(("msgctxt", "msgid"))):
            yield _whole(entry, f"{path}:{number}")
            entry = _Entry()
        if comment:
            entry.fuzzy |= text.startswith("#,") and "fuzzy" in re.split(r"[,\s]+", text)
        elif text:
            entry.obsolete |= obsolete
            keyword = _add(entry, keyword, text, f"{path}:{number}")
    if entry.texts:
        yield _whole(entry, f"{path}:{number}")


def _whole(entry: _Entry, where: str) -> _Entry:
    if fault := entry.fault():
        raise DataError(f"{where} ends a malformed entry", why=fault)
    return entry


def _add(entry: _Entry, keyword: str, line: str, where: str) -> str:
    """Add a line to the entry; returns the keyword that it belongs to."""
    match = _STRING.fullmatch(line)
    if not match:
        raise DataError(f"{where} is no line of a catalogue")
    text = _unescape(match[2], where)
    if match[1]:
        keyword = match[1]
        if keyword in entry.texts:
            raise DataError(f"{where} has a second {keyword} in one entry")
        entry.texts[keyword] = text
    elif keyword not in entry.texts:
        raise DataError(f"{where} is a string without a keyword")
    else:
        entry.texts[keyword] += text
    if len(entry.texts[keyword]) > MAX_LINE:
        raise DataError(f"{where}: {keyword} is longer than {MAX_LINE} characters")
    return keyword


def _unescape(text: str, where: str) -> str:
    try:
        return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], text) if "\\" in text else text
    except KeyError as error:
        raise DataError(f"{where} has the unknown escape \\{error.args[0]}") from error


def _check_charset(path: Path, header: _Entry) -> None:
    match = _CHARSET.search(header.texts.get("msgstr", ""))
    if match and match[1].lower() not in _READABLE:
        raise DataError(
            f"{path} is in {match[1]}",
            why="catalogues are read in UTF-8",
            fix=f"Convert it: msgconv --to-code=UTF-8 {path.name}",
        )
