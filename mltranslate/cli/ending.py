"""How every program of the project ends: what becomes of errors, Ctrl-C and closed pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from mltranslate.cli.streams import complain
from mltranslate.errors import MltError, reason

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT."""
CLOSED_PIPE = 141
"""Exit code when the reader of stdout went away: 128 + SIGPIPE."""
FAULT = 1
"""Exit code of a failure that has no code of its own, such as a full disk behind stdout."""


def ended(program: str, work: Callable[[], int]) -> int:
    """Do the work of a command; its exit code, or that of the error that ended it.

    An error is one line on stderr that begins with the name of the `program`; docs/exit-codes.md
    has the codes.
    """
    try:
        if sys.stdout is None:
            raise MltError("there is no standard output", why="it is closed", fix="Redirect it")
        code = work()
        sys.stdout.flush()
    except MltError as error:
        complain(f"error: {error}", program)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return CLOSED_PIPE
    except OSError as error:
        complain(f"error: {_described(error)}", program)
        _forget_stdout()
        return FAULT
    return code


def _described(error: OSError) -> MltError:
    """What to say of a failure that nothing foresaw: mostly stdout cannot be written."""
    what = f"{error.filename} cannot be used" if error.filename else "reading or writing failed"
    fix = "See that it may be used and that the disk has room, then run the same command again"
    return MltError(what, why=reason(error), fix=fix)


def _forget_stdout() -> None:
    """Keep the interpreter from flushing, at its end, what nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
