"""How often a translation fails in a way that can be seen without a human.

Each judge looks at one kind of fault and says how many lines it could judge. Loops and lengths are
judged by the engine's own guards, over subwords; the target language by the identifier that ships.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mltranslate.detect.detector import default_detector
from mltranslate.guards import implausible_length, loops
from mltranslate.pipeline import OFF_TARGET_CONFIDENCE, OFF_TARGET_LETTERS
from mltranslate.types import UNDETERMINED

_Z = 1.959964
"""Standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many faults among the lines that could be judged."""

    count: int
    judged: int

    @property
    def percent(self) -> float:
        """Faults a hundred judged lines; NaN if none was judged."""
        return 100 * self.count / self.judged if self.judged else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % score interval in percent (Wilson 1927); NaN if none was judged."""
        if not self.judged:
            return math.nan, math.nan
        n, share, square = self.judged, self.count / self.judged, _Z**2
        centre = share + square / (2 * n)
        reach = _Z * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
        low, high = ((centre + sign * reach) / (1 + square / n) for sign in (-1, 1))
        return 100 * max(0.0, low), 100 * min(1.0, high)


@dataclass(frozen=True, slots=True)
class Lines:
    """Sources and their translations, as text and as subword ids of one vocabulary."""

    sources: Sequence[str]
    outputs: Sequence[str]
    source_ids: Sequence[Sequence[int]]
    output_ids: Sequence[Sequence[int]]

    def judged(self) -> list[int]:
        """Rows whose source is not blank."""
        return [row for row, source in enumerate(self.sources) if source.strip()]


def empty(lines: Lines) -> Rate:
    """No text came out of a source that has some."""
    rows = lines.judged()
    return Rate(sum(not lines.outputs[row].strip() for row in rows), len(rows))


def loop(lines: Lines) -> Rate:
    """The output repeats itself and its source does not (`mltranslate.guards.loops`)."""
    rows = lines.judged()
    return Rate(sum(loops(lines.source_ids[row], lines.output_ids[row]) for row in rows), len(rows))


def too_long(lines: Lines) -> Rate:
    """More subwords than a translation can have (`mltranslate.guards.implausible_length`)."""
    return _implausible(lines, longer=True)


def too_short(lines: Lines) -> Rate:
    """Some, but fewer subwords than a translation can have; the same guard."""
    return _implausible(lines, longer=False)


def _implausible(lines: Lines, *, longer: bool) -> Rate:
    rows = lines.judged()
    sizes = [(len(lines.source_ids[row]), len(lines.output_ids[row])) for row in rows]
    wrong = [
        output > 0 and (output > source) is longer and implausible_length(source, output)
        for source, output in sizes
    ]
    return Rate(sum(wrong), len(rows))


def copy(lines: Lines, references: Sequence[str] | None) -> Rate:
    """The output has the letters and digits of its source, case and punctuation aside.

    Judged are sources with a letter whose reference is no such copy; all sources with a letter
    if there are no references.
    """
    rows = [
        row for row in lines.judged()
        if any(map(str.isalpha, lines.sources[row]))
        and (references is None or _key(references[row]) != _key(lines.sources[row]))
    ]  # fmt: skip
    copied = sum(_key(lines.outputs[row]) == _key(lines.sources[row]) for row in rows)
    return Rate(copied, len(rows))


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def off_target(outputs: Sequence[str], target: str, languages: Sequence[str]) -> Rate:
    """The identifier is sure, as the engine is when it warns, of another of `languages`.

    Judged are outputs of twenty letters or more; none if the identifier does not know `target`.
    """
    detector = default_detector()
    known = [code for code in languages if code in detector.languages]
    telling = [text for text in outputs if sum(map(str.isalpha, text)) >= OFF_TARGET_LETTERS]
    if target not in known or not telling:
        return Rate(0, 0)
    found = [candidates[0] for candidates in detector.detect_many(telling, known)]
    wrong = [
        one.language not in (target, UNDETERMINED) and one.confidence > OFF_TARGET_CONFIDENCE
        for one in found
    ]
    return Rate(sum(wrong), len(telling))
