"""Ctrl-C that also stops a graph in the middle of its decoding loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from mltranslate.types import CancelToken

Result = TypeVar("Result")

_POLL = 0.2
"""Seconds between looks; some systems deliver no signal to a thread that waits for ever."""
_GRACE = 5.0
"""Seconds that the work has to notice its cancelled token."""


def interruptible(work: Callable[[CancelToken], Result]) -> Result:
    """Run `work` and return its result; KeyboardInterrupt sets its token and is raised again.

    The work runs in a thread of its own, because Python handles a signal only between two of its
    own instructions and a graph runs for seconds without any.
    """
    cancel = CancelToken()
    future: Future[Result] = Future()
    thread = threading.Thread(target=_fulfil, args=(future, work, cancel), daemon=True)
    try:
        thread.start()
        # Not Thread.join: interrupted, it may take the running thread for a finished one
        # (CPython 3.11), and a program that ends beside a running graph is aborted.
        while not wait([future], timeout=_POLL).done:
            pass
    except KeyboardInterrupt:
        cancel.cancel()
        wait([future], timeout=_GRACE)
        raise
    return future.result()


def _fulfil(
    future: Future[Result], work: Callable[[CancelToken], Result], cancel: CancelToken
) -> None:
    try:
        future.set_result(work(cancel))
    except BaseException as error:  # handed to the waiting thread
        future.set_exception(error)
