"""Sentences in the characters that a model knows, and translations in those that were asked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

from mltranslate.alignment import Alignment
from mltranslate.decode.types import GREEDY, Search
from mltranslate.renderings import Rendering
from mltranslate.sentences.work import Sentence
from mltranslate.starts import StartTranslator
from mltranslate.text.chinese import as_read, as_written
from mltranslate.types import CancelToken


class ScriptTranslator:
    """Translates like `StartTranslator`, Chinese of either standard by a model of Simplified."""

    def __init__(self, plain: StartTranslator) -> None:
        self._plain = plain

    def translate(
        self,
        sentences: Sequence[Sentence],
        search: Search = GREEDY,
        *,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences`; see `StartTranslator.translate`."""
        known = list(map(as_known, sentences))
        found = self._plain.translate(known, search, cancel=cancel, advance=advance)
        return list(map(_as_asked, found, sentences, known))


def as_known(sentence: Sentence) -> Sentence:
    """Return the sentence, its beginning and its terms in the characters that a model knows."""
    source, target = sentence.source, sentence.target
    if not sentence.variety and not {source[:2], target[:2]} & {"zh"}:
        return sentence
    terms = (
        replace(one, source=as_read(one.source, source), target=as_read(one.target, target))
        for one in sentence.terms
    )
    return replace(
        sentence, text=as_read(sentence.text, source), prefix=as_read(sentence.prefix, target),
        terms=tuple(terms), variety="",
    )  # fmt: skip


def _as_asked(rendering: Rendering, asked: Sentence, known: Sentence) -> Rendering:
    """The rendering in the variety that was asked for, behind the beginning as it was given."""
    if known == asked:
        return rendering
    given, variety = known.prefix, asked.variety
    whole = as_written(rendering.text, variety)
    if len(whole) == len(rendering.text):  # characters decide by their neighbours
        rest = whole[len(given) :]
    else:
        rest = as_written(rendering.text[len(given) :], variety)
    return replace(
        rendering,
        text=asked.prefix + rest,
        alternatives=tuple(_as_asked(other, asked, known) for other in rendering.alternatives),
        alignment=_spelt(rendering.alignment, variety),
    )


def _spelt(alignment: Alignment, variety: str) -> Alignment:
    """The alignment with its target's words in that variety, if they keep their length."""
    line = "".join(alignment.target)
    spelt = as_written(line, variety)
    if spelt == line or len(spelt) != len(line):
        return alignment
    ends = itertools.accumulate(map(len, alignment.target))
    words = (spelt[end - len(word) : end] for word, end in zip(alignment.target, ends, strict=True))
    return replace(alignment, target=tuple(words))
