"""Words and set phrases that a pack's phrasebook has: they are looked up, not translated.

Small models garble what is said in a fixed way ("Cheers!", "Bon appétit !"), and a phrasebook
does not. Where it has several translations the model chooses among them, if it says one of them.
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
        open_ = [one for one in sentences if not _is_settled(found[one], search)]
        if len(open_) < len(sentences):
            advance(len(sentences) - len(open_))
        made: dict[Sentence, Rendering] = {}
        if open_:
            translated = self._plain.translate(open_, search, cancel=cancel, advance=advance)
            made = dict(zip(open_, translated, strict=True))
        told = {
            one: self._told(one, texts, made.get(one), search, cancel) if texts else made[one]
            for one, texts in found.items()
        }
        return [told[one] for one in sentences]

    def settles(self, sentence: Sentence, search: Search) -> bool:
        """Whether the phrasebook alone says what the sentence is."""
        return _is_settled(self._found(sentence, search), search)

    def _found(self, sentence: Sentence, search: Search) -> tuple[str, ...]:
        """What the phrasebook has for a sentence; nothing where something else is asked for."""
        if self._phrasebook is None or sentence.prefix or search.sampling:
            return ()
        texts = self._phrasebook.find(sentence.text, sentence.source, sentence.target)
        terms = sentence.terms
        return tuple(
            text for text in texts if not missing(terms, text, sentence.target, shouted=False)
        )

    def _told(
        self,
        sentence: Sentence,
        texts: Sequence[str],
        made: Rendering | None,
        search: Search,
        cancel: CancelToken | None,
    ) -> Rendering:
        """The rendering of what was found: what the model `made` of it decides, if it was asked."""
        translated = [made, *made.alternatives] if made else []
        chosen = next((one.text for one in translated if one.text in texts), texts[0])
        known = [
            replace(self._sentences.written(text), looked_up=True)
            for text in dict.fromkeys((chosen, *texts))
        ]
        best = self._sentences.detailed(known[0], sentence, search, cancel=cancel)
        others = [*known[1:], *(replace(one, alternatives=()) for one in translated)]
        kept = tuple(distinct(best, others))[: search.alternatives - 1]
        return replace(best, alternatives=kept)


def _is_settled(texts: Sequence[str], search: Search) -> bool:
    return len(texts) == 1 and search.alternatives == 1
