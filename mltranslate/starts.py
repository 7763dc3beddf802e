"""Sentences that begin with a small letter, which a model knows better with a capital."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mltranslate.alignment import Alignment
from mltranslate.decode.types import GREEDY, Search
from mltranslate.phrases import PhraseTranslator
from mltranslate.renderings import Rendering, distinct
from mltranslate.sentences.work import Sentence
from mltranslate.text.casing import capitalised
from mltranslate.text.starts import Encode, lowered_start, raised_start
from mltranslate.types import CancelToken


class StartTranslator:
    """Translates like `PhraseTranslator`; what begins small comes back as small as it was."""

    def __init__(self, plain: PhraseTranslator, encode: Encode) -> None:
        """Take what translates sentences, and the subwords of its model."""
        self._plain = plain
        self._encode = encode

    def translate(
        self,
        sentences: Sequence[Sentence],
        search: Search = GREEDY,
        *,
        cancel: CancelToken | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[Rendering]:
        """Translate `sentences`; see `PhraseTranslator.translate`."""
        asked = [self.as_begun(one) for one in sentences]
        found = self._plain.translate(asked, search, cancel=cancel, advance=advance)
        return list(map(self._lowered, found, sentences, asked))

    def as_begun(self, sentence: Sentence) -> Sentence:
        """Return the sentence with a capital, and with one how its translation begins."""
        text = raised_start(sentence.text, sentence.source, self._encode)
        if text is None:
            return sentence
        prefix = capitalised(sentence.prefix, sentence.target)
        return replace(sentence, text=text, prefix=prefix)

    def _lowered(self, rendering: Rendering, sentence: Sentence, asked: Sentence) -> Rendering:
        if sentence == asked:
            return rendering
        text = lowered_start(rendering.text, sentence.text, sentence.target, self._encode)
        text = sentence.prefix + text[len(sentence.prefix) :]
        others = [self._lowered(one, sentence, asked) for one in rendering.alternatives]
        best = replace(rendering, text=text, alternatives=())
        alignment = _respelt(rendering.alignment, sentence.text, text)
        return replace(best, alignment=alignment, alternatives=tuple(distinct(best, others)))


def _respelt(alignment: Alignment, source: str, text: str) -> Alignment:
    """The alignment with the first words of both sides as these spell them."""
    return replace(
        alignment,
        source=_with_first(alignment.source, source),
        target=_with_first(alignment.target, text),
    )


def _with_first(words: tuple[str, ...], text: str) -> tuple[str, ...]:
    """Words, the first of them as `text` begins with it if they differ in capitals alone."""
    if not words or text[: len(words[0])].casefold() != words[0].casefold():
        return words
    return (text[: len(words[0])], *words[1:])
