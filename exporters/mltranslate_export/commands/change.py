"""What the commands that change a finished pack have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from mltranslate.packs.pack import Pack
from mltranslate.packs.store import load_pack
from mltranslate.packs.verify import verify_pack
from mltranslate_export.card_member import add_card
from mltranslate_export.commands.card import add_card_option, sections_of
from mltranslate_export.manifest_changes import check_version, with_version


def add_change_options(parser: argparse.ArgumentParser) -> None:
    """Declare what the pack is called afterwards, and its card."""
    parser.add_argument("--version", help="version of the changed pack (the one that it has)")
    add_card_option(parser)


def changed(options: argparse.Namespace, change: Callable[[Pack], Pack]) -> Pack:
    """Change a whole pack, and give it its version and its card."""
    sections = sections_of(options)
    if options.version is not None:
        check_version(options.version)
    pack = load_pack(options.source)
    verify_pack(pack)
    pack = change(pack)
    if options.version is not None:
        pack = with_version(pack, options.version)
    return add_card(pack, sections)
