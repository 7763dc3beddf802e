"""From text to translated text: detect, cut, route, translate, join, and say how it went."""

from __future__ import annotations

import functools
import itertools
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from mltranslate.decode.types import Sampling, Search
from mltranslate.errors import InputError, LanguageError, UsageError
from mltranslate.jobs import Job, Meter, translate_hop
from mltranslate.languages import describe, resolve
from mltranslate.limits import MAX_INPUT_CHARACTERS
from mltranslate.protection import ProtectingTranslator
from mltranslate.sentences import (
    DecoderLike,
    PackLike,
    SentenceTranslator,
    without_surrogates,
)
from mltranslate.text.spans import cut
from mltranslate.types import (
    UNDETERMINED,
    CancelToken,
    Detection,
    ProgressCallback,
    Translation,
)

AUTO = "auto"
"""The source language that asks for detection."""
PIVOT = "en"
"""The language between two others that the pack does not translate directly."""
OFF_TARGET_CONFIDENCE = 0.9
"""Above this probability of another language a translation counts as not in the target."""
OFF_TARGET_LETTERS = 20
"""Letters that a translation needs before its language says anything about it."""


class DetectorLike(Protocol):
    """What translation needs of a detector (`mltranslate.detect.detector.Detector`)."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that can be told apart."""

    def detect_many(
        self, texts: Sequence[str], languages: Iterable[str] | None = None, top: int = 1
    ) -> list[list[Detection]]:
        """Return the candidates of each text, the likeliest first."""


class Translator:
    """Translates texts with one pack; safe to call from several threads.

    Pack, model and detector are loaded when first needed, or by `load`.
    """

    def __init__(
        self,
        pack: str | Path | None = None,
        device: str = "auto",
        threads: int | None = None,
        precision: str | None = None,
        *,
        decoder: DecoderLike | None = None,
        detector: DetectorLike | None = None,
    ) -> None:
        """Choose what to translate with; nothing is loaded yet.

        `pack` is a name or a folder (None: the pack that ships with the program), `device` is
        "auto", "cpu" or "cuda", `threads` counts CPU threads (None: all), `precision` is "fp32",
        "fp16" or "int8" (None: the best for the device). A `decoder` or `detector` that is
        already loaded takes the place of the pack's own.
        """
        if threads is not None and threads < 1:
            raise UsageError(f"{threads} threads make no sense", fix="Give 1 or more")
        self._choice = (pack, device, threads, precision)
        self._decoder = decoder
        self._detector = detector
        self._sentences: ProtectingTranslator | None = None
        self._pack: PackLike | None = decoder.pack if decoder else None
        self._lock = threading.RLock()

    @property
    def pack(self) -> PackLike:
        """The pack in use; only its manifest is read. Raises PackError."""
        with self._lock:
            if self._pack is None:
                from mltranslate.packs.store import find_pack

                self._pack = find_pack(self._choice[0])
            return self._pack

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages of the pack."""
        return self.pack.languages

    @property
    def decoder(self) -> DecoderLike:
        """The loaded decoder: its `device`, `provider` and `precision` are the ones really used.

        Raises PackError or DeviceError when it cannot be loaded as asked.
        """
        with self._lock:
            if self._decoder is None:
                from mltranslate.decode.decoder import Decoder
                from mltranslate.packs.store import find_pack

                pack, device, threads, precision = self._choice
                found = find_pack(pack)
                self._decoder = Decoder(found, device=device, precision=precision, threads=threads)
                self._pack = found
            return self._decoder

    def load(self, beam: int = 1) -> None:
        """Load detector and model now, so that the first translation does not wait for them.

        `beam` is the one that will be used: greedy and beam search have a graph each.
        """
        self._loaded()
        self.detect("load")
        self.decoder.prepare(beam)

    def detect(self, text: str) -> Detection:
        """Return the likeliest language of `text` among those of the pack, or "und"."""
        return self._detect_many([text])[0]

    def translate(
        self,
        text: str | Sequence[str],
        target: str = "de",
        source: str | Detection = AUTO,
        beam: int = 1,
        cancel: CancelToken | None = None,
        progress: ProgressCallback | None = None,
        *,
        n_best: int = 1,
        prefix: str = "",
        token_scores: bool = False,
        length_penalty: float = 1.0,
        sampling: Sampling | None = None,
    ) -> list[Translation]:
        """Translate one text or several; one result for each, in order.

        `target` and `source` are codes or names ("de", "German", "pt-BR"). With "auto" the
        language of each text is detected once, from the whole text and among the pack's
        languages, and paragraphs in another are translated as if they were in it; a Detection
        made before is used, and reported, instead. Text that is no language, or in the target
        language by detection or by `source`, comes back unchanged with `Caution.UNTRANSLATED`.
        `progress` is called after every batch, in the calling thread. With `n_best` over 1 each
        result lists the best so many `alternatives`, itself included; `beam` must be no less.
        With a `prefix`, the beginning of the translation of a single text, the rest of it is
        completed. `token_scores` asks for the scores of all tokens, and `length_penalty` and
        `sampling` are those of `mltranslate.decode.Search`.

        Raises LanguageError for a direction that the pack does not offer, UsageError for a
        number out of range, InputError for text over the limit or a prefix that cannot be
        completed, Cancelled when `cancel` is set, and PackError or DeviceError when the model
        cannot be loaded as asked, or is too old for what is asked.
        """
        texts = _checked([text] if isinstance(text, str) else list(text), prefix)
        search = Search(
            beam=beam, alternatives=n_best, length_penalty=length_penalty, sampling=sampling,
            token_scores=token_scores,
        )  # fmt: skip
        target = resolve(target, self.languages)
        sentences = self._loaded()
        self.decoder.prepare(beam)  # loading is not part of the result's milliseconds
        begun = time.perf_counter()
        jobs = self._jobs(texts, target, source)
        if prefix:
            jobs[0].begin(prefix, target)
        meter = Meter(sum(job.hops * len(job.current) for job in jobs), progress)
        for hop in range(max((job.hops for job in jobs), default=0)):
            translate_hop(sentences, jobs, hop, search, cancel, meter)
        self._check_languages(jobs, target)
        milliseconds = (time.perf_counter() - begun) * 1000
        return [self._result(job, target, milliseconds, n_best) for job in jobs]

    def _loaded(self) -> ProtectingTranslator:
        """Model and detector: what is missing is told before anything is translated."""
        with self._lock:
            if self._sentences is None:
                self._sentences = ProtectingTranslator(SentenceTranslator(self.decoder))
            self._loaded_detector()
            return self._sentences

    def _loaded_detector(self) -> DetectorLike:
        with self._lock:
            if self._detector is None:
                from mltranslate.detect.detector import default_detector

                self._detector = default_detector()
            return self._detector

    def _detect_many(self, texts: Sequence[str]) -> list[Detection]:
        detector = self._loaded_detector()
        known = [code for code in self.languages if code in detector.languages]
        found = detector.detect_many(list(map(without_surrogates, texts)), known, top=1)
        return [candidates[0] for candidates in found]

    def _check_languages(self, jobs: Sequence[Job], target: str) -> None:
        """Mark the jobs whose translation is surely in another language than `target`."""
        if target not in self._loaded_detector().languages:
            return
        made = [(job, "\n".join(job.current)) for job in jobs if job.renderings]
        telling = [(job, text) for job, text in made if _has_letters(text)]
        found = self._detect_many([text for _, text in telling])
        for (job, _), one in zip(telling, found, strict=True):
            other = one.language not in (target, UNDETERMINED)
            job.off_target = other and one.confidence > OFF_TARGET_CONFIDENCE

    def _jobs(self, texts: list[str], target: str, source: str | Detection) -> list[Job]:
        detections: Sequence[Detection | None]
        if isinstance(source, Detection):
            detections = [source] * len(texts)
        elif source.casefold() == AUTO:
            detections = self._detect_many(texts)
        else:
            detections = [None] * len(texts)
            source = resolve(source, self.languages)
        return [
            self._job(text, found, found.language if found else str(source), target)
            for text, found in zip(texts, detections, strict=True)
        ]

    def _job(self, text: str, found: Detection | None, source: str, target: str) -> Job:
        job = Job(text, source, found, ())
        if source not in (UNDETERMINED, target):
            job.route = find_route(self.pack.directions, source, target)
            job.spans = cut(text, source)
            job.current = [span.text for span in job.spans if span.translatable]
        return job

    def _result(self, job: Job, target: str, milliseconds: float, n_best: int) -> Translation:
        decoder = self.decoder
        done = bool(job.renderings)
        return Translation(
            source_text=job.text,
            text=job.say(job.renderings, target) if done else job.text,
            source=job.source,
            target=target,
            detected=job.detected,
            device=decoder.device,
            provider=decoder.provider,
            precision=decoder.precision,
            pack=f"{self.pack.name} {self.pack.version}",
            route=job.route if done else (),
            milliseconds=milliseconds,
            score=job.score(job.renderings),
            warnings=job.warnings(),
            alternatives=job.alternatives(target, n_best) if done and n_best > 1 else (),
            token_scores=tuple(one for part in job.renderings for one in part.token_scores),
        )


def find_route(directions: frozenset[tuple[str, str]], source: str, target: str) -> tuple[str, ...]:
    """Return the languages to pass through: direct where possible, otherwise through English.

    Raises LanguageError, which names the directions on offer, when there is no route.
    """
    if (source, target) in directions:
        return source, target
    if {(source, PIVOT), (PIVOT, target)} <= directions:
        return source, PIVOT, target
    offers = ", ".join(f"{one} to {other}" for one, other in sorted(directions))
    raise LanguageError(
        f"the pack does not translate {describe(source).name} ({source})"
        f" into {describe(target).name} ({target})",
        why="neither directly nor through English",
        fix=f"It offers {offers}",
    )


def translate(
    text: str | Sequence[str], target: str = "de", source: str | Detection = AUTO, beam: int = 1
) -> list[Translation]:
    """Translate with the pack that ships with the program, loaded once; see `Translator`."""
    return _shared().translate(text, target, source, beam)


@functools.cache
def _shared() -> Translator:
    return Translator()


def _checked(texts: list[str], prefix: str) -> list[str]:
    for text in (*texts, prefix):
        if not isinstance(text, str):
            raise UsageError(f"cannot translate a {type(text).__name__}", fix="Give strings")
    if prefix and len(texts) != 1:
        raise UsageError(f"a prefix does not fit {len(texts)} texts", fix="Give one text")
    size = sum(map(len, texts)) + len(prefix)
    if size > MAX_INPUT_CHARACTERS:
        raise InputError(
            "the text is too large",
            why=f"it has {size:,} characters, and one call takes {MAX_INPUT_CHARACTERS:,}",
            fix="Translate it in parts",
        )
    return texts


def _has_letters(text: str) -> bool:
    """Return True when `text` has enough letters to tell its language from."""
    letters = filter(str.isalpha, text)
    return next(itertools.islice(letters, OFF_TARGET_LETTERS - 1, None), None) is not None
