"""Batches assembled ahead by a thread, while the training step computes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mltranslate_train.data.batches import Batch


@contextmanager
def prefetch(
    batches: Iterator[Batch], size: int, *, pin: bool = False
) -> Iterator[Iterator[Batch]]:
    """Give an iterator over the same batches that keeps up to `size` ready; 0 starts no thread.

    A checkpoint must name the `state` of the batch that was used last: `Sampler.state` is ahead.
    With `pin` the batches lie in pinned memory. What `batches` raises comes out of `next` in its
    turn. The thread ends with the block, after the batch it is at.
    """
    source = (batch.pinned() for batch in batches) if pin else batches
    if not size:
        yield source
        return
    worker = _Worker(source, size)
    worker.start()
    try:
        yield iter(worker)
    finally:
        worker.stop()


class _End:
    """Nothing comes after: the batches ended, or making one failed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Worker:
    """The thread and the queue between it and the loop."""

    def __init__(self, source: Iterator[Batch], size: int) -> None:
        self._source = source
        self._ready: queue.Queue[Batch | _End] = queue.Queue(size)
        self._stopping = threading.Event()
        # A daemon: a hard exit of the process does not wait for it.
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        # The thread may wait for room: it puts one more at most, then sees that it should stop.
        while not self._ready.empty():
            self._ready.get()
        self._thread.join()

    def _run(self) -> None:
        try:
            for batch in self._source:
                self._ready.put(batch)
                if self._stopping.is_set():
                    return
        except BaseException as error:  # whatever it is, the loop must hear of it
            self._ready.put(_End(error))
        else:
            self._ready.put(_End())

    def __iter__(self) -> Iterator[Batch]:
        while not isinstance(item := self._ready.get(), _End):
            yield item
        if item.error:
            raise item.error
