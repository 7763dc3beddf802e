import os
import signal
import threading
import time

import pytest

from mltranslate.cli.interrupt import interruptible
from mltranslate.errors import UsageError
from mltranslate.types import CancelToken


def test_results_and_errors_come_through() -> None:
    assert interruptible(lambda cancel: cancel.cancelled) is False

    def fail(cancel: CancelToken) -> None:
        raise UsageError("wrong")

    with pytest.raises(UsageError, match="wrong"):
        interruptible(fail)


def test_an_interrupt_cancels_the_work() -> None:
    stopped = threading.Event()

    def work(cancel: CancelToken) -> None:
        cancel.subscribe(stopped.set)
        signal.raise_signal(signal.SIGINT)
        assert stopped.wait(60)

    with pytest.raises(KeyboardInterrupt):
        interruptible(work)
    assert stopped.is_set()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_interrupted_call_waits_for_the_work_to_end() -> None:
    ended = threading.Event()

    def work(cancel: CancelToken) -> None:
        time.sleep(0.3)  # the caller is waiting by now
        os.kill(os.getpid(), signal.SIGINT)
        while not cancel.cancelled:
            time.sleep(0.01)
        time.sleep(0.3)  # a graph that is still winding up
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        interruptible(work)
    assert ended.is_set()
