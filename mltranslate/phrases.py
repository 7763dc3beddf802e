"""Words and set phrases that a pack's phrasebook has: they are looked up, not translated.

Small models garble what is said in a fixed way ("Cheers!", "Bon appétit !"), and a phrasebook
does not. Where it has several translations the model chooses among them, if it says one of them;
where a word may be a name, or another word, the model is asked whether it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mltranslate.decode.types import GREEDY, Search
from mltranslate.forms import FormTranslator
from mltranslate.glossary import missing
from mltranslate.renderings import Rendering, distinct
from mltranslate.sentences.parts import PhrasebookLike
from mltranslate.sentences.translator import SentenceTranslator
from mltranslate.sentences.work import Sentence
from mltranslate.text.phrases import Doubt, Found, key
from mltranslate.types import CancelToken, stop_if_cancelled


class PhraseTranslator:
    """Translates like `FormTranslator`, but for what the phrasebook has."""

    def __init__(
        self,
        plain: FormTranslator,
        sentences: SentenceTranslator,
        phrasebook: PhrasebookLike | None = None,
    ) -> None:
        """Look up in `phrasebook`; `sentences` scores and links what was found there."""
        self._plain = plain
        self._sentences = sentences
        self._phrasebook = phrasebook

    def translate(
        self,
        sentences: Sequence[Sentence],
        search: Search = GREEDY,
        *,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences`; see `FormTranslator.translate`."""
        stop_if_cancelled(cancel)
        found = {one: self._found(one, search) for one in dict.fromkeys(sentences)}
        left = [one for one in sentences if not _is_settled(found[one], search)]
        if len(left) < len(sentences):
            advance(len(sentences) - len(left))
        made: dict[Sentence, Rendering] = {}
        if left:
            translated = self._plain.translate(left, search, cancel=cancel, advance=advance)
            made = dict(zip(left, translated, strict=True))
        told = {
            one: self._told(one, phrases, made.get(one), search, cancel)
            for one, phrases in found.items()
        }
        return [told[one] for one in sentences]

    def settles(self, sentence: Sentence, search: Search) -> bool:
        """Whether the phrasebook alone says what the sentence is."""
        return _is_settled(self._found(sentence, search), search)

    def _found(self, sentence: Sentence, search: Search) -> Found:
        """What the phrasebook has for a sentence; nothing where something else is asked for."""
        if self._phrasebook is None or sentence.prefix or search.sampling:
            return Found()
        target, terms = sentence.target, sentence.terms
        found = self._phrasebook.find(sentence.text, sentence.source, target)
        fitting = (one for one in found.texts if not missing(terms, one, target, shouted=False))
        return replace(found, texts=tuple(fitting))

    def _told(
        self,
        sentence: Sentence,
        found: Found,
        made: Rendering | None,
        search: Search,
        cancel: CancelToken | None,
    ) -> Rendering:
        """The rendering of what was found, or what the model `made` of it, if that decides."""
        if made and not found.texts:
            return made
        translated = [made, *made.alternatives] if made else []
        agreed = _agreed(found.texts, made, sentence.target) if made else ""
        if made and _is_models(found, made, sentence, agreed):
            return made
        known = [
            replace(self._sentences.written(text), looked_up=True)
            for text in dict.fromkeys((agreed or found.texts[0], *found.texts))
        ]
        best = self._sentences.detailed(known[0], sentence, search, cancel=cancel)
        others = [*known[1:], *(replace(one, alternatives=()) for one in translated)]
        kept = tuple(distinct(best, others))[: search.alternatives - 1]
        return replace(best, alternatives=kept)


def _is_settled(found: Found, search: Search) -> bool:
    return len(found.texts) == 1 and found.doubt is Doubt.NONE and search.alternatives == 1


def _agreed(texts: Sequence[str], made: Rendering, target: str) -> str:
    """The one of `texts` that the model made as well, whatever its form, or ""."""
    said = key(made.text, target).rstrip("?")
    return next((text for text in texts if key(text, target).rstrip("?") == said), "")


def _is_models(found: Found, made: Rendering, sentence: Sentence, agreed: str) -> bool:
    """Whether what the model made stands: it knows a name, or a word that it is not."""
    if found.doubt is Doubt.NAME:
        return key(made.text, sentence.target) == key(sentence.text, sentence.target)
    return found.doubt is not Doubt.NONE and not agreed
