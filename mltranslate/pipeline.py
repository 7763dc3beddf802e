"""From text to translated text: detect, cut, route, translate, join, and say how it went."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import numbers
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mltranslate.decode.types import Sampling, Search
from mltranslate.detect.elsewhere import DetectorLike, detectable, elsewhere
from mltranslate.detect.varieties import variety
from mltranslate.errors import InputError, UsageError, check_kind, check_top
from mltranslate.glossary import Glossary
from mltranslate.jobs import Job, Meter, translate_hop
from mltranslate.languages import asked_variety, resolve
from mltranslate.limits import MAX_INPUT_CHARACTERS
from mltranslate.models import Model, find_models, model_of
from mltranslate.routes import Hop, find_route
from mltranslate.sentences.parts import DecoderLike, PackLike
from mltranslate.text.chinese import as_read, as_written, is_as_asked
from mltranslate.text.cleaning import without_surrogates
from mltranslate.text.items import without_names
from mltranslate.text.spans import cut
from mltranslate.text.verbatim import prose
from mltranslate.types import (
    BETWEEN_HOPS,
    UNDETERMINED,
    CancelToken,
    Caution,
    Detection,
    ProgressCallback,
    TextCallback,
    Translation,
)

AUTO = "auto"
"""The source language that asks for detection."""
OFF_TARGET_CONFIDENCE = 0.9
"""Above this probability of another language a translation counts as not in the target."""
_LOOKED_AT = 2000
"""Characters of a text by which it is settled whether OpenCC will be needed."""
OFF_TARGET_LETTERS = 20
"""Letters that a translation needs before its language says anything about it."""


class Translator:
    """Translates texts with one pack or with all together; safe to call from several threads.

    The packs are read when they are first needed, the detector too, and each model when a text
    first takes a hop that belongs to its pack (`mltranslate.routes`), or by `load`.
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
        phrasebook: bool = True,
    ) -> None:
        """Choose what to translate with; nothing is loaded yet.

        `pack` is a name or a folder (None: all packs that can be named, together), `device` is
        "auto", "cpu" or "cuda", `threads` counts CPU threads (None: all), `precision` is "fp32",
        "fp16" or "int8" (None: the best for the device). A `decoder` or `detector` that is
        already loaded takes the place of the packs or of the program's own detector. Without
        `phrasebook` no phrase is looked up: all that is said is a model's.
        """
        check_kind(threads, numbers.Integral | None, "number of threads", "Give a whole number")
        if threads is not None and threads < 1:
            raise UsageError(f"{threads} threads make no sense", fix="Give 1 or more")
        self._find = functools.partial(
            find_models, pack, device, threads, precision, phrasebook=phrasebook
        )
        self._found: Sequence[Model] = [model_of(decoder, phrasebook=phrasebook)] if decoder else ()
        self._detector = detector
        self._lock = threading.RLock()

    @property
    def packs(self) -> tuple[PackLike, ...]:
        """The packs in their order of choice; only manifests are read. Raises PackError."""
        return tuple(model.pack for model in self._models)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages of all packs, those of the first one first."""
        return tuple(dict.fromkeys(code for pack in self.packs for code in pack.languages))

    def load(self, beam: int = 1, source: str | None = None, target: str | None = None) -> None:
        """Load the detector and a model now, so that the first translation does not wait for them.

        With `source` and `target` they are the models of this direction, otherwise that of the
        first pack. `beam` is the one that will be used: greedy and beam search have a graph each.
        Raises LanguageError for a direction that no pack offers, PackError and DeviceError.
        """
        self.detect("load")
        if source is None or target is None:
            for model in self._models[:1]:
                model.prepare(beam)
            return
        ends = (resolve(code, self.languages) for code in (source, target))
        for hop in find_route(self._models, *ends):
            hop.by.prepare(beam)
            hop.by.open_phrasebook(hop.source, hop.target)

    def detect(self, text: str) -> Detection:
        """Return the likeliest language of `text` among those of the packs, or "und".

        Where it is surely in another language, that one is returned. Fenced blocks of code and
        front matter are not looked at.
        """
        return self.candidates(text, 1)[0]

    def candidates(self, text: str, top: int) -> list[Detection]:
        """Return at most the `top` likeliest languages of `text`, the likeliest first.

        Where `detect` returns one that no pack has, it is the only one. Raises UsageError for a
        `top` that is no number over 0.
        """
        check_kind(text, str, "text", "Give a string")
        check_top(top)
        return self._recognised([text], top)[0]

    def translate(
        self,
        text: str | Sequence[str],
        target: str = "de",
        source: str | Detection | Sequence[Detection] = AUTO,
        beam: int = 1,
        cancel: CancelToken | None = None,
        progress: ProgressCallback | None = None,
        *,
        n_best: int = 1,
        prefix: str = "",
        token_scores: bool = False,
        length_penalty: float | None = None,
        coverage_penalty: float = 0.0,
        reverse_weight: float = 0.0,
        sampling: Sampling | None = None,
        glossary: Glossary | None = None,
        alignment: bool = False,
        draft: TextCallback | None = None,
    ) -> list[Translation]:
        """Translate one text or several; one result for each, in order.

        `target` and `source` are codes or names ("de", "German", "pt-BR"). With "auto" the language
        of each text is detected once, from the whole text and among the packs' languages, and
        paragraphs in another are translated as if they were in it; a Detection made before, or one
        for each text, is used, and reported, instead. Text that is no language, or in the target
        language by detection or by `source`, comes back unchanged with `Caution.UNTRANSLATED`; so
        does text that is surely in a language of no pack, with `Caution.UNOFFERED` as well. Chinese
        is read and written in the characters of either standard; text that is Chinese already is
        rewritten in those that are asked for, with `Caution.REWRITTEN` instead. Another variety
        that `target` asks for and no pack lists may give `Caution.VARIETY`. `progress` is called
        after every batch, in the calling thread. With `n_best` over 1 each result lists the best so
        many `alternatives`, itself included; `beam` must be no less. With a `prefix`, the beginning
        of the translation of a single text, the rest of it is completed. `token_scores` asks for
        the scores of all tokens, and `length_penalty` (default: `Decoder.usual_length_penalty`),
        `coverage_penalty`, `reverse_weight` and `sampling` are those of
        `mltranslate.decode.Search`. `alignment` asks for the words that come from words, which
        texts through English do not have. Words of a `glossary` are translated as it says; where
        they cannot be, the result has `Caution.GLOSSARY`. `draft` is called, in the calling thread,
        with what the translation of a single text begins with, as long as more of it is to come
        (`mltranslate.drafts`).

        Raises LanguageError for a direction that no pack offers, UsageError for a
        number out of range, InputError for text over the limit or a prefix that cannot be
        completed, Cancelled when `cancel` is set, and PackError or DeviceError when the model
        cannot be loaded as asked, or is too old for what is asked.
        """
        texts = _checked(text, prefix)
        check_kind(cancel, CancelToken | None, "CancelToken", "Use mltranslate.types.CancelToken()")
        for call in (progress, draft):
            if call is not None and not callable(call):
                raise UsageError(f"a {type(call).__name__} is no callback", fix="Give a function")
        if draft and len(texts) != 1:
            raise UsageError(f"drafts do not fit {len(texts)} texts", fix="Give one text")
        check_kind(glossary, Glossary | None, "glossary", "Use Glossary.read(path)")
        check_kind(target, str, "target language", "Give a code or a name")
        check_kind(source, Iterable | Detection, "source language", "Give a code or a name")
        search = Search(
            beam=beam, alternatives=n_best,
            length_penalty=1.0 if length_penalty is None else length_penalty,
            coverage_penalty=coverage_penalty, reverse_weight=reverse_weight, sampling=sampling,
            token_scores=token_scores, alignment=alignment,
        )  # fmt: skip
        spelling, target = target, resolve(target, self.languages)
        asked = asked_variety(spelling, target)
        self._loaded_detector()  # loading is not part of the result's milliseconds
        begun = time.perf_counter()
        jobs = self._jobs(texts, target, source, wrapped=not prefix)
        for job in jobs:
            job.glossary, job.variety = glossary, asked
        if prefix:
            jobs[0].begin(prefix, target)
        # Subwords are scored by the graph of greedy search, and terms are found by such scores.
        beams = {beam, 1} if token_scores or glossary else {beam}
        begun += _seconds_to_load(jobs, beams)
        for job in () if prefix else jobs:  # what begins a translation has its own sentences
            job.part_salutations()

        def search_with(hop: Hop[Model]) -> Search:
            if beam == 1 or length_penalty is not None:
                return search
            usual = hop.by.decoder.usual_length_penalty(hop.target)
            return dataclasses.replace(search, length_penalty=usual)

        meter = Meter(sum(len(job.models) * len(job.current) for job in jobs), progress)
        for hop in range(max((len(job.models) for job in jobs), default=0)):
            translate_hop(jobs, hop, search_with, cancel, meter, draft)
        self._check_languages(jobs, target)
        said = [_said(job, target, cancel) for job in jobs]
        milliseconds = (time.perf_counter() - begun) * 1000
        results = map(functools.partial(_result, target, milliseconds, n_best), jobs, said)
        return [_in_its_variety(result, asked) for result in results]

    @property
    def _models(self) -> Sequence[Model]:
        with self._lock:
            if not self._found:
                self._found = self._find()
            return self._found

    def _loaded_detector(self) -> DetectorLike:
        with self._lock:
            if self._detector is None:
                from mltranslate.detect.detector import default_detector

                self._detector = default_detector()
            return self._detector

    def _detect_many(self, texts: Sequence[str], top: int = 1) -> list[list[Detection]]:
        detector = self._loaded_detector()
        meant = detectable(self.languages, detector.languages)
        if not meant:
            return [[Detection(language=UNDETERMINED, confidence=1.0)] for _ in texts]
        return [
            [dataclasses.replace(one, language=self._offered(one, meant)) for one in candidates]
            for candidates in detector.detect_many(texts, list(meant), top)
        ]

    def _offered(self, found: Detection, meant: Mapping[str, str]) -> str:
        """The packs' code of what was found; a variety that they list is a language of its own."""
        if found.variety in self.languages:
            return found.variety
        return meant.get(found.language, found.language)

    def _recognised(self, texts: Sequence[str], top: int = 1) -> list[list[Detection]]:
        """The likeliest languages of each text; one that no pack has stands alone."""
        read = [without_surrogates(prose(text)) for text in texts]
        others = elsewhere(self._loaded_detector(), read, self.languages)
        pairs = zip(others, self._detect_many(read, top), strict=True)
        return [[other] if other else found for other, found in pairs]

    def _check_languages(self, jobs: Sequence[Job], target: str) -> None:
        """Mark the jobs whose translation is surely in another language than `target`."""
        if target not in self._loaded_detector().languages:
            return
        made = ((job, "\n".join(job.current)) for job in jobs if job.renderings)
        read = [(job, without_surrogates(without_names(text))) for job, text in made]
        telling = [(job, text) for job, text in read if _has_letters(text)]
        found = self._detect_many([text for _, text in telling])
        for (job, _), candidates in zip(telling, found, strict=True):
            best = candidates[0]
            other = best.language not in (target, UNDETERMINED)
            job.off_target = other and best.confidence > OFF_TARGET_CONFIDENCE

    def _jobs(
        self,
        texts: list[str],
        target: str,
        source: str | Detection | Sequence[Detection],
        *,
        wrapped: bool,
    ) -> list[Job]:
        detections: Sequence[Detection | None]
        if isinstance(source, Detection):
            detections = [source] * len(texts)
        elif not isinstance(source, str):
            detections = _one_each(source, texts)
        elif source.casefold() == AUTO:
            detections = [found[0] for found in self._recognised(texts)]
        else:
            detections = [None] * len(texts)
            source = resolve(source, self.languages)
        return [
            self._job(
                text, found, found.language if found else str(source), target, wrapped=wrapped
            )
            for text, found in zip(texts, detections, strict=True)
        ]

    def _job(
        self, text: str, found: Detection | None, source: str, target: str, *, wrapped: bool
    ) -> Job:
        job = Job(text, source, found)
        job.unoffered = source not in (UNDETERMINED, *self.languages)
        if not job.unoffered and source not in (UNDETERMINED, target):
            job.hops = find_route(self._models, source, target)
            job.spans = cut(text, source, wrapped=wrapped)
            job.current = [without_surrogates(span.text) for span in job.spans if span.translatable]
        return job


def translate(
    text: str | Sequence[str], target: str = "de", source: str | Detection = AUTO, beam: int = 1
) -> list[Translation]:
    """Translate with all packs, each loaded once; see `Translator`."""
    return _shared().translate(text, target, source, beam)


@functools.cache
def _shared() -> Translator:
    return Translator()


def _checked(given: str | Sequence[str], prefix: str) -> list[str]:
    check_kind(prefix, str, "prefix", "Give a string")
    if isinstance(given, bytes | bytearray | memoryview) or not isinstance(given, Iterable):
        raise UsageError(f"a {type(given).__name__} is no text", fix="Give a string, or several")
    texts = [given] if isinstance(given, str) else list(given)
    for text in texts:
        check_kind(text, str, "text", "Give a string, or several")
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


def _one_each(given: Iterable[Detection], texts: Sequence[str]) -> Sequence[Detection]:
    detections = list(given)
    for one in detections:
        check_kind(one, Detection, "Detection", "Give one for each text, or one language for all")
    if len(detections) != len(texts):
        raise UsageError(
            f"{len(detections)} detections do not fit {len(texts)} texts", fix="Give one for each"
        )
    return detections


def _seconds_to_load(jobs: Sequence[Job], beams: Iterable[int]) -> float:
    """Load the models that `jobs` need; what is missing is told before anything is translated."""
    begun = time.perf_counter()
    for model in dict.fromkeys(model for job in jobs for model in job.models):
        for beam in beams:
            model.prepare(beam)
    for hop in dict.fromkeys(hop for job in jobs for hop in job.hops):
        hop.by.open_phrasebook(hop.source, hop.target)
    for job in jobs:  # OpenCC loads what it goes by at the first use
        as_read(job.text[:_LOOKED_AT], job.source)
        as_written(job.text[:1], job.variety)
    return time.perf_counter() - begun


def _said(job: Job, target: str, cancel: CancelToken | None) -> str:
    return job.say(job.renderings, target) if job.renderings else job.left(target, cancel)


def _result(target: str, milliseconds: float, n_best: int, job: Job, text: str) -> Translation:
    done = bool(job.renderings)
    used = job.models if done else ()
    return Translation(
        source_text=job.text,
        text=text,
        source=job.source,
        target=target,
        detected=job.detected,
        device=_told(model.decoder.device for model in used),
        provider=_told(model.decoder.provider for model in used),
        precision=_told(model.decoder.precision for model in used),
        pack=_told(model.title for model in used),
        route=job.route,
        milliseconds=milliseconds,
        score=job.score(job.renderings),
        warnings=job.warnings(text),
        alternatives=job.alternatives(target, n_best) if done and n_best > 1 else (),
        token_scores=tuple(one for part in job.renderings for one in part.token_scores),
        alignment=tuple(job.links(target)) if done else (),
        missing_terms=job.missing_terms,
        phrases=job.phrases,
    )


def _in_its_variety(result: Translation, asked: str) -> Translation:
    """Say which variety of the target language the text is in, and whether it is not as `asked`."""
    if result.target not in (result.source, *result.route):
        return result
    told = not result.text.strip() or Caution.REWRITTEN in result.warnings
    wrong = asked and not told and not is_as_asked(result.text, asked)
    return dataclasses.replace(
        result,
        variety=variety(result.text, result.target),
        warnings=(*result.warnings, Caution.VARIETY) if wrong else result.warnings,
    )


def _told(facts: Iterable[str]) -> str:
    """What is true of every hop, once; otherwise that of the first and that of the second."""
    return BETWEEN_HOPS.join(dict.fromkeys(facts))


def _has_letters(text: str) -> bool:
    """Return True when `text` has enough letters to tell its language from."""
    letters = filter(str.isalpha, text)
    return next(itertools.islice(letters, OFF_TARGET_LETTERS - 1, None), None) is not None
