"""The parser, and what becomes of errors. Only the standard library is imported here."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mltranslate import __version__
from mltranslate.cli import bare, detect, doctor, packs, text
from mltranslate.cli.streams import complain
from mltranslate.errors import MltError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT."""
CLOSED_PIPE = 141
"""Exit code when the reader of stdout went away: 128 + SIGPIPE."""
FAULT = 1
"""Exit code of a failure that has no code of its own, such as a full disk."""


def main(arguments: Sequence[str] | None = None, open_app: bare.Opener | None = None) -> int:
    """Run the command line and return its exit code (docs/exit-codes.md).

    `open_app` is called when there is no command; without it, a command is required.
    """
    try:
        code = _run(arguments, open_app)
        sys.stdout.flush()
    except MltError as error:
        complain(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        forget_stdout()
        return CLOSED_PIPE
    except OSError as error:
        complain(f"error: {error}")
        forget_stdout()
        return FAULT
    return code


def build_parser(*, with_app: bool = False) -> argparse.ArgumentParser:
    """Return the parser of all sub-commands and, if there is one, of the app's options."""
    parser = argparse.ArgumentParser(
        prog="mltranslate",
        description="Translate without a network."
        + (" Without a command, on a terminal, the app opens." if with_app else ""),
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"mltranslate {__version__}")
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
    code: int = options.run(options)
    return code


def forget_stdout() -> None:
    """Keep the interpreter from flushing, at its end, what nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
