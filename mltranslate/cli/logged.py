"""What the engine logs during a command, as lines on stderr."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mltranslate.cli.streams import complain


class _Complaints(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Write one line that begins like every other of the program."""
        complain(f"warning: {record.getMessage()}")


@contextmanager
def complaints() -> Iterator[None]:
    """Show warnings of the engine, such as a damaged pack that is left out, until it is left."""
    logger, handler = logging.getLogger("mltranslate"), _Complaints(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
