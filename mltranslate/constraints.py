"""Sentences whose translations are to have given terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mltranslate.decode.types import GREEDY, Search
from mltranslate.glossary import Term, missing
from mltranslate.insertion import TermSearch
from mltranslate.renderings import Rendering, assemble
from mltranslate.sentences.memory import REMEMBERED, Memory
from mltranslate.sentences.translator import SentenceTranslator, numbered
from mltranslate.sentences.work import Sentence
from mltranslate.text.spans import Span
from mltranslate.types import CancelToken


class TermTranslator:
    """Translates sentences like `SentenceTranslator`, and keeps to the terms that they carry.

    Where the model cannot be brought to a term, the translation lacks it; `mltranslate.jobs` looks.
    Sentences without terms are translated, and remembered, as without this class.
    """

    def __init__(self, plain: SentenceTranslator) -> None:
        self._plain = plain
        self._tries = plain.forgetful()
        self._memory = Memory(REMEMBERED)

    def translate(
        self,
        sentences: Sequence[Sentence],
        search: Search = GREEDY,
        *,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences`; see `SentenceTranslator.translate`.

        `advance` counts a sentence when it was translated for the first time. Raises `PackError`
        where a term is to be forced and the graphs know no prefixes.
        """
        if not any(one.terms for one in sentences):
            return self._plain.translate(sentences, search, cancel=cancel, advance=advance)
        bare = [replace(one, terms=()) if one.terms else one for one in sentences]
        found = self._plain.translate(bare, search, cancel=cancel, advance=advance)
        bound = {
            one: self._bound(one, rendering, search, cancel)
            for one, rendering in dict(zip(sentences, found, strict=True)).items()
            if one.terms
        }
        return [bound.get(one, rendering) for one, rendering in zip(sentences, found, strict=True)]

    def _bound(
        self, sentence: Sentence, free: Rendering, search: Search, cancel: CancelToken | None
    ) -> Rendering:
        """The rendering with its terms, or with as many as can be had."""
        known = self._memory.get((sentence, search))
        if known is not None:
            return known
        spans = self._plain.pieces(sentence)
        if len(spans) > 1 or not spans[0].translatable:
            made = self._in_pieces(sentence, spans, search, cancel)
        else:
            made = TermSearch(sentence, self._tries, search, cancel).best(free)
        self._memory.put((sentence, search), made)
        return made

    def _in_pieces(
        self, sentence: Sentence, spans: Sequence[Span], search: Search, cancel: CancelToken | None
    ) -> Rendering:
        parts = [sentence.part(span.text) for span in spans if span.translatable]
        made = self.translate(parts, search, cancel=cancel)
        for term in sentence.terms:
            if not any(term in part.terms for part in parts):
                self._lodge(term, parts, made, search, cancel)
        whole = assemble(spans, made, sentence.target, search.alternatives)
        return numbered(whole, sentence)

    def _lodge(
        self,
        term: Term,
        parts: list[Sentence],
        made: list[Rendering],
        search: Search,
        cancel: CancelToken | None,
    ) -> None:
        """Bring a term whose source is in no part into the one that loses least by it.

        It is a word of the original that went through English, or the cut went through it.
        """
        having = [at for at, one in enumerate(made) if _has(one, term, parts[at].target)]
        places = having or range(len(parts))
        asked = {at: replace(parts[at], terms=(*parts[at].terms, term)) for at in places}
        found = self.translate(list(asked.values()), search, cancel=cancel)
        fit = [
            (at, one)
            for at, one in zip(places, found, strict=True)
            if _has(one, term, parts[at].target)
        ]
        if fit:
            at, best = max(fit, key=lambda one: _gain(one[1], made[one[0]]))
            parts[at], made[at] = asked[at], best


def _has(rendering: Rendering, term: Term, language: str) -> bool:
    return not missing([term], rendering.text, language, shouted=False)


def _gain(rendering: Rendering, before: Rendering) -> float:
    """Nats that a part wins by a change, mostly below zero; shorter than before wins nothing."""
    tokens = max(1, min(rendering.tokens, before.tokens))
    return rendering.log_probability * before.tokens / tokens - before.log_probability
