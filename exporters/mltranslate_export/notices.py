"""Notices for the sources of a recipe: what they are, and under which licence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mltranslate.errors import DataError, reason
from mltranslate_train.config import Recipe
from mltranslate_train.data.readers.lines import open_text
from mltranslate_train.data.weights import is_used
from mltranslate_train.report.markdown import code, escape, table

_COLUMNS = ("source", "origin", "licence")
_SAME = "same"
_LONGEST = 300
"""The table of sources cuts its texts here."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """One row of a table of sources."""

    name: str
    origin: str
    licence: str


def read_sources(path: Path) -> list[Source]:
    """Read a TSV file with the columns source, origin and licence; raises DataError.

    An origin or licence "same" is that of the source whose name has the longest beginning in
    common, and which has an origin of its own.
    """
    try:
        with open_text(path) as lines:
            header, *rows = [line.rstrip("\r\n").split("\t") for line in lines]
        columns = [header.index(name) for name in _COLUMNS]
        sources = [Source(*(row[column] for column in columns)) for row in rows]
        return [_resolved(source, sources) for source in sources]
    except (OSError, ValueError, IndexError) as error:
        raise DataError(
            f"the table of sources {path} cannot be read",
            why=reason(error),
            fix=f"Give a TSV file whose first line names {', '.join(_COLUMNS)}",
        ) from error


def used_sources(recipe: Recipe, sources: Sequence[Source]) -> list[Source]:
    """Those that a stage of the recipe gives a weight."""
    return [source for source in sources if is_used(source.name, recipe.data)]


def notices(title: str, sources: Sequence[Source]) -> str:
    """Markdown that names every source, those of one origin and licence in one row."""
    groups: Mapping[tuple[str, str], list[str]] = defaultdict(list)
    for source in sources:
        groups[source.origin, source.licence].append(source.name)
    rows = (
        (", ".join(map(_cell, names)), escape(_short(origin)), escape(licence))
        for (origin, licence), names in groups.items()
    )
    return (
        f"# {escape(title)}\n\n"
        f"{len(sources)} sources of training text, written by `mltranslate-export notices`. "
        "The texts are by the authors, editors, translators\n"
        "and contributors of the works named here. Licences are as the sources state them; where "
        "that was not checked, it says so.\n\n"
    ) + table(("sources", "taken from", "licence"), rows)


def _resolved(source: Source, sources: Sequence[Source]) -> Source:
    if source.origin != _SAME:
        return source
    named = [other for other in sources if other.origin != _SAME]
    meant = max(named, key=lambda other: _common(source.name, other.name))
    licence = meant.licence if source.licence.startswith(_SAME) else source.licence
    return Source(source.name, meant.origin, licence)


def _common(one: str, two: str) -> int:
    pairs = enumerate(zip(one, two, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(two)))


def _short(origin: str) -> str:
    """An origin that the table cut off, without its last broken word."""
    return origin.rpartition(" ")[0] + " …" if len(origin) >= _LONGEST else origin


def _cell(name: str) -> str:
    return code(name).replace("|", r"\|")
