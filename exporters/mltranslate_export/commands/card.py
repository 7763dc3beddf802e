"""`mltranslate-export card`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mltranslate.packs.card import CARD
from mltranslate.packs.store import load_pack
from mltranslate.packs.verify import verify_pack
from mltranslate_export.card_member import add_card
from mltranslate_export.card_sections import read_sections


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="PACK", help="name or folder of the pack")
    add_card_option(parser)


def add_card_option(parser: argparse.ArgumentParser) -> None:
    """Declare where the hand-written part of the card is."""
    parser.add_argument(
        "--card",
        type=Path,
        metavar="FILE",
        help="Markdown sections for the model card: intended use, weaknesses, energy (none)",
    )


def sections_of(options: argparse.Namespace) -> str:
    """The hand-written sections; none without --card."""
    return read_sections(options.card) if options.card else ""


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Write the card of a whole pack anew."""
    sections = sections_of(options)
    pack = load_pack(options.source)
    verify_pack(pack)
    pack = add_card(pack, sections)
    card = pack.manifest.members[CARD]
    return {"pack": str(pack.folder), "version": pack.version, "card": CARD, "bytes": card.bytes}
