"""When to translate what: a latest-wins slot, an adaptive delay, and no widgets."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from mltranslate.detect.elsewhere import base
from mltranslate.types import UNDETERMINED, CancelToken, Detection, Translation
from mltranslate_tui.choices import AUTO, Offer, Pair

NO_DELAY_UNDER = 0.08
"""Seconds: an answer faster than this is asked for on every keystroke."""
LONGEST_DELAY = 0.4
"""Seconds without a keystroke after which even the slowest model is asked."""
SURE = 0.97
"""Confidence of a detected language from which on a chosen one is doubted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """How far a translation has come: characters done out of all, and what can be shown."""

    done: int
    total: int
    text: str = ""
    """What the translation begins with, as far as it is known; the end may change again."""


DraftCallback = Callable[[Draft], None]


class Engine(Protocol):
    """What the app needs of a translator; `mltranslate_tui.engine` offers the real one."""

    @property
    def offer(self) -> Offer:
        """Languages that can be chosen."""

    @property
    def packs(self) -> Sequence[str]:
        """Names and versions of the model packs, at least one."""

    @property
    def left_out(self) -> Sequence[str]:
        """Which packs cannot be used, and why."""

    def load(self, pair: Pair) -> None:
        """Load the models that these languages need; raises `MltError`."""

    def links(self, source: str, target: str) -> bool:
        """Whether the pack for these languages can link words, as far as was found out."""

    def detect(self, text: str) -> Sequence[Detection]:
        """Candidate languages, most likely first; at least the two best."""

    def translate(
        self,
        text: str,
        *,
        source: str | Detection,
        target: str,
        cancel: CancelToken,
        progress: DraftCallback,
        linked: range | None = None,
    ) -> Translation:
        """Translate; raises `MltError`, or `Cancelled` soon after `cancel` was set.

        With the words linked of the blocks that begin in `linked`, characters of `text`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request to the engine thread; `translate` is False where only detection is wanted."""

    number: int
    text: str
    source: str
    target: str
    translate: bool = True
    links_at: int | None = None
    """The character around which words are to be linked."""
    again: bool = False
    """Whether the text was translated before and only these links are new."""
    token: CancelToken = field(default_factory=CancelToken)


def is_edit(before: str, after: str) -> bool:
    """Whether most of a text is still there: what both begin and end with is half of the longer."""
    least = min(len(before), len(after))
    begin = _longest(least, lambda size: before[:size] == after[:size])
    end = _longest(
        least - begin, lambda size: before[len(before) - size :] == after[len(after) - size :]
    )
    return 2 * (begin + end) >= max(len(before), len(after))


def _longest(most: int, fits: Callable[[int], bool]) -> int:
    """The largest size that fits, if all smaller ones do."""
    return bisect.bisect_left(range(1, most + 1), True, key=lambda size: not fits(size))


class Slot:
    """Holds at most one waiting job: a newer one replaces it and stops the one under way."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._waiting: Job | None = None
        self._running: Job | None = None
        self._closed = False

    def put(self, job: Job) -> None:
        """Make `job` the next one; whatever was asked before is obsolete."""
        self._replace(job)

    def drop(self) -> None:
        """Forget the waiting job and stop the running one."""
        self._replace(None)

    def take(self) -> Job | None:
        """Wait for a job and start it; None once the slot is closed."""
        with self._ready:
            self._running = None
            self._ready.wait_for(lambda: self._closed or self._waiting is not None)
            self._running, self._waiting = self._waiting, None
            return self._running

    def close(self) -> None:
        """Stop everything and let the engine thread end."""
        with self._ready:
            self._closed = True
        self._replace(None)

    def _replace(self, job: Job | None) -> None:
        with self._ready:
            running = self._running
            self._waiting = None if self._closed else job
            self._ready.notify_all()
        # Outside the lock: the token's callbacks belong to the runtime and may take their time.
        if running is not None:
            running.token.cancel()


class AdaptiveDelay:
    """How long to wait after a keystroke: not at all for a fast model, never over 400 ms."""

    def __init__(self) -> None:
        self._latency = 0.0

    @property
    def seconds(self) -> float:
        """The pause that the next keystroke has to be followed by."""
        return 0.0 if self._latency < NO_DELAY_UNDER else min(self._latency, LONGEST_DELAY)

    def answered(self, seconds: float) -> None:
        """Learn from an answer that took so long."""
        self._latency = seconds

    def stopped(self, seconds: float) -> None:
        """Learn from an answer that would have taken at least so long."""
        self._latency = max(self._latency, seconds)

    def reset(self) -> None:
        """Forget: the next text has nothing to do with the last one."""
        self._latency = 0.0


class Phase(Enum):
    """Where the newest text stands."""

    EMPTY = auto()
    """There is nothing to translate."""
    WAITING = auto()
    """The next keystroke may still come."""
    HELD = auto()
    """Live mode is off: the text waits to be asked for."""
    WORKING = auto()
    """The engine thread has it, or will have it once the model is loaded."""
    DONE = auto()
    FAILED = auto()


class Timer(Protocol):
    """A scheduled call that can be called off."""

    def stop(self) -> None:
        """Do not call any more."""


Schedule = Callable[[float, Callable[[], None]], Timer]


class Controller:
    """Decides when the engine is asked; the screen tells it what the user does."""

    def __init__(self, slot: Slot, schedule: Schedule) -> None:
        self.text = ""
        self.pair: Pair | None = None
        """The chosen languages; None until the packs are known."""
        self.live = True
        self.phase = Phase.EMPTY
        self.links_at: int | None = None
        """The character around which words are to be linked; None: nowhere."""
        self.linked: range | None = None
        """The characters whose words the newest answer has the links of, where there are any."""
        self._slot = slot
        self._schedule = schedule
        self._delay = AdaptiveDelay()
        self._timer: Timer | None = None
        self._number = 0
        # What was detected last, also beside a language that is pinned.
        self._found: tuple[Detection, ...] = ()
        self._answered: tuple[str, Pair | None] | None = None
        """Text and languages of the translation that is there, as far as it is a whole one."""

    @property
    def detections(self) -> tuple[Detection, ...]:
        """Candidates of the newest text that was looked at; empty when the source is given."""
        return self._found if self.pair is not None and self.pair.source == AUTO else ()

    @property
    def detected(self) -> str | None:
        """The language that stands for `AUTO` at the moment."""
        return self.detections[0].language if self.detections else None

    @property
    def doubt(self) -> str | None:
        """The language that the text is all but certainly in, where another one was chosen."""
        if self.pair is None or self.pair.source == AUTO or not self._found:
            return None
        best = self._found[0]
        other = base(best.language) not in {base(self.pair.source), UNDETERMINED}
        return best.language if other and best.confidence >= SURE else None

    def edit(self, text: str, *, at_once: bool = False) -> None:
        """Take the newest text: a paste goes `at_once`, typing after the adaptive delay."""
        if text == self.text:
            return
        self.text = text
        self._request(0.0 if at_once else self._delay.seconds)

    def choose(self, pair: Pair) -> None:
        """Take the newest languages; a text that is not held back is translated again at once."""
        if pair == self.pair:
            return
        self.pair = pair
        self._request(0.0, forced=self.phase is not Phase.HELD)

    @property
    def next_source(self) -> str | None:
        """What pinning chooses: the detected language, then the runner-up, then detection again.

        None while nothing was detected that could be pinned.
        """
        if self.pair is None:
            return None
        codes = [one.language for one in self._found if one.language != UNDETERMINED]
        if not codes:
            return None if self.pair.source == AUTO else AUTO
        first, *others = codes[:2]
        # A runner-up that is the target would change the direction instead.
        choices = (AUTO, first, *(code for code in others if code != self.pair.target))
        if self.pair.source not in choices:
            return AUTO
        return choices[(choices.index(self.pair.source) + 1) % len(choices)]

    def restate(self, text: str, pair: Pair) -> None:
        """Take a new text and new languages together, as a swap does."""
        self.text = text
        self.pair = None
        self._found = ()
        self.choose(pair)

    def set_live(self, live: bool) -> None:
        """Translate while typing, or only when asked to."""
        self.live = live
        if live and self.phase is Phase.HELD:
            self._request(0.0)

    def look(self, at: int | None) -> bool:
        """Take the place around which words are to be linked; True if that is asked for now.

        Nothing is, where the newest answer has them or is still being made.
        """
        self.links_at = at
        had = at is None or (self.linked is not None and at in self.linked)
        if had or self.phase is not Phase.DONE:
            return False
        self._number += 1
        self.phase = Phase.WORKING
        self._put(translate=True, again=True)
        return True

    def force(self) -> None:
        """Translate now, whatever the mode and the delay."""
        self._request(0.0, forced=True)

    def is_current(self, number: int) -> bool:
        """Whether an answer with this number belongs to the newest text and languages."""
        return number == self._number

    def note_detected(self, number: int, detections: tuple[Detection, ...]) -> bool:
        """Keep the candidates unless they are outdated; True if they were kept."""
        if self.is_current(number):
            self._found = detections
        return self.is_current(number)

    def note_translated(
        self, number: int, seconds: float | None, linked: range | None = None
    ) -> bool:
        """Learn the model's speed if `seconds` tell it; True if the answer is the one waited for.

        `linked` is what it has, or would have, links of.
        """
        if seconds is not None:
            self._delay.answered(seconds)
        if self.is_current(number):
            self.phase = Phase.DONE
            self.linked = linked
            self._answered = self.text, self.pair
        return self.is_current(number)

    def note_stopped(self, seconds: float) -> None:
        """Learn that the model is slower than the typing."""
        self._delay.stopped(seconds)

    def note_failed(self, number: int) -> bool:
        """Return True if the failure belongs to the newest request."""
        if self.is_current(number):
            self.phase = Phase.FAILED
        return self.is_current(number)

    def _request(self, delay: float, *, forced: bool = False) -> None:
        self._number += 1
        self._slot.drop()
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not self.text.strip():
            self._forget()
        elif self.live or forced:
            self._submit_after(delay)
        else:
            # What was typed may have been taken back.
            done = self._answered == (self.text, self.pair)
            self.phase = Phase.DONE if done else Phase.HELD
            self._put(translate=False)

    def _forget(self) -> None:
        self.phase = Phase.EMPTY
        self._found = ()
        self._answered = None
        self._delay.reset()

    def _submit_after(self, delay: float) -> None:
        if delay == 0.0:
            self._submit()
            return
        self.phase = Phase.WAITING
        self._timer = self._schedule(delay, self._submit)
        self._put(translate=False)

    def _submit(self) -> None:
        self._timer = None
        self._answered = None
        self.phase = Phase.WORKING
        self._put(translate=True)

    def _put(self, *, translate: bool, again: bool = False) -> None:
        pair = self.pair
        if pair is None:
            return
        job = Job(
            number=self._number,
            text=self.text,
            source=pair.source,
            target=pair.asked,
            translate=translate,
            links_at=self.links_at,
            again=again,
        )
        self._slot.put(job)
