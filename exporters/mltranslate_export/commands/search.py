"""`mltranslate-export search`."""

from __future__ import annotations

import argparse
from typing import Any

from mltranslate.packs.pack import Pack
from mltranslate_export.commands.change import add_change_options, changed
from mltranslate_export.commands.penalties import add_length_penalty_option, length_penalties
from mltranslate_export.manifest_changes import with_length_penalties


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="PACK", help="name or folder of the pack")
    add_length_penalty_option(parser, required=True)
    add_change_options(parser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Say which length penalties suit the languages of a pack, instead of what it said."""

    def change(pack: Pack) -> Pack:
        targets = {target for _, target in pack.manifest.directions}
        return with_length_penalties(pack, length_penalties(options.length_penalty, targets))

    pack = changed(options, change)
    penalties = dict(pack.manifest.length_penalties)
    return {"pack": str(pack.folder), "version": pack.version, "length_penalties": penalties}
