"""Translation memories: TMX 1.4, streamed through expat."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from mltranslate.errors import DataError
from mltranslate_train.data.readers.lines import one_line, open_bytes, readable
from mltranslate_train.data.readers.pair import Pair, Skipped

_BLOCK = 1 << 16
_MAX_UNIT = 1 << 20
"""Characters of the largest translation unit."""
_CODES = frozenset({"bpt", "ept", "ph", "it", "ut", "sub"})
"""Inline elements whose content is markup of the translated document; `hi` holds plain text."""


def read_tmx(
    path: Path, languages: tuple[str, str], origin: str, skipped: Skipped
) -> Iterator[Pair]:
    """Pairs of the translation units that have both languages; others are counted.

    A variant with a region counts as its language ("en-US" as "en"); the language itself is taken
    before its variants, the first one of several.

    Raises:
        DataError: the file is no well-formed XML, declares entities, or has an overlong unit.
    """
    units = _Units()
    with readable(path), open_bytes(path) as file:
        while True:
            block = file.read(_BLOCK)
            units.feed(block, path)
            while units.ready:
                unit = units.ready.popleft()
                first, second = (_variant(unit, code) for code in languages)
                if first is None or second is None:
                    skipped["language missing", origin] += 1
                else:
                    yield Pair(origin, first, second)
            if not block:
                return


def _variant(unit: dict[str, str], code: str) -> str | None:
    """The text in `code`, or else in its first variant."""
    wanted = _fold(code)
    if wanted in unit:
        return unit[wanted]
    return next((text for tag, text in unit.items() if tag.startswith(f"{wanted}-")), None)


def _fold(code: str) -> str:
    return code.lower().replace("_", "-")


class _Units:
    """Collects the translation units of a document: folded language tag to text."""

    def __init__(self) -> None:
        self.ready: deque[dict[str, str]] = deque()
        self._unit: dict[str, str] = {}
        self._language, self._rooted = "", False
        self._text: list[str] | None = None
        self._size = self._codes = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._refuse_entities
        parser.SkippedEntityHandler = self._refuse_entity

    def feed(self, block: bytes, path: Path) -> None:
        """Parse the next bytes, the empty string for the end; raises DataError."""
        try:
            self._parser.Parse(block, not block)
        # A ValueError or LookupError is an encoding that expat or Python does not know.
        except (expat.ExpatError, _RefusedError, ValueError, LookupError) as error:
            why = expat.errors.messages.get(getattr(error, "code", 0), str(error))
            raise DataError(
                f"{path}:{self._parser.CurrentLineNumber} is no usable TMX", why=why
            ) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._rooted and name != "tmx":
            raise _RefusedError(f"its root is {name!r}, not 'tmx'")
        self._rooted = True
        if name == "tu":
            self._unit, self._size = {}, 0
        elif name == "tuv":
            self._language = _fold(attributes.get("xml:lang") or attributes.get("lang", ""))
        elif name == "seg":
            self._text, self._codes = [], 0
        elif name in _CODES:
            self._codes += 1

    def _end(self, name: str) -> None:
        if name == "tu":
            self.ready.append(self._unit)
        elif name == "seg":
            self._unit.setdefault(self._language, one_line("".join(self._text or ())))
            self._text = None
        elif name in _CODES:
            self._codes -= 1

    def _characters(self, text: str) -> None:
        if self._text is None or self._codes:
            return
        self._size += len(text)
        if self._size > _MAX_UNIT:
            raise _RefusedError(f"a translation unit has more than {_MAX_UNIT} characters")
        self._text.append(text)

    def _refuse_entities(self, name: str, *_: object) -> None:
        # Nested entities of a few bytes can expand to gigabytes; TMX has no use for them.
        raise _RefusedError(f"it declares the entity {name!r}")

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise _RefusedError(f"the entity {name!r} is not defined")


class _RefusedError(Exception):
    """What is well-formed XML and yet not wanted."""
