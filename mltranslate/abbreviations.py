"""Sentences whose abbreviations in Latin capitals are to come out of the model as they went in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mltranslate.decode.types import GREEDY, Search
from mltranslate.renderings import Rendering, restored
from mltranslate.scripts import ScriptTranslator
from mltranslate.sentences.work import Sentence
from mltranslate.text.abbreviations import abbreviations, hide
from mltranslate.text.protected import Masked
from mltranslate.types import CancelToken

_ALIKE = frozenset(("en", "ja", "zh"))
"""Languages that write abbreviations from English as it does; others often have their own."""


class AbbreviationTranslator:
    """Translates like `ScriptTranslator`, once more with stand-ins where abbreviations got lost.

    A second translation that has no more of them, or is worse otherwise, is not taken. A
    translation that is begun already, or is to have terms, is left as it is.
    """

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
        bare = [_bare(one) for one in sentences]
        found = self._plain.translate(bare, search, cancel=cancel, advance=advance)
        first = dict(zip(sentences, found, strict=True))
        hidden = {
            one: made for one, rendering in first.items() if (made := _hidden(one, rendering))
        }
        if not hidden:
            return found
        asked = [replace(_bare(one), text=made.text) for one, made in hidden.items()]
        tried = self._plain.translate(asked, search, cancel=cancel)
        for (one, made), rendering in zip(hidden.items(), tried, strict=True):
            again = restored(rendering, made, one.target)
            if again and _is_better(again, first[one], one):
                first[one] = again
        return [first[one] for one in sentences]


def _bare(sentence: Sentence) -> Sentence:
    return replace(sentence, abbreviations=()) if sentence.abbreviations else sentence


def _hidden(sentence: Sentence, rendering: Rendering) -> Masked | None:
    """The sentence with stand-ins for what its translation lacks; None where nothing is to do."""
    if sentence.prefix or sentence.terms or rendering.looked_up:
        return None
    lost = _lost(sentence, rendering)
    return hide(sentence.text, lost) if lost else None


def _lost(sentence: Sentence, rendering: Rendering) -> list[str]:
    """Abbreviations that are missing; none where others may stand for them, as "PIB" for "GDP"."""
    others = set(abbreviations(rendering.text)) - set(abbreviations(sentence.text))
    if others and sentence.target not in _ALIKE:
        return []
    return [one for one in sentence.abbreviations if one not in rendering.text]


def _is_better(again: Rendering, first: Rendering, sentence: Sentence) -> bool:
    copied = again.text == sentence.text
    keeps_more = len(_lost(sentence, again)) < len(_lost(sentence, first))
    return keeps_more and not copied and not again.cautions - first.cautions
