"""The parser, and what becomes of errors. Only the standard library is imported here."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mltranslate import __version__
from mltranslate.cli import detect, doctor, packs, text
from mltranslate.cli.streams import complain
from mltranslate.errors import MltError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT."""
CLOSED_PIPE = 141
"""Exit code when the reader of stdout went away: 128 + SIGPIPE."""
FAULT = 1
"""Exit code of a failure that has no code of its own, such as a full disk."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (docs/exit-codes.md)."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except MltError as error:
        complain(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return CLOSED_PIPE
    except OSError as error:
        complain(f"error: {error}")
        _forget_stdout()
        return FAULT
    return code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all sub-commands."""
    parser = argparse.ArgumentParser(
        prog="mltranslate",
        description="Translate without a network. On a terminal, no argument opens the app.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"mltranslate {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in (text, detect, packs, doctor):
        module.register(commands)
    return parser


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = build_parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    code: int = options.run(options)
    return code


def _forget_stdout() -> None:
    """Keep the interpreter from flushing, at its end, what nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
