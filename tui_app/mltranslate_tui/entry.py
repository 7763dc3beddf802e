"""The `mltranslate` command: the command line, and the app where no command is named."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from mltranslate.errors import UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command or open the app; return the exit code."""
    from mltranslate.cli.main import main as run_command

    return run_command(arguments, open_app)


def open_app(**options: Any) -> int:
    """Open the app with options of `mltranslate_tui.app.main`.

    Raises UsageError unless stdin, stdout and stderr are a terminal: Textual draws on stderr, on
    Windows on stdout.
    """
    if not _on_terminal():
        raise UsageError(
            "there is no command, and the app needs a terminal",
            why="input, output or errors are redirected",
            fix="Name a command; mltranslate --help lists them",
        )
    from mltranslate_tui.app import main as run_app

    return run_app(**options)


def _on_terminal() -> bool:
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


if __name__ == "__main__":
    sys.exit(main())
