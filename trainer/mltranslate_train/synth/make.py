"""From lines to corpus lines: translate, choose, judge, and write down."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mltranslate.text.cleaning import clean
from mltranslate_train.data.readers import Pair
from mltranslate_train.evaluate.metrics import sentence_chrf
from mltranslate_train.evaluate.systems import Advance, Searching
from mltranslate_train.synth.judge import Judge, flaw
from mltranslate_train.synth.lines import Line
from mltranslate_train.synth.search import Found, Searcher


@dataclass(slots=True)
class Tally:
    """What has been made so far."""

    kept: Counter[str] = field(default_factory=Counter)
    """Corpus lines by origin."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Translations by the reason why they are none."""
    tokens: int = 0
    """Subwords that the best translations have, end marks included."""
    seconds: float = 0.0
    """Time that the search for them took."""

    def add(self, other: Tally) -> None:
        """Count another one in."""
        self.kept += other.kept
        self.dropped += other.dropped
        self.tokens += other.tokens
        self.seconds += other.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes corpus lines `origin TAB text TAB text` of one direction."""

    system: Searching
    searcher: Searcher
    judge: Judge
    label: str
    """What the origins begin with."""
    source_first: bool
    """The source is the first of the two texts."""
    interpolate: bool = False
    """Take, of the sound translations, the one most like the reference."""

    def make(self, lines: Sequence[Line], start: int, advance: Advance) -> tuple[str, Tally]:
        """Corpus lines of a chunk, whose first line has the number `start`."""
        begun = time.perf_counter()
        found = self.searcher.find([line.source for line in lines], start, advance)
        tally = Tally(seconds=time.perf_counter() - begun)
        tally.tokens = sum(len(h.pieces) + h.finished for one in found for h in one.hypotheses[:1])
        if self.interpolate:
            found = [self._closest(*both) for both in zip(found, lines, strict=True)]
        pairs = [self._pair(*both) for both in zip(found, lines, strict=True)]
        rows = []
        for pair, reason in zip(pairs, self.judge.reasons(found, pairs), strict=True):
            if reason:
                tally.dropped[reason] += 1
            else:
                tally.kept[pair.origin] += 1
                rows.append(self._row(pair))
        return "".join(rows), tally

    def _pair(self, found: Found, line: Line) -> Pair:
        output = clean(self.system.text(found.hypotheses[0].pieces)) if found.hypotheses else ""
        return Pair(clean(f"{self.label}:{line.origin}"), line.source, output)

    def _closest(self, found: Found, line: Line) -> Found:
        """Put first what is most like the reference by chrF2++ (Kim and Rush 2016).

        Of equals the likelier one comes first, and so it stays where nothing is sound.
        """
        sound = [one for one in found.hypotheses if not flaw(found.pieces, one)]
        if not sound:
            return found
        best = max(sound, key=lambda one: sentence_chrf(self._text(one.pieces), line.reference))
        return dataclasses.replace(found, hypotheses=[best])

    def _text(self, pieces: Sequence[int]) -> str:
        return clean(self.system.text(pieces))

    def _row(self, pair: Pair) -> str:
        texts = (pair.first, pair.second) if self.source_first else (pair.second, pair.first)
        return "\t".join((pair.origin, *texts)) + "\n"
