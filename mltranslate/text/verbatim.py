"""What of a document is no prose and stays as it is: fenced code, scripts and styles, front matter.

Fences are those of CommonMark 0.31, section 4.5: at least three backticks or tildes, closed by as
many or more, or by the end of the text or of the block quote that they are in. Three
liberties: a fence may stand at any indentation, since that of a list is not followed; the line that
opens one has no further fence in it, so that "~~~ Title ~~~" is an ornament; and tildes that
underline the line above, as a title in reStructuredText, open none.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_OPENING = re.compile(
    r"\ufeff?+(?P<before>(?:[ \t]*+(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))*+[ \t]*+)"
    r"(?P<fence>`{3,}+(?!.*`)|~{3,}+(?!.*~))"
)
_SCRIPT = re.compile(
    r"\ufeff?\s*+<(?P<name>script|style)(?=[\s>])(?!.*</(?P=name)>)", re.IGNORECASE
)
"""A line of HTML that opens a script or style sheet and does not close it."""
_QUOTE = re.compile(r"[ \t]*+>")
_CLOSING = re.compile(r"(?P<indent>[ \t]*+)(?P<fence>`{3,}+|~{3,}+)[ \t]*+\r?\n?")
_KEPT_LINE = re.compile(r"\ufeff?(?:---|\+\+\+|~{3,}+)\s*")
"""A line that by itself could begin front matter or code; it never is a sentence."""
_UNDERLINE = re.compile(r"(?P<tildes>~{3,}+)\s*")
_SHORTEST_UNDERLINE = 4
"""Tildes that are an underline also where the line above is longer."""
_INDENT = 3
"""Columns that a closing fence may always be indented by."""

_KEY = r"(?:[\w.-]+|\"[^\"]*\"|'[^']*')"
_YAML_BEGIN = rf"\s*#.*|(?P<sure>{_KEY}[ \t]*:(?:\s.*)?)"
_YAML = rf"\s*|\s*#.*|[ \t].*|-(?:[ \t].*)?|[\]}}].*|{_KEY}[ \t]*:(?:\s.*)?"
_TOML_BEGIN = rf"\s*|\s*#.*|(?P<sure>\[.*|{_KEY}[ \t]*=.*)"
_HEADS = {
    "---": [re.compile(p, re.DOTALL) for p in (r"(?:---|\.\.\.)\s*", _YAML_BEGIN, _YAML)],
    "+++": [re.compile(p, re.DOTALL) for p in (r"\+\+\+\s*", _TOML_BEGIN, ".*")],
}
"""What front matter opens with; the line that closes it, what the lines of it look like up to the
first one that is sure to be of it, and what those after that do."""
_LONGEST_HEAD = 65_536
"""Characters that front matter may have."""


Run = tuple[str, bool]
"""Lines of a text, and whether they are kept as they are."""


def runs(text: str) -> list[Run]:
    """Cut `text` into runs of lines to keep and to translate, which concatenate to it.

    A line of three hyphens or plus signs, or of tildes, is always kept: no run to translate begins
    with what could be taken for front matter or code, so that each may be cut again by itself.
    """
    return list(_Cutter().runs(text))


def runs_of_blocks(blocks: Iterable[str]) -> Iterator[list[Run]]:
    """Yield the runs of each block of a text, as `runs` finds them in the whole.

    Blocks are whole lines, except that a very long line may come in parts. Those that may be front
    matter are put together until that is known, 64 Ki characters at most.
    """
    cutter = _Cutter()
    for block in _with_whole_head(blocks):
        yield list(cutter.runs(block))


def whole_kept(blocks: Iterable[list[Run]], longest: int) -> Iterator[list[Run]]:
    """Regroup the runs of blocks so that no run to keep ends at the end of a block and goes on.

    More than `longest` characters of it are not waited for.
    """
    waiting: list[str] = []
    size = 0
    for block in blocks:
        found = list(block)
        if waiting and found and found[0][1]:
            run, _ = found.pop(0)
            waiting.append(run)
            size += len(run)
        if waiting and (found or size > longest):
            found.insert(0, ("".join(waiting), True))
            waiting, size = [], 0
        if found and found[-1][1] and len(found[-1][0]) <= longest:
            run, _ = found.pop()
            waiting, size = [run], len(run)
        if found:
            yield found
    if waiting:
        yield [("".join(waiting), True)]


def prose(text: str) -> str:
    """Return `text` without its fenced code blocks and front matter."""
    return "".join(run for run, kept in runs(text) if not kept)


def units(text: str) -> Iterator[str]:
    """Yield `text` in the smallest parts that hold the sentences that they have in the whole.

    Each is a line and the kept lines that follow it.
    """
    waiting: list[str] = []
    for run, kept in runs(text):
        for line in [run] if kept else _lines(run):
            if waiting and not kept:
                yield "".join(waiting)
                waiting = []
            waiting.append(line)
    if waiting:
        yield "".join(waiting)


class _Cutter:
    """Cuts a text that comes in blocks; the first one holds the whole front matter, if any."""

    def __init__(self) -> None:
        self._fence: _Fence | _Element | None = None
        self._begun = False
        self._unfinished = False
        """Whether the last line goes on in the next block."""
        self._kept = False
        """Whether the last line is kept."""
        self._above = 0
        """Characters of the last line, when it is to be translated."""

    def runs(self, block: str) -> Iterator[Run]:
        """Yield the runs of the next block."""
        if not (self._fence or self._unfinished or _may_hold_any(block)):
            if block:
                self._begun = True
                self._unfinished, self._kept = not block.endswith("\n"), False
                self._above = len(block.removesuffix("\n").rpartition("\n")[2].strip())
                yield block, False
            return
        if head := 0 if self._begun else _head_length(block):
            yield block[:head], True
        self._begun = True
        for kept, run in itertools.groupby(_lines(block[head:]), self._keeps):
            yield "".join(run), kept

    def _keeps(self, line: str) -> bool:
        if not self._unfinished:
            self._kept = self._is_kept(line)
            self._above = 0
        self._above += 0 if self._kept else len(line.strip())
        self._unfinished = not line.endswith("\n")
        return self._kept

    def _is_kept(self, line: str) -> bool:
        if self._fence and self._fence.holds(line):
            if self._fence.is_closed_by(line):
                self._fence = None
            return True
        self._fence = None if self._is_underline(line) else _opened(line)
        return self._fence is not None or _KEPT_LINE.fullmatch(line) is not None

    def _is_underline(self, line: str) -> bool:
        match = _UNDERLINE.fullmatch(line)
        least = min(self._above, _SHORTEST_UNDERLINE)
        return match is not None and 0 < least <= len(match["tildes"])


@dataclass(frozen=True, slots=True)
class _Fence:
    """A block of code that is open."""

    mark: str
    indent: int
    quotes: int
    """Block quotes that it is in."""

    def holds(self, line: str) -> bool:
        """Whether a line still belongs to the block quotes of the block."""
        return self._inside(line) is not None

    def is_closed_by(self, line: str) -> bool:
        """Whether a line that belongs to the block ends it."""
        match = _CLOSING.fullmatch(self._inside(line) or "")
        return (
            match is not None
            and match["fence"].startswith(self.mark)
            and _width(match["indent"]) <= max(_INDENT, self.indent)
        )

    def _inside(self, line: str) -> str | None:
        """The line without the marks of the block quotes; None when one of them is missing."""
        end = 0
        for _ in range(self.quotes):
            match = _QUOTE.match(line, end)
            if match is None:
                return None
            end = match.end()
        return line[end:]


@dataclass(frozen=True, slots=True)
class _Element:
    """A script or style sheet of HTML that is open."""

    name: str

    def holds(self, _line: str) -> bool:
        """Whether a line still belongs to it: any does."""
        return True

    def is_closed_by(self, line: str) -> bool:
        """Whether a line ends it."""
        return f"</{self.name}" in line.lower()


def _with_whole_head(blocks: Iterable[str]) -> Iterator[str]:
    """Regroup blocks of whole lines so that the first one holds the whole front matter, if any."""
    rest = iter(blocks)
    waiting: list[str] = []
    head = _Head()
    for block in rest:
        waiting.append(block)
        if any(head.closed_by(line) is not None for line in _lines(block)):
            break
    if waiting:
        yield "".join(waiting)
    yield from rest


class _Head:
    """Front matter, line by line: YAML between `---`, TOML between `+++`.

    So that a rule above a paragraph opens none, YAML must begin with a key right below, but for
    comments, and all its lines must look like YAML; the first of TOML must look like TOML, whose
    long strings may have any line.
    """

    def __init__(self) -> None:
        self.length = 0
        """Characters of the lines so far."""
        self._opening = ""
        self._sure = False

    def closed_by(self, line: str) -> bool | None:
        """Take one line: True when it closes the head, False when there is none, else None."""
        if not self.length:
            self._opening = line.removeprefix("\ufeff").rstrip()
        first, self.length = not self.length, self.length + len(line)
        if self._opening not in _HEADS or self.length > _LONGEST_HEAD:
            return False
        if first:
            return None
        closing, beginning, shape = _HEADS[self._opening]
        if closing.fullmatch(line):
            return self._sure
        match = (shape if self._sure else beginning).fullmatch(line)
        self._sure |= match is not None and match.lastgroup == "sure"
        return None if match else False


def _head_length(text: str) -> int:
    """The length of the front matter of `text`; 0 when there is none."""
    head = _Head()
    for line in _lines(text):
        closed = head.closed_by(line)
        if closed is not None:
            return head.length if closed else 0
    return 0


def _may_hold_any(text: str) -> bool:
    """False only for text that has nothing to keep: most has none, and needs no look at lines."""
    return any(mark in text for mark in ("```", "~~~", "---", "+++", "<s", "<S"))


def _lines(text: str) -> list[str]:
    found: list[str] = _LINE.findall(text)
    return found


def _opened(line: str) -> _Fence | _Element | None:
    if script := _SCRIPT.match(line):
        return _Element(script["name"].lower())
    match = _OPENING.match(line)
    if match is None:
        return None
    inside = match["before"].rpartition(">")[2]
    return _Fence(match["fence"], _width(inside), match["before"].count(">"))


def _width(indent: str) -> int:
    return len(indent.expandtabs(4))
