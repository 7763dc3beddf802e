"""The command `mltranslate-export`."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
from collections.abc import Sequence

from mltranslate.cli.ending import ended
from mltranslate.cli.parser import program

_COMMANDS = {
    "pack": "export a run to a verified model pack",
    "import": "make a verified model pack of a public model in a local folder",
    "verify": "compare a pack with the run it was made from, and measure it",
    "card": "write the model card of a pack anew",
    "phrasebook": "give a pack phrases that are looked up instead of translated",
    "search": "say which length penalty suits a language of a pack",
    "unpack": "read the weights of a pack back, to train on from them",
    "notices": "write a notice for every source of a recipe",
    "lid": "export a language identifier",
}
_MODULES = {
    "pack": "mltranslate_export.commands.pack",
    "import": "mltranslate_export.commands.import_",
    "verify": "mltranslate_export.commands.verify",
    "card": "mltranslate_export.commands.card",
    "phrasebook": "mltranslate_export.commands.phrasebook",
    "search": "mltranslate_export.commands.search",
    "unpack": "mltranslate_export.commands.unpack",
    "notices": "mltranslate_export.commands.notices",
    "lid": "mltranslate_export.lid",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (docs/exit-codes.md)."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    chosen = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser(chosen).parse_args(chosen)
    return ended("mltranslate-export", lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    """Run the chosen command, and print what it gives as JSON."""
    result = importlib.import_module(_MODULES[options.command]).run(options)
    if isinstance(result, dict):
        json.dump(result, sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
        return 0
    return int(result)


def _parser(chosen: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only the chosen command's module is imported, as each loads torch."""
    parser = program("mltranslate-export", "Make verified model packs, and what belongs to them.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if chosen[:1] == [name]:
            importlib.import_module(_MODULES[name]).add_arguments(command)
    return parser
