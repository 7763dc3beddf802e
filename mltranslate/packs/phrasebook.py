"""The phrasebook of a pack: words and set phrases with their translations, to be looked up.

The manifest names one member a language, UTF-8 text with a phrase a line; the same lines of two
languages say the same. An empty line stands for what the phrasebook lacks in that language.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from mltranslate.errors import PackError, reason
from mltranslate.packs.pack import Pack
from mltranslate.text.fragments import is_fragment, unended
from mltranslate.text.phrases import in_form, key, keys, may_be_abbreviation


@dataclass(frozen=True, slots=True)
class _Index:
    """Where phrases of one language stand, by `mltranslate.text.phrases.key`."""

    exact: dict[str, list[int]]
    folded: dict[str, list[int]]
    """Without regard to capitals."""

    @classmethod
    def of(cls, lines: Sequence[str]) -> _Index:
        exact: dict[str, list[int]] = {}
        folded: dict[str, list[int]] = {}
        for row, found in enumerate(keys("\n".join(lines))):
            if found:
                exact.setdefault(found, []).append(row)
                folded.setdefault(found.casefold(), []).append(row)
        return cls(exact, folded)

    def rows(self, found: str, *, cased: bool) -> list[int]:
        """Rows of a key: those with its capitals, otherwise, unless `cased`, with any."""
        rows = self.exact.get(found, [])
        return rows if rows or cased else self.folded.get(found.casefold(), [])


class Phrasebook:
    """Looks up phrases; reads a language when it is first needed, and may be used by threads."""

    def __init__(self, pack: Pack) -> None:
        """Take a pack whose manifest names a phrasebook."""
        info = pack.manifest.phrasebook
        if info is None:
            raise PackError(f"the pack {pack.name} has no phrasebook", fix="Use another pack")
        self._pack = pack
        self._info = info
        self._lock = threading.Lock()
        self._lines: dict[str, list[str]] = {}
        self._indexes: dict[str, _Index] = {}

    def open(self, source: str, target: str) -> None:
        """Read what it has of these languages now; raises PackError for a damaged member."""
        if {source, target} <= self._info.files.keys():
            self._index(source)
            self._text(target)

    def find(self, text: str, source: str, target: str) -> tuple[str, ...]:
        """Return what `text` is in the target language, in its form; several where it is several.

        The phrasebook's order is kept. Raises PackError for a damaged member.
        """
        if not {source, target} <= self._info.files.keys():
            return ()
        phrases, translations = self._text(source), self._text(target)
        said = (
            in_form(translations[row], phrases[row], text, target)
            for row in self._rows(text, source)
            if translations[row]
        )
        found: dict[str, str] = {}
        for one in said:  # those that differ in form alone are one
            found.setdefault((key(one) or one).casefold(), one)
        return tuple(found.values())

    def _rows(self, text: str, source: str) -> list[int]:
        """The rows that have `text`, whatever its capitals and its mark."""
        found = key(text)
        if not found:
            return []
        phrases, index = self._text(source), self._index(source)
        cased, mark = may_be_abbreviation(text), unended(text.strip())[1]
        rows = index.rows(found, cased=cased)
        if not rows and mark == "?" and is_fragment(found[:-1]):
            bare = index.rows(found[:-1], cased=cased)
            rows = [row for row in bare if not unended(phrases[row])[1]]
        if not rows and not mark:
            rows = index.rows(f"{found}?", cased=cased)
        return sorted(rows, key=lambda row: unended(phrases[row])[1] != mark)

    def _index(self, language: str) -> _Index:
        with self._lock:
            known = self._indexes.get(language)
        if known is None:
            known = _Index.of(self._text(language))
            with self._lock:
                self._indexes[language] = known
        return known

    def _text(self, language: str) -> list[str]:
        with self._lock:
            if language not in self._lines:
                self._lines[language] = self._read(language)
            return self._lines[language]

    def _read(self, language: str) -> list[str]:
        path = self._pack.folder / self._info.files[language]
        try:
            lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise PackError(
                f"{path} cannot be read", why=reason(error), fix="Get the pack again"
            ) from error
        if len(lines) != self._info.rows:
            raise PackError(
                f"the phrasebook of the pack {self._pack.name} is damaged",
                why=f"{path.name} has {len(lines)} lines instead of {self._info.rows}",
                fix="Get the pack again",
            )
        return lines
