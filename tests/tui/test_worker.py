"""The engine thread's loop, run in the test's own thread."""

from __future__ import annotations

import dataclasses

from fake_engine import FakeEngine
from textual.message import Message

from mltranslate.errors import DeviceError, PackError
from mltranslate_tui import messages
from mltranslate_tui.controller import Draft, Engine, Job, Slot
from mltranslate_tui.worker import serve


class Script(Slot):
    """A slot that hands out given jobs and then closes."""

    def __init__(self, *jobs: Job) -> None:
        super().__init__()
        self.jobs = list(jobs)

    def take(self) -> Job | None:
        return self.jobs.pop(0) if self.jobs else None


def job(text: str = "Guten Morgen", *, source: str = "auto", translate: bool = True) -> Job:
    return Job(number=7, text=text, source=source, target="en", translate=translate)


def run(engine: FakeEngine, *jobs: Job) -> list[Message]:
    posted: list[Message] = []
    serve(Script(*jobs), lambda: engine, posted.append)
    return posted


def kinds(posted: list[Message]) -> list[type[Message]]:
    return [type(message) for message in posted]


def test_start_is_told_in_two_steps() -> None:
    posted = run(FakeEngine())
    assert kinds(posted) == [messages.EngineOpened, messages.EngineReady]


def test_detection_comes_before_the_translation() -> None:
    posted = run(FakeEngine(), job())[2:]
    assert kinds(posted) == [messages.Detected, messages.Translated]


def test_named_source_is_taken_whatever_is_detected() -> None:
    engine = FakeEngine()
    posted = run(engine, job("hello", source="de"))[2:]
    assert kinds(posted) == [messages.Detected, messages.Translated]
    assert engine.calls == [("hello", "de", "en")]


def test_detection_alone() -> None:
    engine = FakeEngine()
    assert kinds(run(engine, job(translate=False))[2:]) == [messages.Detected]
    assert not engine.calls


def test_cancelled_job_is_reported_as_stopped() -> None:
    cancelled = job(source="de")
    cancelled.token.cancel()
    assert kinds(run(FakeEngine(), cancelled)[2:]) == [messages.Detected, messages.Stopped]


def test_failed_job_does_not_end_the_thread() -> None:
    engine = FakeEngine()
    engine.failure = DeviceError("No memory")
    posted = run(engine, job(source="de"), job(source="de"))[2:]
    assert kinds(posted) == [messages.Detected, messages.TranslationFailed] * 2


def test_unforeseen_error_is_explained() -> None:
    engine = FakeEngine()
    engine.failure = ZeroDivisionError("division by zero")
    _, failed = run(engine, job(source="de"))[2:]
    assert isinstance(failed, messages.TranslationFailed)
    assert failed.error.why == "ZeroDivisionError: division by zero"
    assert "doctor" in failed.error.fix


def test_engine_that_does_not_start_ends_the_thread() -> None:
    def start() -> Engine:
        raise PackError("No model pack was found")

    posted: list[Message] = []
    serve(Slot(), start, posted.append)
    (failed,) = posted
    assert isinstance(failed, messages.EngineFailed)
    assert failed.error.what == "No model pack was found"


def test_model_that_does_not_load_ends_the_thread() -> None:
    engine = FakeEngine()
    engine.load_failure = DeviceError("CUDA cannot be used")
    assert kinds(run(engine)) == [messages.EngineOpened, messages.EngineFailed]


def test_one_model_of_several_that_does_not_load_is_not_the_end() -> None:
    engine = FakeEngine()
    engine.packs = ("one 1.0.0", "two 1.0.0")
    engine.load_failure = PackError("one is damaged")
    posted = run(engine, job(source="de"))
    assert kinds(posted) == [
        messages.EngineOpened, messages.ModelFailed, messages.EngineReady,
        messages.Detected, messages.Translated,
    ]  # fmt: skip


def test_a_device_that_cannot_be_used_is_the_end_with_several_packs_as_well() -> None:
    engine = FakeEngine()
    engine.packs = ("one 1.0.0", "two 1.0.0")
    engine.load_failure = DeviceError("CUDA cannot be used")
    assert kinds(run(engine)) == [messages.EngineOpened, messages.EngineFailed]


def test_partial_results_are_thinned_out() -> None:
    ticks = iter(range(10_000))
    engine = FakeEngine()
    posted: list[Message] = []
    engine.partials = ()

    def translate_fast(*args: object, progress: object, **options: object) -> object:
        assert callable(progress)
        for done in range(100):
            progress(Draft(done=done, total=100))
        return real(*args, progress=progress, **options)  # type: ignore[arg-type]

    real = engine.translate
    engine.translate = translate_fast  # type: ignore[assignment, method-assign]
    serve(Script(job(source="de")), lambda: engine, posted.append, clock=lambda: next(ticks) * 0.01)
    partials = [message for message in posted if isinstance(message, messages.Partial)]
    assert 0 < len(partials) < 20


def test_what_is_translated_again_for_links_is_not_drafted() -> None:
    engine = FakeEngine()
    engine.partials = (Draft(done=1, total=2, text="one."),)
    for again in (False, True):
        posted = run(engine, dataclasses.replace(job(source="de"), links_at=0, again=again))
        drafts = [one.draft for one in posted if isinstance(one, messages.Partial)]
        assert drafts == [Draft(done=1, total=2, text="" if again else "one.")]


def test_newer_partial_replaces_the_older() -> None:
    older = messages.Partial(1, Draft(done=1, total=3))
    newer = messages.Partial(1, Draft(done=2, total=3))
    assert newer.can_replace(older)
    assert not newer.can_replace(messages.EngineReady())


def test_links_are_asked_for_around_a_place() -> None:
    engine = FakeEngine()
    plain, linked = job(), dataclasses.replace(job(), links_at=3)
    answers = [one for one in run(engine, plain, linked) if isinstance(one, messages.Translated)]
    assert [one.linked for one in answers] == [None, range(len(linked.text) + 1)]
    assert [bool(one.translation.alignment) for one in answers] == [False, True]
    assert all(one.links for one in answers)


def test_a_pack_that_cannot_link_is_told() -> None:
    engine = FakeEngine()
    engine.can_link = False
    answer = run(engine, dataclasses.replace(job(), links_at=3))[-1]
    assert isinstance(answer, messages.Translated)
    assert (answer.links, answer.translation.alignment) == (False, ())


def test_what_is_asked_again_for_its_links_is_not_timed() -> None:
    again = dataclasses.replace(job(), links_at=3, again=True)
    answer = run(FakeEngine(), again)[-1]
    assert isinstance(answer, messages.Translated)
    assert answer.seconds is None
    again.token.cancel()
    assert kinds(run(FakeEngine(), again)[2:]) == [messages.Detected]
