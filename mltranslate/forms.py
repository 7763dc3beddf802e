"""Words and short phrases with a capital or a stop, which a model may know better without.

Dictionaries give "dog", and what a model makes of "Dog." is often nothing. Both are translated, and
the model's own probability decides: it is surer of a word that it knows, and of a name as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mltranslate.decode.types import GREEDY, Search
from mltranslate.renderings import Rendering, distinct
from mltranslate.scripts import ScriptTranslator
from mltranslate.sentences.work import Sentence
from mltranslate.text.casing import capitalised, lowered, raised
from mltranslate.text.fragments import ended, is_fragment, unended
from mltranslate.types import CancelToken

SURER = 0.1
"""Nats a subword by which the bare form must be the likelier one (docs/quality.md)."""


@dataclass(frozen=True, slots=True)
class _Bare:
    """A sentence in small letters without a mark, and how to write its translation."""

    sentence: Sentence
    mark: str
    upper: bool
    capital: bool

    def dressed(self, rendering: Rendering) -> Rendering:
        """The rendering of the bare form, in the form of the sentence."""
        others = tuple(map(self.dressed, rendering.alternatives))
        best = replace(rendering, text=self._dressed(rendering.text), alternatives=())
        return replace(best, alternatives=tuple(distinct(best, others)))

    def _dressed(self, text: str) -> str:
        target = self.sentence.target
        if self.upper or self.capital:
            text = raised(text, (), target) if self.upper else capitalised(text, target)
        return ended(unended(text)[0], self.mark, target) if self.mark else text


class FormTranslator:
    """Translates like `ScriptTranslator`, and tries short texts in their bare form as well."""

    def __init__(self, plain: ScriptTranslator) -> None:
        self._plain = plain

    def translate(
        self,
        sentences: Sequence[Sentence],
        search: Search = GREEDY,
        *,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences`; see `ScriptTranslator.translate`."""
        found = self._plain.translate(sentences, search, cancel=cancel, advance=advance)
        bare = {
            one: form
            for one in dict.fromkeys(sentences)
            if not search.sampling and (form := _bare(one))
        }
        if not bare:
            return found
        asked = [form.sentence for form in bare.values()]
        tried = self._plain.translate(asked, search, cancel=cancel)
        others = dict(zip(bare, tried, strict=True))
        return [
            bare[one].dressed(others[one])
            if one in bare and _is_surer(others[one], rendering)
            else rendering
            for one, rendering in zip(sentences, found, strict=True)
        ]


def _bare(sentence: Sentence) -> _Bare | None:
    """The bare form of a word or short phrase; None for what has none, is begun or has terms."""
    if sentence.prefix or sentence.terms:
        return None
    text, mark = unended(sentence.text.strip())
    if not is_fragment(text):
        return None
    upper = len(text) > 1 and text.isupper()
    capital = not upper and text[:1].isupper()
    changed = len(text) if upper else int(capital)  # German nouns keep their capitals
    small = lowered(text[:changed], sentence.source) + text[changed:]
    if small == sentence.text:
        return None
    return _Bare(replace(sentence, text=small), mark, upper, capital)


def _is_surer(bare: Rendering, other: Rendering) -> bool:
    better = bare.score > other.score + SURER
    return bool(bare.text) and not bare.cautions - other.cautions and better
