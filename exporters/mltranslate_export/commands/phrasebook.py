"""`mltranslate-export phrasebook`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mltranslate.packs.store import load_pack
from mltranslate.packs.verify import verify_pack
from mltranslate_export.card_member import add_card
from mltranslate_export.commands.card import add_card_option, sections_of
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
    add_card_option(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Give a whole pack these phrases, instead of those that it had, and a card that says so."""
    sections = sections_of(options)
    rows = [row for path in options.tables for row in read_phrases(path)]
    pack = load_pack(options.source)
    verify_pack(pack)
    pack = add_card(add_phrasebook(pack, rows), sections)
    facts: dict[str, Any] = {"pack": str(pack.folder), "version": pack.version}
    if info := pack.manifest.phrasebook:
        size = sum(pack.manifest.members[name].bytes for name in info.files.values())
        facts |= {"phrases": info.rows, "languages": list(info.files), "bytes": size}
    return facts
