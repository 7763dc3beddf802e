"""The controller under a fake schedule: what is asked, when, and what is stopped."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.types import Detection
from mltranslate_tui.choices import Pair
from mltranslate_tui.controller import (
    LONGEST_DELAY,
    NO_DELAY_UNDER,
    SURE,
    AdaptiveDelay,
    Controller,
    Job,
    Phase,
    Slot,
    is_edit,
)

PAIR = Pair(source="auto", target="en", spare="de")


class FakeTimer:
    def __init__(self, delay: float, call: Callable[[], None]) -> None:
        self.delay = delay
        self.call = call
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


class FakeSchedule:
    def __init__(self) -> None:
        self.timers: list[FakeTimer] = []

    def __call__(self, delay: float, call: Callable[[], None]) -> FakeTimer:
        self.timers.append(FakeTimer(delay, call))
        return self.timers[-1]

    @property
    def due(self) -> list[FakeTimer]:
        return [timer for timer in self.timers if not timer.stopped]


class ListSlot(Slot):
    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []
        self.drops = 0

    def put(self, job: Job) -> None:
        self.jobs.append(job)
        super().put(job)

    def drop(self) -> None:
        self.drops += 1
        super().drop()


def make() -> tuple[Controller, ListSlot, FakeSchedule]:
    slot, schedule = ListSlot(), FakeSchedule()
    controller = Controller(slot, schedule)
    controller.choose(PAIR)
    return controller, slot, schedule


def job(number: int = 1) -> Job:
    return Job(number=number, text="x", source="auto", target="en")


# The slot


def test_newer_job_replaces_the_waiting_one() -> None:
    slot = Slot()
    slot.put(job(1))
    slot.put(job(2))
    taken = slot.take()
    assert taken is not None
    assert taken.number == 2


def test_newer_job_cancels_the_running_one() -> None:
    slot = Slot()
    slot.put(job(1))
    running = slot.take()
    assert running is not None
    slot.put(job(2))
    assert running.token.cancelled


def test_drop_cancels_and_leaves_nothing_to_take() -> None:
    slot = Slot()
    slot.put(job(1))
    running = slot.take()
    slot.put(job(2))
    slot.drop()
    slot.close()
    assert running is not None
    assert running.token.cancelled
    assert slot.take() is None


def test_finished_job_is_not_cancelled_later() -> None:
    slot = Slot()
    slot.put(job(1))
    first = slot.take()
    slot.put(job(2))
    slot.take()
    assert first is not None
    slot.close()
    later = job(3)
    slot.put(later)
    assert not later.token.cancelled


def test_close_wakes_a_waiting_thread() -> None:
    slot = Slot()
    ended = threading.Thread(target=slot.take)
    ended.start()
    slot.close()
    ended.join(30)
    assert not ended.is_alive()


# The delay


def test_fast_model_is_never_waited_for() -> None:
    delay = AdaptiveDelay()
    assert delay.seconds == 0
    delay.answered(NO_DELAY_UNDER - 0.001)
    assert delay.seconds == 0


@given(st.floats(min_value=0, max_value=1e6), st.floats(min_value=0, max_value=1e6))
def test_delay_grows_with_latency_up_to_the_ceiling(one: float, other: float) -> None:
    delays = []
    for latency in sorted((one, other)):
        delay = AdaptiveDelay()
        delay.answered(latency)
        delays.append(delay.seconds)
    assert delays == sorted(delays)
    assert delays[-1] <= LONGEST_DELAY


def test_stopped_answer_only_raises_the_delay() -> None:
    delay = AdaptiveDelay()
    delay.answered(0.3)
    delay.stopped(0.1)
    assert delay.seconds == pytest.approx(0.3)
    delay.stopped(5)
    assert delay.seconds == LONGEST_DELAY


# The controller


def test_first_keystroke_is_translated_at_once() -> None:
    controller, slot, schedule = make()
    controller.edit("G")
    assert [(j.text, j.translate) for j in slot.jobs] == [("G", True)]
    assert not schedule.timers
    assert controller.phase is Phase.WORKING


def test_slow_model_waits_for_a_pause_but_detects_at_once() -> None:
    controller, slot, schedule = make()
    controller.edit("G")
    controller.note_translated(slot.jobs[-1].number, 0.25)
    controller.edit("Gu")
    controller.edit("Gut")
    assert [timer.delay for timer in schedule.due] == [0.25]
    assert [(j.text, j.translate) for j in slot.jobs[1:]] == [("Gu", False), ("Gut", False)]
    assert controller.phase is Phase.WAITING
    schedule.due[0].call()
    assert (slot.jobs[-1].text, slot.jobs[-1].translate) == ("Gut", True)


def test_paste_goes_at_once_however_slow_the_model() -> None:
    controller, slot, schedule = make()
    controller.note_stopped(9)
    controller.edit("a long text", at_once=True)
    assert slot.jobs[-1].translate
    assert not schedule.timers


def test_every_change_drops_what_is_running() -> None:
    controller, slot, _ = make()
    controller.edit("one")
    running = slot.take()
    controller.note_stopped(9)
    controller.edit("one two")
    assert running is not None
    assert running.token.cancelled


def test_old_answers_are_told_apart() -> None:
    controller, slot, _ = make()
    controller.edit("one")
    old = slot.jobs[-1].number
    controller.edit("two")
    assert not controller.note_translated(old, 0.01)
    assert controller.phase is Phase.WORKING
    assert controller.note_translated(slot.jobs[-1].number, 0.01)
    assert controller.phase is Phase.DONE


def test_old_detection_is_ignored() -> None:
    controller, slot, _ = make()
    controller.edit("one")
    old = slot.jobs[-1].number
    controller.edit("two")
    assert not controller.note_detected(old, (Detection(language="fr", confidence=1.0),))
    assert controller.detected is None


def test_blank_text_asks_nothing_and_forgets_the_latency() -> None:
    controller, slot, _ = make()
    controller.note_stopped(9)
    controller.edit(" \n")
    assert controller.phase is Phase.EMPTY
    assert not slot.jobs
    controller.edit("a")
    assert slot.jobs[-1].translate


def test_unchanged_text_is_not_asked_again() -> None:
    controller, slot, _ = make()
    controller.edit("a")
    controller.edit("a")
    assert len(slot.jobs) == 1


def test_language_change_translates_again_at_once() -> None:
    controller, slot, _ = make()
    controller.edit("a")
    controller.note_stopped(9)
    controller.choose(Pair(source="auto", target="fr", spare="en"))
    assert (slot.jobs[-1].target, slot.jobs[-1].translate) == ("fr", True)


def test_text_typed_before_the_pack_is_known_is_sent_when_it_is() -> None:
    slot, schedule = ListSlot(), FakeSchedule()
    controller = Controller(slot, schedule)
    controller.edit("early")
    assert not slot.jobs
    controller.choose(PAIR)
    assert slot.jobs[-1].text == "early"


def test_live_off_only_detects_until_forced() -> None:
    controller, slot, _ = make()
    controller.set_live(False)
    controller.edit("a")
    assert controller.phase is Phase.HELD
    assert not slot.jobs[-1].translate
    controller.force()
    assert slot.jobs[-1].translate
    assert controller.phase is Phase.WORKING


def test_what_is_typed_and_taken_back_leaves_the_translation_good() -> None:
    controller, slot, _ = make()
    controller.set_live(False)
    controller.edit("a")
    controller.force()
    controller.note_translated(slot.jobs[-1].number, 0.1)
    controller.edit("ab")
    assert controller.phase is Phase.HELD
    controller.edit("a")
    assert controller.phase is Phase.DONE
    assert not slot.jobs[-1].translate
    other = Pair(source="auto", target="fr", spare="en")
    controller.set_live(True)
    controller.choose(other)  # of which a part may have been shown
    controller.set_live(False)
    controller.edit("ab")
    controller.choose(PAIR)
    controller.edit("a")
    assert controller.phase is Phase.HELD


def test_an_emptied_text_has_no_translation() -> None:
    controller, slot, _ = make()
    controller.edit("a")
    controller.note_translated(slot.jobs[-1].number, 0.01)
    controller.set_live(False)
    controller.edit("")
    controller.edit("a")
    assert controller.phase is Phase.HELD


def test_live_on_catches_up() -> None:
    controller, slot, _ = make()
    controller.set_live(False)
    controller.edit("a")
    controller.set_live(True)
    assert slot.jobs[-1].translate


def test_named_source_is_doubted_where_another_one_is_certain() -> None:
    controller, slot, _ = make()
    controller.set_live(False)
    controller.choose(Pair(source="de", target="en", spare="fr"))
    controller.edit("a")
    assert not slot.jobs[-1].translate
    doubts = []
    for code, confidence in (("fr", SURE), ("fr", 0.96), ("de", 1.0), ("und", 1.0)):
        found = Detection(language=code, confidence=confidence)
        controller.note_detected(slot.jobs[-1].number, (found,))
        assert controller.detected is None
        doubts.append(controller.doubt)
    assert doubts == ["fr", None, None, None]


def test_swapped_text_is_not_doubted_for_what_was_detected_before() -> None:
    controller, slot, _ = make()
    controller.edit("guten")
    controller.note_detected(slot.jobs[-1].number, (Detection(language="de", confidence=1.0),))
    assert controller.doubt is None
    controller.restate("good", Pair(source="en", target="de", spare="fr"))
    assert controller.doubt is None


def test_failure_of_an_old_request_is_ignored() -> None:
    controller, slot, _ = make()
    controller.edit("a")
    old = slot.jobs[-1].number
    controller.edit("b")
    assert not controller.note_failed(old)
    assert controller.note_failed(slot.jobs[-1].number)
    assert controller.phase is Phase.FAILED


@given(st.lists(st.text(alphabet="ab \n", max_size=3)))
def test_the_last_job_always_holds_the_last_text(texts: list[str]) -> None:
    controller, slot, _ = make()
    for text in texts:
        controller.edit(text)
    if controller.text.strip():
        assert slot.jobs[-1].text == controller.text
        assert controller.is_current(slot.jobs[-1].number)
    else:
        assert controller.phase is Phase.EMPTY


def test_pinning_goes_round_detected_runner_up_and_detection() -> None:
    controller = Controller(ListSlot(), FakeSchedule())
    assert controller.next_source is None
    controller.pair = PAIR
    controller.edit("no")
    assert controller.next_source is None
    found = [Detection(language=code, confidence=0.3) for code in ("es", "und", "it", "pt")]
    controller.note_detected(controller._number, tuple(found))
    seen = []
    for _ in range(3):
        source = controller.next_source
        assert source is not None
        seen.append(source)
        controller.choose(dataclasses.replace(PAIR, source=source))
    assert seen == ["es", "it", "auto"]
    controller.choose(dataclasses.replace(PAIR, source="de"))
    assert controller.next_source == "auto"
    controller.edit("")
    assert controller.next_source == "auto", "a pin can be undone without text"
    controller.choose(dataclasses.replace(PAIR, source="auto"))
    assert controller.next_source is None


def test_pinning_leaves_out_a_runner_up_that_is_the_target() -> None:
    controller = Controller(ListSlot(), FakeSchedule())
    controller.pair = PAIR
    controller.edit("no")
    found = [Detection(language=code, confidence=0.5) for code in ("es", PAIR.target)]
    controller.note_detected(controller._number, tuple(found))
    assert controller.next_source == "es"
    controller.choose(dataclasses.replace(PAIR, source="es"))
    assert controller.next_source == "auto"


# Links between words


def test_links_are_asked_for_once_where_they_are_not_there_yet() -> None:
    controller, slot, _ = make()
    assert not controller.look(3)
    controller.edit("Guten Morgen")
    assert slot.jobs[-1].links_at == 3
    assert not controller.look(4)
    assert controller.note_translated(slot.jobs[-1].number, 0.01, range(6))
    asked = len(slot.jobs)
    assert not controller.look(5)
    assert len(slot.jobs) == asked
    assert controller.look(7)
    assert (slot.jobs[-1].links_at, controller.phase) == (7, Phase.WORKING)
    assert not controller.look(None)
    controller.edit("Guten Morgen!")
    assert slot.jobs[-1].links_at is None


def test_links_are_asked_for_when_the_text_was_translated_without() -> None:
    controller, slot, _ = make()
    controller.set_live(False)
    controller.edit("Guten Morgen")
    assert not controller.look(0)
    assert not slot.jobs[-1].translate
    controller.force()
    controller.note_translated(slot.jobs[-1].number, 0.01)
    assert controller.look(0)
    assert slot.jobs[-1].translate


def test_links_alone_teach_nothing_about_the_speed() -> None:
    controller, slot, schedule = make()
    controller.edit("Guten Morgen")
    assert not slot.jobs[-1].again
    controller.note_translated(slot.jobs[-1].number, 0.25)
    assert controller.look(0)
    assert slot.jobs[-1].again
    controller.note_translated(slot.jobs[-1].number, None, range(13))
    controller.edit("Guten Morgen!")
    assert [timer.delay for timer in schedule.due] == [0.25]
    assert not slot.jobs[-1].again


@pytest.mark.parametrize(
    ("before", "after", "edited"),
    [
        pytest.param("", "", True, id="nothing"),
        pytest.param("a word or two", "a word or three", True, id="the end"),
        pytest.param("a word or two", "one word or two", True, id="the beginning"),
        pytest.param("a word or two", "a wide word or two", True, id="within"),
        pytest.param(
            "a word or two", "a word or two and so on and so on", False, id="twice as long"
        ),
        pytest.param("a word or two", "quite another text", False, id="another"),
        pytest.param("aaaa", "aaaaaaaaa", False, id="the same ends"),
    ],
)
def test_an_edit_leaves_most_of_a_text(before: str, after: str, edited: bool) -> None:
    assert is_edit(before, after) == is_edit(after, before) == edited
