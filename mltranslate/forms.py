"""Words and short phrases with a capital or a stop, which a model may know better without.

Dictionaries give "dog", and what a model makes of "Dog." is often nothing. Both are translated, and
the model's own probability decides: it is surer of a word that it knows, and of a name as it is.
Of a few capitals, which may be an abbreviation, the bare form has to be sure in itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mltranslate.constraints import TermTranslator
from mltranslate.decode.types import GREEDY, Search
from mltranslate.glossary import missing
from mltranslate.renderings import Rendering, distinct
from mltranslate.sentences.work import Sentence
from mltranslate.text.casing import capitalised, lowered, raised
from mltranslate.text.fragments import ended, is_fragment, may_be_abbreviation, unended
from mltranslate.text.terms import is_caseless
from mltranslate.types import CancelToken

SURER = 0.1
"""Nats a subword by which the bare form must be the likelier one (docs/quality.md)."""
_SURE = -0.5
"""Nats a subword that the bare form of so few capitals must reach: most abbreviations do not."""
_ABBREVIATIONS = frozenset({"US", "NATO", "NASA"})
"""Those that models are sure are words: "us", the Italian "nato"."""


@dataclass(frozen=True, slots=True)
class _Bare:
    """A sentence in small letters without a mark, and how to write its translation."""

    sentence: Sentence
    mark: str
    upper: bool
    capital: bool
    least: float
    """Nats a subword that its translation must reach."""

    def dressed(self, rendering: Rendering) -> Rendering:
        """The rendering of the bare form, in the form of the sentence."""
        others = tuple(map(self.dressed, rendering.alternatives))
        best = replace(rendering, text=self._dressed(rendering.text), alternatives=())
        return replace(best, alternatives=tuple(distinct(best, others)))

    def _dressed(self, text: str) -> str:
        target = self.sentence.target
        if self.upper:
            terms = (term.target for term in self.sentence.terms)
            text = raised(text, [term for term in terms if not is_caseless(term)], target)
        elif self.capital:
            text = capitalised(text, target)
        return ended(unended(text)[0], self.mark, target) if self.mark else text


class FormTranslator:
    """Translates like `TermTranslator`, and tries short texts in their bare form as well."""

    def __init__(self, plain: TermTranslator) -> None:
        self._plain = plain

    def translate(
        self,
        sentences: Sequence[Sentence],
        search: Search = GREEDY,
        *,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences`; see `TermTranslator.translate`."""
        bare = {
            one: form
            for one in dict.fromkeys(sentences)
            if not search.sampling and (form := _bare(one))
        }
        free = [replace(one, terms=()) if one in bare else one for one in sentences]
        found = self._plain.translate(free, search, cancel=cancel, advance=advance)
        if not bare:
            return found
        asked = [replace(form.sentence, terms=()) for form in bare.values()]
        tried = self._plain.translate(asked, search, cancel=cancel)
        others = dict(zip(bare, tried, strict=True))
        best: dict[Sentence, Rendering] = {}
        for one, rendering in dict(zip(sentences, found, strict=True)).items():
            form = bare.get(one)
            taken = form if form and _is_surer(others[one], rendering, form.least) else None
            best[one] = taken.dressed(others[one]) if taken else rendering
            if form and _lacks(best[one], one):
                best[one] = self._bound(one, taken, search, cancel)
        return [best[one] for one in sentences]

    def _bound(
        self, sentence: Sentence, bare: _Bare | None, search: Search, cancel: CancelToken | None
    ) -> Rendering:
        """The rendering with its terms: of the bare form, if that is the better one."""
        if bare:
            made = bare.dressed(self._plain.translate([bare.sentence], search, cancel=cancel)[0])
            if not _lacks(made, sentence):
                return made
        return self._plain.translate([sentence], search, cancel=cancel)[0]


def _bare(sentence: Sentence) -> _Bare | None:
    """The bare form of a word or short phrase; None for what has none or is begun."""
    if sentence.prefix:
        return None
    text, mark = unended(sentence.text.strip())
    if not is_fragment(text) or text in _ABBREVIATIONS:
        return None
    upper = len(text) > 1 and text.isupper()
    capital = not upper and text[:1].isupper()
    changed = len(text) if upper else int(capital)  # German nouns keep their capitals
    small = lowered(text[:changed], sentence.source) + text[changed:]
    if small == sentence.text:
        return None
    least = _SURE if may_be_abbreviation(text) else -math.inf
    return _Bare(replace(sentence, text=small), mark, upper, capital, least)


def _is_surer(bare: Rendering, other: Rendering, least: float) -> bool:
    if not bare.text or bare.cautions - other.cautions:
        return False
    return bare.score > other.score + SURER and (bare.score >= least or bool(other.cautions))


def _lacks(rendering: Rendering, sentence: Sentence) -> bool:
    return bool(missing(sentence.terms, rendering.text, sentence.target, shouted=False))
