"""One text on its way through the languages of its route, and what came of it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from mltranslate.alignment import places
from mltranslate.completion import begun
from mltranslate.decode.types import Search
from mltranslate.detect.varieties import variety
from mltranslate.glossary import Glossary, Term, missing
from mltranslate.languages import describe
from mltranslate.models import Model
from mltranslate.renderings import Rendering, retouched, variants
from mltranslate.routes import Hop
from mltranslate.sentences.work import Sentence
from mltranslate.text.abbreviations import abbreviations
from mltranslate.text.brackets import with_paired_brackets
from mltranslate.text.casing import is_shouted
from mltranslate.text.chinese import TRADITIONAL, as_read, as_written
from mltranslate.text.cleaning import without_surrogates
from mltranslate.text.clock import on_24_hours, with_clock
from mltranslate.text.gaps import mixed_words, sets_gaps, with_gaps
from mltranslate.text.mark_runs import with_mark_runs
from mltranslate.text.pauses import with_final_pause
from mltranslate.text.quotes import with_paired_quotes
from mltranslate.text.rewriting import rewritten
from mltranslate.text.salutations import carried_on, going_on, parted
from mltranslate.text.spans import Span, join, starts
from mltranslate.text.stutters import without_stutters
from mltranslate.text.terms import flat
from mltranslate.text.wide_marks import with_wide_marks
from mltranslate.text.wrapping import rewrapped, unwrapped
from mltranslate.types import (
    UNDETERMINED,
    Alternative,
    CancelToken,
    Caution,
    Detection,
    Progress,
    ProgressCallback,
    TextCallback,
    WordLink,
)

LOW_CONFIDENCE = 0.6
"""Below this probability the second guess is a serious rival, and the result says so."""

_ORDER = tuple(Caution)
_STANDING_OUT = frozenset(("zh", "ja"))
"""Languages in which Latin capitals are abbreviations: elsewhere they may be words with stress."""


@dataclass(slots=True)
class Job:
    """One input text on its way through the route."""

    text: str
    source: str
    detected: Detection | None
    hops: tuple[Hop[Model], ...] = ()
    """Empty when the text is not to be translated."""
    spans: list[Span] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    """The translatable spans, in the language reached so far."""
    earlier: list[Rendering] = field(default_factory=list)
    """Every sentence of the hops before the last one."""
    renderings: list[Rendering] = field(default_factory=list)
    """Every sentence of the last hop."""
    head: str = ""
    """What the translation begins with, before any sentence that is to be translated."""
    prefix: str = ""
    """How the translation of the first sentence begins."""
    glossary: Glossary | None = None
    variety: str = ""
    """Of the target language, where one was asked for that no pack lists."""
    missing_terms: tuple[str, ...] = ()
    """What the glossary has for words of the source and the translation of their sentence lacks."""
    unoffered: bool = False
    """True when it is in a language of no pack."""
    off_target: bool = False
    """True when what was translated is not in the target language."""

    @property
    def models(self) -> tuple[Model, ...]:
        """The model of each hop; none when there is nothing to translate."""
        return tuple(hop.by for hop in self.hops) if self.current else ()

    @property
    def route(self) -> tuple[str, ...]:
        """The languages that the text went through; none unless something was translated."""
        if not self.renderings:
            return ()
        return (self.source, *(hop.target for hop in self.hops))

    def begin(self, text: str, target: str) -> None:
        """Take `text` as the beginning of the translation, unless nothing is translated.

        It says in which characters a Chinese translation goes on, where nobody else does.
        """
        if self.current:
            if target == "zh" and not self.variety and variety(text, target) == TRADITIONAL:
                self.variety = TRADITIONAL
            start = begun(self.spans, text, target)
            self.head, self.prefix, self.spans = start.head, start.prefix, start.spans
            self.current = [span.text for span in start.spans if span.translatable]

    def part_salutations(self) -> None:
        """Take what sentences begin with and a phrasebook has as sentences: "Dear Anna, …"."""
        for hop in self.hops[:1]:
            known = functools.partial(hop.by.salutation, source=hop.source, target=hop.target)
            self.spans = parted(self.spans, known)
            self.current = [without_surrogates(one.text) for one in self.spans if one.translatable]

    def say(self, renderings: Sequence[Rendering], target: str) -> str:
        """Put the text together again, from these renderings of its sentences."""
        return self.head + join(self.spans, [one.text for one in renderings], target)

    def left(self, target: str, cancel: CancelToken | None) -> str:
        """The text where nothing is translated; Chinese, in the characters that are asked for."""
        if self.source != target:
            return self.text
        return rewritten(self.text, target, self.variety, cancel)

    def say_beginning(self, texts: Sequence[str], asked: Sequence[Sentence]) -> str:
        """Put together how the text begins, from what the first of its sentences are made to."""
        target = self.hops[-1].target
        ends = [end for end, span in enumerate(self.spans, 1) if span.translatable]
        said = [_retouched(text, one) for text, one in zip(texts, asked, strict=False)]
        return self.head + join(self.spans[: ends[len(texts) - 1]], said, target)

    def sentences(self, hop: int) -> list[Sentence]:
        """What this hop translates; prefix and terms are in the language of the last one."""
        way = self.hops[hop]
        last = hop == len(self.hops) - 1
        wish = self.variety if last else ""
        found = [
            Sentence(said, way.target, way.source, variety=wish, abbreviations=its)
            for said, its in zip(self._said(way), self._abbreviations(way.target), strict=True)
        ]
        if last and found:
            found[0] = replace(found[0], prefix=self.prefix)
            if glossary := self.glossary:
                # Through English, too, it is the words of the original that count.
                asked = self.variety or way.target
                read = map(unwrapped, self._originals())
                terms = [self._terms(text, glossary, asked) for text in read]
                found = [replace(one, terms=own) for one, own in zip(found, terms, strict=True)]
        return found

    def _said(self, way: Hop[Model]) -> list[str]:
        return [on_24_hours(unwrapped(one), way.source, way.target) for one in self.current]

    def _abbreviations(self, target: str) -> list[tuple[str, ...]]:
        """The abbreviations of each original, if languages such as `target` may write them so."""
        alike = target in _STANDING_OUT or describe(target).script == "Latn"
        if self.source not in _STANDING_OUT or not alike:
            return [()] * len(self.current)
        return list(map(abbreviations, self._originals()))

    def _terms(self, text: str, glossary: Glossary, asked: str) -> tuple[Term, ...]:
        """The terms of a sentence, by its characters or by those that a model reads instead."""
        forms = dict.fromkeys((text, as_read(text, self.source)))
        found = (term for form in forms for term in glossary.terms_in(form, self.source, asked))
        return tuple(
            replace(term, target=as_written(term.target, self.variety))
            for term in dict.fromkeys(found)
        )

    def take(self, renderings: Sequence[Rendering], asked: Sequence[Sentence]) -> None:
        """Take what a hop made of the sentences that it was asked for."""
        self.earlier += self.renderings
        self.renderings = [
            retouched(rendering, functools.partial(_retouched, asked=one))
            for rendering, one in zip(renderings, asked, strict=True)
        ]
        self._carry_on(asked)
        self.renderings = [
            retouched(one, functools.partial(rewrapped, source=read, language=sentence.target))
            for one, read, sentence in zip(self.renderings, self.current, asked, strict=True)
        ]
        self.current = [rendering.text for rendering in self.renderings]
        lost = (
            missing(one.terms, text, one.target, shouted=_is_shouted(original))
            for one, text, original in zip(asked, self.current, self._originals(), strict=True)
            if one.terms
        )
        self.missing_terms = tuple(dict.fromkeys(term.target for terms in lost for term in terms))

    def _carry_on(self, asked: Sequence[Sentence]) -> None:
        """Set the capitals of what goes on in its line after a comma."""
        for place, goes_on in enumerate(going_on(self.spans)):
            if goes_on and not asked[place].prefix:
                one, before = asked[place], self.renderings[place - 1].text
                retouch = functools.partial(
                    carried_on, before=before, source=one.text, languages=(one.source, one.target)
                )
                self.renderings[place] = retouched(self.renderings[place], retouch)

    def _originals(self) -> list[str]:
        return [span.text for span in self.spans if span.translatable]

    def links(self, target: str) -> Iterator[WordLink]:
        """Yield the words of the translation that come from words of the text, if that is known.

        Through English it is not: only the last hop's words would be.
        """
        if len(self.hops) > 1:
            return
        texts = [one.text for one in self.renderings]
        # What a given beginning has translated already is before the first span.
        read = len(self.text) - sum(len(span.text) for span in self.spans)
        begins = starts(self.spans, texts, target)
        for start, original, one in zip(begins, self._originals(), self.renderings, strict=True):
            offsets = read + start[0], len(self.head) + start[1]
            known = as_read(original, self.source)
            source = known if len(known) == len(original) else original
            yield from places(one.alignment, source, one.text, offsets)

    def score(self, renderings: Sequence[Rendering]) -> float | None:
        """Mean log-probability a token of all hops, the last of which gave `renderings`."""
        every = [*self.earlier, *renderings]
        tokens = sum(rendering.tokens for rendering in every)
        return sum(rendering.log_probability for rendering in every) / tokens if tokens else None

    @property
    def phrases(self) -> int:
        """Sentences of all hops that a phrasebook has."""
        return sum(one.looked_up for one in (*self.earlier, *self.renderings))

    def alternatives(self, target: str, count: int) -> tuple[Alternative, ...]:
        """The `count` best ways to put the sentences' alternatives together, all different."""
        found: dict[str, Alternative] = {}
        for way in variants(self.renderings, count):
            text = self.say(way, target)
            found.setdefault(text, Alternative(text=text, score=self.score(way)))
        return tuple(found.values())

    def warnings(self, said: str) -> tuple[Caution, ...]:
        """What the reader of the text that was made should know, in the order of `Caution`."""
        every = itertools.chain(self.earlier, self.renderings)
        cautions = set[Caution]().union(*(rendering.cautions for rendering in every))
        if not self.renderings and self.text.strip():
            same = said == self.text
            cautions.add(Caution.UNTRANSLATED if same else Caution.REWRITTEN)
            if self.unoffered:
                cautions.add(Caution.UNOFFERED)
        if self.missing_terms:
            cautions.add(Caution.GLOSSARY)
        if self.off_target:
            cautions.add(Caution.OFF_TARGET)
        found = self.detected
        if found and found.language != UNDETERMINED and found.confidence < LOW_CONFIDENCE:
            cautions.add(Caution.LOW_CONFIDENCE)
        return tuple(sorted(cautions, key=_ORDER.index))


def _retouched(text: str, asked: Sentence) -> str:
    """A translation with the runs of marks of its sentence, set as its language sets it."""
    given = len(asked.prefix)
    text = without_stutters(text, asked.text, given)
    text = with_mark_runs(text, asked.text, asked.target, given)
    text = with_clock(text, asked.text, asked.target, given)
    text = with_paired_brackets(text, asked.text, given)
    text = with_paired_quotes(text, asked.target, given)
    text = with_wide_marks(text, asked.target, given)
    text = with_final_pause(text, asked.text, asked.target)
    return with_gaps(text, asked.target, given, _kept(asked))


def _kept(sentence: Sentence) -> list[str]:
    """What gets no gaps in the translation of a sentence."""
    if not sets_gaps(sentence.target):
        return []
    return [*(term.target for term in sentence.terms), *mixed_words(sentence.text)]


def _is_shouted(text: str) -> bool:
    return is_shouted(flat(text, with_names=False))


class Meter:
    """Reports sentences done out of all; a pivoted sentence counts once a hop."""

    def __init__(self, total: int, callback: ProgressCallback | None) -> None:
        self._total = total
        self._done = 0
        self._callback = callback

    def advance(self, count: int) -> None:
        """Count `count` more sentences as done."""
        self._done += count
        if self._callback is not None:
            self._callback(Progress(done=self._done, total=self._total))


def translate_hop(
    jobs: Sequence[Job],
    hop: int,
    search_with: Callable[[Hop[Model]], Search],
    cancel: CancelToken | None,
    meter: Meter,
    tell: TextCallback | None = None,
) -> None:
    """Take all texts that have this hop one language further, those of one search in one go.

    Of a single text, in its last hop, `tell` gets what the translation begins with.
    """
    moving = [job for job in jobs if hop < len(job.models)]
    ways = [(job.models[hop], search_with(job.hops[hop])) for job in moving]
    for model, search in dict.fromkeys(ways):
        alike = [job for job, way in zip(moving, ways, strict=True) if way == (model, search)]
        asked = [job.sentences(hop) for job in alike]
        wanted = list(itertools.chain.from_iterable(asked))
        # Links through English would be between the wrong words: see `Job.links`.
        linked = search.alignment and any(len(job.hops) == 1 for job in alike)
        told = replace(search, alignment=linked)
        translate = model.sentences.translate
        if tell is not None and hop == len(alike[0].hops) - 1:
            say = functools.partial(_say_beginning, alike[0], asked[0], tell)
            translate = functools.partial(model.drafts.translate, tell=say)
        found = translate(wanted, told, cancel=cancel, advance=meter.advance)
        fresh = iter(found)
        for job, own in zip(alike, asked, strict=True):
            job.take([next(fresh) for _ in own], own)


def _say_beginning(
    job: Job, asked: Sequence[Sentence], tell: TextCallback, texts: Sequence[str]
) -> None:
    tell(job.say_beginning(texts, asked))
