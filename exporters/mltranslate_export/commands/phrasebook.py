"""`mltranslate-export phrasebook`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mltranslate_export.commands.change import add_change_options, changed
from mltranslate_export.phrasebook_member import add_phrasebook, read_phrases


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="PACK", help="name or folder of the pack")
    parser.add_argument(
        "tables",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="phrases with tabs between, language codes in the first line; put the likelier first",
    )
    add_change_options(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Give a whole pack these phrases, instead of those that it had, and a card that says so."""
    rows = [row for path in options.tables for row in read_phrases(path)]
    pack = changed(options, lambda pack: add_phrasebook(pack, rows))
    facts: dict[str, Any] = {"pack": str(pack.folder), "version": pack.version}
    if info := pack.manifest.phrasebook:
        size = sum(pack.manifest.members[name].bytes for name in info.files.values())
        facts |= {"phrases": info.rows, "languages": list(info.files), "bytes": size}
    return facts
