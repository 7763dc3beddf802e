"""The command `mltranslate`. Only the standard library is imported here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mltranslate.cli import bare, detect, doctor, packs, text
from mltranslate.cli.ending import ended
from mltranslate.cli.parser import program


def main(arguments: Sequence[str] | None = None, open_app: bare.Opener | None = None) -> int:
    """Run the command line and return its exit code (docs/exit-codes.md).

    `open_app` is called when there is no command; without it, a command is required.
    """
    return ended("mltranslate", lambda: _run(arguments, open_app))


def build_parser(*, with_app: bool = False) -> argparse.ArgumentParser:
    """Return the parser of all sub-commands and, if there is one, of the app's options."""
    app = " Without a command, on a terminal, the app opens." if with_app else ""
    parser = program("mltranslate", "Translate without a network." + app)
    if with_app:
        bare.register(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=not with_app)
    for module in (text, detect, packs, doctor):
        module.register(commands)
    return parser


def _run(arguments: Sequence[str] | None, open_app: bare.Opener | None) -> int:
    try:
        options = build_parser(with_app=open_app is not None).parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    if open_app is not None and options.command is None:
        return bare.run(options, open_app)
    bare.refuse_before_command(options)
    from mltranslate.cli.logged import complaints

    with complaints():
        code: int = options.run(options)
    return code
