"""Sentences with links, code, placeholders, emoji or markup: hidden from the model, verified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mltranslate.abbreviations import AbbreviationTranslator
from mltranslate.alignment import NO_ALIGNMENT
from mltranslate.decode.types import GREEDY, Search
from mltranslate.glossary import Term
from mltranslate.renderings import Rendering, assemble, restored
from mltranslate.sentences.translator import SentenceTranslator
from mltranslate.sentences.work import Sentence
from mltranslate.text.casing import capitalised, lowered, raised
from mltranslate.text.foreign import Knows, knows_all
from mltranslate.text.protected import STAND_INS, Masked, calmed, mask, names, parts
from mltranslate.types import CancelToken, Caution


class ProtectingTranslator:
    """Translates sentences like `SentenceTranslator`, and loses nothing that must be kept.

    Stand-ins that do not come out of the model are tried once more as other words; at last the
    sentence is translated in parts around what they stand for. Sentences in capitals come back in
    capitals. A sentence whose translation is begun already reaches the model with its links and
    code: its beginning says how they look there, and whether the rest is in capitals.
    """

    def __init__(
        self,
        plain: SentenceTranslator | AbbreviationTranslator,
        knows: Knows = knows_all,
        *,
        aligns: bool = False,
    ) -> None:
        """Take what translates sentences, and what knows the characters of its model.

        `aligns` says that it can tell which words come from which: marks around words are then
        placed by that.
        """
        self._plain = plain
        self._knows = knows
        self._aligns = aligns

    def translate(
        self,
        sentences: Sequence[Sentence],
        search: Search = GREEDY,
        *,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences`; see `SentenceTranslator.translate`.

        `advance` counts a sentence when the model has seen it for the first time.
        """
        masked = {
            one: made
            for one in dict.fromkeys(sentences)
            if not one.prefix and (made := self._masked(one))
        }
        calm = {one: small for one in sentences if one.prefix and (small := _calmed(one))}
        asked = [calm.get(one) or _asked(one, masked.get(one)) for one in sentences]
        hidden = [masked.get(one) for one in sentences]
        found = self._translated(asked, hidden, search, cancel=cancel, advance=advance)
        found = [
            _continued(rendering, one, calm[one]) if one in calm else rendering
            for one, rendering in zip(sentences, found, strict=True)
        ]
        if not masked:
            return found
        whole: dict[Sentence, Rendering | None] = {
            one: restored(rendering, hiding, one.target, one.terms) if hiding else rendering
            for one, hiding, rendering in zip(sentences, hidden, found, strict=True)
        }
        for attempt in range(1, len(STAND_INS)):
            whole |= self._again(_lost(whole), attempt, search, cancel)
        whole |= self._in_parts(_lost(whole), search, cancel)
        told = (whole[one] or _kept(one) for one in sentences)
        return [one if search.alignment else replace(one, alignment=NO_ALIGNMENT) for one in told]

    def _translated(
        self,
        asked: Sequence[Sentence],
        masked: Sequence[Masked | None],
        search: Search,
        *,
        cancel: CancelToken | None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """What is `asked`, aligned where marks are around words that were in it."""
        linked = replace(search, alignment=True)
        searches = [
            linked if self._aligns and made and made.has_pairs else search for made in masked
        ]
        found: dict[int, Rendering] = {}
        for kind in dict.fromkeys(searches):
            rows = [row for row, one in enumerate(searches) if one == kind]
            those = self._plain.translate(
                [asked[row] for row in rows], kind, cancel=cancel, advance=advance
            )
            found |= zip(rows, those, strict=True)
        return [found[row] for row in range(len(asked))]

    def _masked(self, sentence: Sentence, attempt: int = 0) -> Masked | None:
        return mask(sentence.text, attempt, sentence.source, self._knowing(sentence))

    def _knowing(self, sentence: Sentence) -> Knows:
        """What the model knows; a word that the glossary has is not to be hidden."""
        told = {char for term in sentence.terms for char in term.source}
        return (lambda char: char in told or self._knows(char)) if told else self._knows

    def _again(
        self, lost: Sequence[Sentence], attempt: int, search: Search, cancel: CancelToken | None
    ) -> dict[Sentence, Rendering | None]:
        """The `lost` sentences with other stand-ins; None for those that are lost again."""
        masked = {one: made for one in lost if (made := self._masked(one, attempt))}
        asked = [_asked(one, made) for one, made in masked.items()]
        found = self._translated(asked, list(masked.values()), search, cancel=cancel)
        return {
            one: restored(rendering, made, one.target, one.terms)
            for (one, made), rendering in zip(masked.items(), found, strict=True)
        }

    def _in_parts(
        self, lost: Sequence[Sentence], search: Search, cancel: CancelToken | None
    ) -> dict[Sentence, Rendering]:
        """The `lost` sentences cut around their names; the parts hold no names any more."""
        plans = {one: parts(one.text, self._knowing(one)) for one in lost}
        asked = [
            one.part(span.text)
            for one, spans in plans.items()
            for span in spans
            if span.translatable
        ]
        fresh = iter(self.translate(asked, search, cancel=cancel) if asked else [])
        made = {
            one: [next(fresh) for span in spans if span.translatable]
            for one, spans in plans.items()
        }
        return {
            one: _split(assemble(plans[one], found, one.target, search.alternatives))
            for one, found in made.items()
            if found
        }


def _kept(sentence: Sentence) -> Rendering:
    """A sentence that is nothing but names, as it is."""
    return Rendering(sentence.text, 0.0, 0, cautions=frozenset({Caution.SPLIT}))


def _split(rendering: Rendering) -> Rendering:
    return replace(rendering, cautions=rendering.cautions | {Caution.SPLIT})


def _calmed(sentence: Sentence) -> Sentence | None:
    """A sentence in capitals, and the beginning of its translation, in small letters."""
    text = calmed(sentence.text, sentence.source)
    if text is None:
        return None
    prefix = sentence.prefix
    if _is_raised(prefix):
        prefix = capitalised(lowered(prefix, sentence.target), sentence.target)
    return replace(sentence.part(text), prefix=prefix)


def _continued(rendering: Rendering, sentence: Sentence, calm: Sentence) -> Rendering:
    """The rendering of a calmed sentence in capitals, if its beginning was in capitals."""
    if not _is_raised(sentence.prefix):
        return rendering
    rest = raised(rendering.text[len(calm.prefix) :], names(sentence.text), sentence.target)
    others = tuple(_continued(other, sentence, calm) for other in rendering.alternatives)
    return replace(rendering, text=sentence.prefix + rest, alternatives=others)


def _is_raised(prefix: str) -> bool:
    return not any(map(str.islower, prefix))


def _asked(sentence: Sentence, masked: Masked | None) -> Sentence:
    if masked is None:
        return sentence
    if not sentence.terms:
        return replace(sentence, text=masked.text)
    # A translation that is made to have a term must not lose a stand-in for it.
    stand_ins = (Term(word, word) for word, name in masked.names if word != name)
    return replace(sentence, text=masked.text, terms=(*sentence.terms, *stand_ins))


def _lost(whole: dict[Sentence, Rendering | None]) -> list[Sentence]:
    return [one for one, rendering in whole.items() if rendering is None]
