"""Puts a phrasebook into a pack, or a newer one in the old one's place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from mltranslate.errors import DataError, reason
from mltranslate.packs.card import CARD
from mltranslate.packs.pack import Pack, read_manifest
from mltranslate.packs.phrasebook import packed
from mltranslate.text.phrases import one_line
from mltranslate.text.spans import cut
from mltranslate_export.members import change_members, check_unsigned

Row = dict[str, str]


def read_phrases(path: Path) -> list[Row]:
    """Read a table with tabs: language codes in its first line, then a phrase a line in each.

    A cell may be empty: the phrase is missing in that language. Raises DataError for another file.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read", why=reason(error), fix="Give a UTF-8 table with tabs"
        ) from error
    codes, *rows = [[one_line(cell) for cell in line.split("\t")] for line in lines]
    if len(codes) < 2 or not all(codes) or len(set(codes)) < len(codes):
        raise DataError(
            f"{path} is no table of phrases",
            why="its first line does not name two languages or more, each once",
            fix='Begin it with codes and tabs between them: "en", "de"',
        )
    for number, row in enumerate(rows, 2):
        if len(row) > len(codes):
            raise DataError(
                f"line {number} of {path} has {len(row)} cells",
                why=f"the first line names {len(codes)} languages",
                fix="Take the tabs out of its phrases",
            )
    return [dict(zip_longest(codes, row, fillvalue="")) for row in rows]


def add_phrasebook(pack: Pack, rows: Sequence[Row]) -> Pack:
    """Write the phrases into `pack`, those of its languages, the likelier of competing ones first.

    Rows of as many sentences in every language become a row for each: texts are looked up sentence
    by sentence. Its model card, which told of another phrasebook or of none, is taken out.

    Raises:
        UsageError: the pack is signed.
        DataError: no phrase is in two of its languages, or its folder cannot be written.
    """
    check_unsigned(pack)
    codes = [code for code in pack.languages if any(row.get(code) for row in rows)]
    useful = (row for row in rows if sum(bool(row.get(code)) for code in codes) > 1)
    kept = [one for row in useful for one in _sentences(row, codes)]
    kept = list({tuple(row.get(code, "") for code in codes): row for row in kept}.values())
    if not kept:
        raise DataError(
            f"there is nothing to look up for the pack {pack.name}",
            why="no phrase is in two of its languages",
            fix=f"Give phrases in: {', '.join(pack.languages)}",
        )
    manifest = json.loads(read_manifest(pack.folder))
    old = manifest.pop("phrasebook", {"files": {}})["files"].values()
    files = {code: f"phrases.{code}.txt.xz" for code in codes}
    new = {
        name: packed("".join(f"{row.get(code, '')}\n" for row in kept))
        for code, name in files.items()
    }
    fields = {"phrasebook": {"rows": len(kept), "files": files}}
    return change_members(pack, manifest, {CARD, *old, *new}, new, fields)


def _sentences(row: Row, codes: Sequence[str]) -> list[Row]:
    """The sentences of a row, if all its languages have as many; otherwise the row itself."""
    parts = {
        code: [span.text for span in cut(row[code], code) if span.translatable]
        for code in codes
        if row.get(code)
    }
    fewest, *_, most = sorted(map(len, parts.values()))
    if fewest < most or most < 2:
        return [row]
    return [dict(zip(parts, one, strict=True)) for one in zip(*parts.values(), strict=True)]
