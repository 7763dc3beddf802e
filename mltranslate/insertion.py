"""Terms brought into one translation: looked for, or forced by prefixes.

A translation that lacks a term is searched among the beam's other hypotheses first. Otherwise the
term is put in the place of the model's own words for it, or else at every place of the translation
where a word may begin, and the model completes each of these beginnings: prefix-constrained search
(Knowles and Koehn 2016, "Neural interactive translation prediction") at all places of a term, to
the end of grid beam search (Hokamp and Liu 2017), which needs a decoder of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mltranslate.decode.types import GREEDY, Search
from mltranslate.errors import InputError
from mltranslate.languages import is_spaced
from mltranslate.renderings import Rendering, distinct
from mltranslate.sentences.translator import SentenceTranslator, numbered
from mltranslate.sentences.work import Sentence
from mltranslate.text.casing import capitalised
from mltranslate.text.terms import TermIndex, is_caseless, is_edge, is_word
from mltranslate.types import CancelToken, Caution, TokenScore

_SCORED = Search(token_scores=True)
_CLEAR_LOSS = 3.0
"""Nats that the model's word for a term loses at least without it: its chance is a twentieth."""
_FINALISTS = 4
"""Places, best first by greedy search, from which the wider search completes the sentence."""
_MOST_PLACES = 200
"""Places that are tried at most: the first ones of a sentence."""
_APART = {"fr": ("!", "?", ";", ":", "»")}
"""Marks that a language sets apart from the word before."""


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What the model said itself where a term belongs."""

    text: str
    starts: Sequence[int] = ()
    """Where its words for the term begin in `text`; none where that is not clear."""
    words: frozenset[str] = frozenset()
    """Those of them that the term itself does not have."""

    def repeated(self, text: str) -> int:
        """How many of them are still in a translation that has the term."""
        return sum(text.count(word) >= self.text.count(word) for word in self.words)


@dataclass(frozen=True, slots=True)
class _Try:
    """A beginning of a translation and what the model made of it."""

    prefix: str
    rendering: Rendering
    own: OwnWords


class TermSearch:
    """Looks for the terms of one sentence that the model can be brought to."""

    def __init__(
        self,
        sentence: Sentence,
        plain: SentenceTranslator,
        search: Search,
        cancel: CancelToken | None,
    ) -> None:
        """Take a sentence with terms, and what translates it without them and remembers nothing."""
        self._plain = plain
        self._sentence = replace(sentence, terms=())
        self._terms = sentence.terms
        self._wanted = tuple(dict.fromkeys(term.target for term in sentence.terms))
        self._index = TermIndex(self._wanted)
        self._asked = search
        self._lean = replace(search, alternatives=1, token_scores=False, alignment=False)
        self._cancel = cancel
        self._spaced = is_spaced(sentence.target)
        self._usual = 1
        """Tokens of the translation without the terms."""

    def best(self, free: Rendering) -> Rendering:
        """Return the best rendering with all terms, and such alternatives, or one with the most.

        `free` is how the sentence is translated without them. Raises `PackError` where the graphs
        know no prefixes, and `Cancelled`.
        """
        self._usual = max(1, free.tokens)
        others = self._complete(_flat(free))
        if others and others[0].text == free.text:
            return self._listed(others)
        if self._lean.beam > 1:
            others += self._complete(self._hypotheses(self._sentence))
        if others:
            return self._listed(self._finished(others, self._sentence.prefix))
        made = self._placed(free)
        if made is None:
            return free
        found = [made.rendering, *self._others(made)]
        return self._listed(self._finished(found, made.prefix))

    def _hypotheses(self, sentence: Sentence) -> list[Rendering]:
        """The best of the beam, and what else in it is sound."""
        wide = replace(self._lean, alternatives=self._lean.beam)
        return _flat(self._translated([sentence], wide)[0])

    def _others(self, made: _Try) -> list[Rendering]:
        """If they are asked for, other ways to complete a beginning, no worse in what they say."""
        if self._asked.alternatives == 1:
            return []
        best = made.rendering
        found = self._hypotheses(replace(self._sentence, prefix=made.prefix))
        return [
            one
            for one in (self._closed(other, made.prefix) for other in found)
            if self._held(one) >= self._held(best)
            and made.own.repeated(one.text) <= made.own.repeated(best.text)
        ]

    def _complete(self, renderings: Sequence[Rendering]) -> list[Rendering]:
        return [one for one in renderings if not self._lacks(one.text)]

    def _lacks(self, text: str) -> list[str]:
        said = self._index.said(text, self._sentence.target)
        return [term for term in self._wanted if term not in said]

    def _held(self, rendering: Rendering) -> int:
        return len(self._wanted) - len(self._lacks(rendering.text))

    def _listed(self, found: Sequence[Rendering]) -> Rendering:
        best = replace(found[0], alternatives=())
        if self._asked.alternatives == 1:
            return best
        others = [replace(one, alternatives=()) for one in found[1:]]
        return replace(
            best, alternatives=tuple(distinct(best, others))[: self._asked.alternatives - 1]
        )

    def _finished(self, found: Sequence[Rendering], prefix: str) -> list[Rendering]:
        """These renderings with the numbers of the source, the first with all that is asked for.

        It was searched for with `prefix`.
        """
        made = [self._mended(one) for one in found]
        asked = replace(self._sentence, prefix=prefix)
        made[0] = self._plain.detailed(made[0], asked, self._asked, cancel=self._cancel)
        return made

    def _mended(self, rendering: Rendering) -> Rendering:
        bare = replace(rendering, cautions=rendering.cautions - {Caution.NUMBERS})
        mended = numbered(bare, self._sentence)
        return rendering if self._held(mended) < self._held(rendering) else mended

    def _placed(self, free: Rendering) -> _Try | None:
        """Force what is missing, one term after the other; None where nothing is won by it."""
        best: _Try | None = None
        current = free
        start = len(self._sentence.prefix)
        hopeless: set[str] = set()
        for _ in range(2 * len(self._wanted)):
            missing = [term for term in self._lacks(current.text) if term not in hopeless]
            if not missing:
                break
            found = self._with_term(missing[0], current.text, start)
            if found is None:
                hopeless.add(missing[0])
                continue
            if self._held(found.rendering) <= self._held(current):
                # Another term got lost: it has its place behind this one.
                start = len(found.prefix)
            current = found.rendering
            if self._rank(current) > self._rank(best.rendering if best else free):
                best = found
        return best if best and self._held(best.rendering) > self._held(free) else None

    def _with_term(self, term: str, text: str, start: int) -> _Try | None:
        """The best translation with `term`, put somewhere into `text` from `start` on.

        None where there is none, and where the given beginning says it in other words.
        """
        word_starts = self._word_starts(text)
        own = self._own_words(term, text, word_starts)
        if own.starts and max(own.starts) < len(self._sentence.prefix):
            return None
        near = [place for place in own.starts if place >= start][:_FINALISTS]
        tries = self._at(near, term, own)
        if not tries or own.repeated(tries[0].rendering.text):
            tries += self._at([place for place in word_starts if place >= start], term, own)
        return max(tries, key=lambda one: self._rank(one.rendering, own), default=None)

    def _at(self, places: Sequence[int], term: str, own: OwnWords) -> list[_Try]:
        """Translations with `term` at the best of these places of a text, the best one first."""
        prefixes = [self._prefix(term, own.text, place) for place in places[:_MOST_PLACES]]
        tries: list[_Try] = []
        if len(prefixes) > _FINALISTS:
            found = self._tried(prefixes, term, GREEDY, own)[:_FINALISTS]
            prefixes = [one.prefix for one in found] or prefixes
            tries = found[:1]
        tries += self._tried(prefixes, term, self._lean, own)
        if not tries and self._spaced:
            # The model makes longer words of it: a space behind it forbids that.
            tries = self._tried([prefix + " " for prefix in prefixes], term, self._lean, own)
        return tries

    def _tried(
        self, prefixes: Sequence[str], term: str, search: Search, own: OwnWords
    ) -> list[_Try]:
        """What the model makes of beginnings, the best first; only what has the term."""
        asked = [replace(self._sentence, prefix=prefix) for prefix in prefixes]
        found = map(self._closed, self._translated(asked, search), prefixes)
        pairs = zip(prefixes, found, strict=True)
        tries = [_Try(*one, own) for one in pairs if term not in self._lacks(one[1].text)]
        return sorted(tries, key=lambda one: self._rank(one.rendering, own), reverse=True)

    def _closed(self, rendering: Rendering, prefix: str) -> Rendering:
        """The rendering without the space that was put behind a term, where no word follows it."""
        end = len(prefix.rstrip())
        rest = rendering.text[end:]
        if end == len(prefix) or any(map(is_word, rest)):
            return rendering
        if rest.lstrip().startswith(_APART.get(self._sentence.target.partition("-")[0], ())):
            return rendering
        return replace(rendering, text=rendering.text[:end] + rest.lstrip())

    def _translated(self, asked: Sequence[Sentence], search: Search) -> list[Rendering]:
        """Renderings of `asked`; an empty one where the pack cannot write what is given."""
        try:
            return self._plain.translate(asked, search, cancel=self._cancel)
        except InputError:
            if len(asked) == 1:
                return [Rendering("", 0.0, 0)]
        return [one for each in asked for one in self._translated([each], search)]

    def _rank(
        self, rendering: Rendering, own: OwnWords | None = None
    ) -> tuple[int, int, int, float]:
        """Sorts renderings, the best one last: most terms, then those that say nothing twice.

        Then few alarms and the model's score count. Its mean would favour what says the term beside
        the model's own word for it: what is longer than usual pays for every token, what is
        shorter gains nothing.
        """
        doubts = rendering.cautions - {Caution.NUMBERS, Caution.PLACED}
        tokens = max(1, min(rendering.tokens, self._usual))
        repeated = own.repeated(rendering.text) if own else 0
        return self._held(rendering), -repeated, -len(doubts), rendering.log_probability / tokens

    def _own_words(self, term: str, text: str, word_starts: Sequence[int]) -> OwnWords:
        """The model's own words for the source of a term in `text`, if it is clear which.

        They are those that it finds much less likely when the source lacks the term: prediction
        difference (Li et al. 2019, "On the word alignment from neural machine translation").
        """
        lacking = self._source_without(term)
        if lacking is None:
            return OwnWords(text)
        whole = replace(self._sentence, prefix=text + " ")
        found = self._translated([whole, replace(whole, text=lacking)], _SCORED)
        losses = _losses(text, *(one.token_scores for one in found))
        sums = {
            (start, end): sum(loss for at, loss in losses if start <= at < end)
            for start, end in itertools.pairwise([*word_starts, len(text)])
        }
        least = max(_CLEAR_LOSS, max(sums.values(), default=0.0) / 2)
        own = [(start, end) for (start, end), loss in sums.items() if loss >= least]
        words = {text[start : start + _words_end(text[start:end])] for start, end in own}
        said = frozenset(word for word in words if word and word not in term)
        return OwnWords(text, [start for start, _ in own], said)

    def _source_without(self, term: str) -> str | None:
        """The sentence without the source of a term; None where it does not have it itself."""
        sources = {one.source for one in self._terms if one.target == term}
        text = self._sentence.text
        index = TermIndex(one.source for one in self._terms)
        every = index.find(text, self._sentence.source, shouted=True)
        found = [one for one in every if one.term in sources]
        rest = text[: found[0].start] + text[found[0].end :] if found else ""
        return rest if any(map(is_word, rest)) else None

    def _word_starts(self, text: str) -> list[int]:
        """Where a word may begin in `text`, and its end, before the last marks."""
        end = _words_end(text)
        inner = (at for at in range(end) if _may_begin(text, at, spaced=self._spaced))
        return [*inner, end]

    def _prefix(self, term: str, text: str, place: int) -> str:
        """The beginning of `text` with `term` behind it."""
        before = text[:place]
        apart = " " if self._spaced and before and is_word(before[-1]) else ""
        begins = not any(map(is_word, before)) and text[:1].isupper()
        return before + apart + (capitalised(term) if begins and is_caseless(term) else term)


def _losses(
    text: str, full: Sequence[TokenScore], less: Sequence[TokenScore]
) -> list[tuple[int, float]]:
    """Where each token of `text` begins, and what its log-probability falls by from `full`."""
    written = "".join(one.token for one in full)
    at = len(written.lstrip()) - len(written)
    if not written.lstrip().startswith(text):  # tokens of single bytes
        return []
    losses = []
    for one, other in zip(full, less, strict=False):
        blank = len(one.token) - len(one.token.lstrip())
        losses.append((at + blank, max(0.0, one.log_probability - other.log_probability)))
        at += len(one.token)
    return losses


def _words_end(text: str) -> int:
    """Where the last word of `text` ends."""
    return max((at for at, char in enumerate(text, 1) if is_word(char)), default=0)


def _may_begin(text: str, place: int, *, spaced: bool) -> bool:
    """Whether a word may begin there: with spaces, where one does, or a mark behind a space."""
    if not spaced or is_word(text[place]):
        return is_edge(text, place, spaced=spaced)
    return not text[place].isspace() and not text[place - 1 : place].strip()


def _flat(rendering: Rendering) -> list[Rendering]:
    return [replace(rendering, alternatives=()), *rendering.alternatives]
