import signal
import threading

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
