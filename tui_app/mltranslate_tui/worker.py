"""The engine thread: starts the engine, then answers one job after the other."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace

from textual.message import Message

from mltranslate.detect.live import LiveLabel
from mltranslate.errors import Cancelled, MltError, PackError
from mltranslate.types import Detection
from mltranslate_tui.blocks import around
from mltranslate_tui.choices import AUTO, Pair, locale_language, opening_pair
from mltranslate_tui.controller import Draft, Engine, Job, Slot
from mltranslate_tui.messages import (
    Detected,
    EngineFailed,
    EngineOpened,
    EngineReady,
    ModelFailed,
    Partial,
    Stopped,
    Translated,
    TranslationFailed,
)

PARTIAL_EVERY = 0.15
"""Seconds between partial results: drawing a long text costs the other thread time."""

Clock = Callable[[], float]
Post = Callable[[Message], object]

_log = logging.getLogger(__name__)


def serve(
    slot: Slot,
    start: Callable[[], Engine],
    post: Post,
    wished: tuple[str, str | None] = (AUTO, None),
    clock: Clock = time.monotonic,
) -> None:
    """Run until `slot` is closed or the engine cannot be started; every outcome is posted.

    `wished` are source and target to begin with, as the user spells them.
    """
    try:
        engine = start()
        spoken = locale_language(os.environ)
        pair, refusal = opening_pair(engine.offer, *wished, spoken=spoken)
        post(EngineOpened(engine.offer, pair, refusal, engine.packs, engine.left_out))
        _load(engine, pair, post)
    except Exception as error:
        post(EngineFailed(_explained(error, "The translator could not be started")))
        return
    post(EngineReady())
    label = LiveLabel()
    while (job := slot.take()) is not None:
        _answer(job, engine, label, post, clock)


def _load(engine: Engine, pair: Pair, post: Post) -> None:
    """Load the first model; where there are other packs, a fault of its own is not the end."""
    try:
        engine.load(pair)
    except PackError as error:
        if len(engine.packs) == 1:
            raise
        post(ModelFailed(error))


def _answer(job: Job, engine: Engine, label: LiveLabel, post: Post, clock: Clock) -> None:
    started = clock()
    try:
        # Also where the source is given: the text may seem to be in another language.
        detections = label.settle(job.text, engine.detect(job.text))
        post(Detected(job.number, detections))
        if job.translate:
            source = detections[0] if job.source == AUTO else job.source
            _translate(job, source, engine, post, clock)
    except Cancelled:
        if not job.again:
            post(Stopped(clock() - started))
    except Exception as error:
        post(TranslationFailed(job.number, _explained(error, "The translation failed")))


def _translate(job: Job, source: str | Detection, engine: Engine, post: Post, clock: Clock) -> None:
    started = shown = clock()

    def report(draft: Draft) -> None:
        nonlocal shown
        if clock() - shown >= PARTIAL_EVERY:
            shown = clock()
            # What is translated again is shown already.
            post(Partial(job.number, replace(draft, text="") if job.again else draft))

    linked = None if job.links_at is None else around(job.text, job.links_at)
    translation = engine.translate(
        job.text,
        source=source,
        target=job.target,
        cancel=job.token,
        progress=report,
        linked=linked,
    )
    links = engine.links(translation.source, job.target)
    seconds = None if job.again else clock() - started
    post(Translated(job.number, translation, seconds, linked, links=links))


def _explained(error: Exception, what: str) -> MltError:
    """Return an error fit to be shown; one that nobody foresaw is logged with its traceback."""
    if isinstance(error, MltError):
        return error
    _log.error("%s", what, exc_info=error)
    why = f"{type(error).__name__}: {error}".rstrip(": ")
    return MltError(what, why=why, fix="Run `mltranslate doctor`, and report this if it persists")
