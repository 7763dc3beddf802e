"""The `mltranslate` command: the app on a bare terminal, the command line otherwise."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the app when there is no argument and people look on; return the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not words and _on_terminal():
        from mltranslate_tui.app import main as open_app

        return open_app()
    from mltranslate.cli.main import main as run_command

    return run_command(words)


def _on_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


if __name__ == "__main__":
    sys.exit(main())
