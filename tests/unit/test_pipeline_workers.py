"""Several batches at a time: the same results, in order, and an orderly end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector

from mltranslate.decode import Hypothesis, Search
from mltranslate.errors import Cancelled
from mltranslate.limits import LEAST_BATCH_TOKENS
from mltranslate.pipeline import Translator
from mltranslate.types import CancelToken, Progress

TEXTS = [f"Sentence {number} {'of many words ' * (number % 7)}is here." for number in range(80)]


@dataclass
class Busy(FakeDecoder):
    """Counts the searches that go on at a time, each of which waits for another if it can."""

    workers: int = 3
    most: int = 0
    failing: str = ""
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))

    def search(
        self, requests: Any, search: Search, *, cancel: CancelToken | None = None, **options: Any
    ) -> list[list[Hypothesis]]:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            self._meeting.wait(0.2)
        except threading.BrokenBarrierError:
            self._meeting.reset()
        if cancel:
            cancel.raise_if_cancelled()
        found = super().search(requests, search, **options)
        with self._lock:
            self._now -= 1
        if self.failing and any(self.failing in text for text in self.batches[-1]):
            raise RuntimeError(self.failing)
        return found


def _translator(decoder: FakeDecoder) -> Translator:
    return Translator(decoder=decoder, detector=FakeDetector())


@pytest.mark.parametrize("beam", [1, 4])
def test_batches_are_decoded_at_a_time_and_come_in_order(beam: int) -> None:
    decoder, steps = Busy(), list[Progress]()
    found = _translator(decoder).translate(TEXTS, "de", "en", beam, progress=steps.append)
    assert [one.text for one in found] == [text.upper() for text in TEXTS]
    assert sorted(decoder.sentences) == sorted(TEXTS)
    assert 2 <= decoder.most <= decoder.workers
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1] == Progress(done=80, total=80)


def test_a_decoder_with_one_worker_is_called_once_at_a_time() -> None:
    decoder = Busy(workers=1)
    _translator(decoder).translate(TEXTS, "de", "en")
    assert decoder.most == 1


@pytest.mark.parametrize(
    ("count", "workers", "batches"), [(1, 4, 1), (2, 4, 2), (4, 4, 4), (6, 3, 3)]
)
def test_a_batch_is_shared_between_workers(count: int, workers: int, batches: int) -> None:
    texts = [f"{'and so on ' * 6}{number}." for number in range(count)]
    assert len(texts[0]) + 2 == LEAST_BATCH_TOKENS
    decoder = FakeDecoder(workers=workers)
    _translator(decoder).translate(texts, "de", "en")
    assert len(decoder.batches) == batches


def test_sentences_of_all_lengths_make_no_more_batches_than_workers() -> None:
    decoder = FakeDecoder(workers=2)
    texts = [f"{'and so on ' * size}{size}." for size in (1, 2, 3, 5, 8, 13)]
    _translator(decoder).translate(texts, "de", "en")
    assert sorted(len(batch) for batch in decoder.batches) == [2, 4]


def test_where_no_thread_starts_any_more_batches_follow_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    found = _translator(FakeDecoder(workers=2)).translate(TEXTS, "de", "en")
    assert [one.text for one in found] == [text.upper() for text in TEXTS]


def test_tiny_sentences_stay_together() -> None:
    decoder = FakeDecoder(workers=4)
    _translator(decoder).translate(["A bee.", "See me.", "Oh no."], "de", "en")
    assert len(decoder.batches) == 1


def test_the_first_error_ends_it_and_nothing_is_begun_any_more() -> None:
    decoder = Busy(failing="Sentence 0 ")
    texts = [*TEXTS, *(f"{text} And {text}" for text in TEXTS)]
    with pytest.raises(RuntimeError, match="Sentence 0"):
        _translator(decoder).translate(texts, "de", "en")
    made = len(decoder.batches)
    assert made < 80
    assert not [one for one in threading.enumerate() if one.name.startswith("mltranslate-batch")]


def test_a_cancelled_call_ends_with_all_its_workers() -> None:
    cancel = CancelToken()

    def stop(_: Progress) -> None:
        cancel.cancel()

    decoder = Busy()
    with pytest.raises(Cancelled):
        _translator(decoder).translate(TEXTS, "de", "en", cancel=cancel, progress=stop)
    assert not [one for one in threading.enumerate() if one.name.startswith("mltranslate-batch")]


def test_what_a_callback_raises_ends_the_workers_too() -> None:
    def fail(_: Progress) -> None:
        raise KeyError("callback")

    with pytest.raises(KeyError):
        _translator(Busy()).translate(TEXTS, "de", "en", progress=fail)
    assert not [one for one in threading.enumerate() if one.name.startswith("mltranslate-batch")]
