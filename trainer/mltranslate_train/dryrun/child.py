"""Work in a process of its own: its memory is its own, and its death is not ours."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from mltranslate.errors import MltError

T = TypeVar("T")


class ChildDied(Exception):  # noqa: N818 - to be turned into an error by who knows the work
    """The process ended without an answer; `code` is its exit code, negative for a signal."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


def in_child(work: Callable[..., T], *arguments: object) -> T:
    """What `work(*arguments)` gives or raises in a new process; all of it can be pickled.

    Raises:
        MltError: `work` raised it.
        ChildDied: it raised anything else, or the process was killed.
    """
    context = multiprocessing.get_context("spawn")  # a fork would take our memory along
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, work, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        result, error = receiver.recv()
    except EOFError:
        process.join()
        raise ChildDied(process.exitcode) from None
    finally:
        process.kill()  # it has answered, or we were interrupted
        process.join()
    if error:
        kind, what, why, fix = error
        raise kind(what, why=why, fix=fix)
    answer: T = result
    return answer


def _answer(sender: Connection, work: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    try:
        sender.send((work(*arguments), None))
    except MltError as error:
        sender.send((None, (type(error), error.what, error.why, error.fix)))
