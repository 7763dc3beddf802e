"""Everything that `evaluate` measures of a system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mltranslate.errors import UsageError
from mltranslate_train.evaluate import faults, hallucination, robustness
from mltranslate_train.evaluate.breakdown import by_length
from mltranslate_train.evaluate.faults import Lines, Rate
from mltranslate_train.evaluate.hypotheses import write_outputs
from mltranslate_train.evaluate.metrics import Score, bleu, chrf, ter
from mltranslate_train.evaluate.sets import (
    PLAIN,
    Direction,
    TestSet,
    TextForm,
    choose_directions,
)
from mltranslate_train.evaluate.systems import (
    Advance,
    ProgressCallback,
    System,
    SystemInfo,
    Translating,
    count,
    silent,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Scores of one direction on one set, or on the part of it with sources of some length."""

    dataset: str
    direction: str
    chrf: Score
    bleu: Score
    ter: Score
    words: str = ""
    """Range of source words; empty for the whole set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """chrF2++ of the same lines without and with a disturbance."""

    dataset: str
    direction: str
    disturbance: str
    clean: Score
    disturbed: Score
    kept: Rate | None
    """How often what was inserted came through unchanged; None if nothing was inserted."""

    @property
    def lost(self) -> float:
        """Points that the disturbance costs."""
        return self.clean.value - self.disturbed.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How often one kind of fault occurs."""

    dataset: str
    direction: str
    text: str
    """"lines" of the set, or one "word" out of each."""
    fault: str
    rate: Rate
    on_references: Rate | None
    """The same judge over the references: its false alarms; None where they say nothing."""


@dataclass(slots=True)
class Evaluation:
    """A system and what was measured of it."""

    system: SystemInfo
    form: TextForm
    results: list[Result] = field(default_factory=list)
    lengths: list[Result] = field(default_factory=list)
    robustness: list[Drop] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Everything as plain JSON values.

        Results carry theirs by length, rates their percent and interval.
        """
        plain = asdict(self)
        plain["beam"] = self.system.beam
        lengths = plain.pop("lengths")
        for result in plain["results"]:
            del result["words"]
            where = result["dataset"], result["direction"]
            result["by_length"] = [
                part for part in lengths if (part["dataset"], part["direction"]) == where
            ]
        for entry in plain["faults"]:
            entry["rate"] = _rate_record(entry["rate"])
            entry["on_references"] = _rate_record(entry["on_references"])
        for entry in plain["robustness"]:
            entry["kept"] = _rate_record(entry["kept"])
        return plain


def _rate_record(plain: dict[str, int] | None) -> dict[str, Any] | None:
    """Percent and interval beside the counts; null where nothing was judged."""
    if plain is None:
        return None
    rate = Rate(**plain)
    if not rate.judged:
        return {**plain, "percent": None, "interval": None}
    return {**plain, "percent": rate.percent, "interval": list(rate.interval)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure."""

    sets: Sequence[TestSet]
    wanted: Sequence[Direction] = ()
    form: TextForm = PLAIN
    robustness: bool = False
    faults: bool = False
    outputs: Path | None = None
    """Folder for the translations of the sets, as they are scored."""


def evaluate(system: System, plan: Plan, progress: ProgressCallback = silent) -> Evaluation:
    """Measure a system by the plan.

    Raises:
        UsageError: the plan asks for translations of other text than the files hold, or of
            disturbed pieces.
        DataError: a set is missing or not parallel.
    """
    _check(system, plan)
    work = [
        (dev, direction, *dev.read(direction))
        for dev in plan.sets
        for direction in choose_directions(dev, system.directions, plan.wanted)
    ]
    total = sum(_sentences(plan, direction, sources) for _, direction, sources, _ in work)
    advance = count(progress, total)
    found = Evaluation(system.info, plan.form)
    for dev, direction, sources, references in work:
        made = system.outputs(dev, direction, sources, advance)
        sources, references, made = map(plan.form.joined, (sources, references, made))
        if plan.outputs is not None:
            write_outputs(plan.outputs, (dev.name, direction), made)
        _Direction(system, plan, dev, direction, advance, sources, references, made).measure(found)
    return found


def _sentences(plan: Plan, direction: Direction, sources: Sequence[str]) -> int:
    """How many sentences will be translated for one direction of a set."""
    total = len(sources)
    if plan.robustness:
        kinds = robustness.KINDS
        total += sum(len(robustness.disturb(kind, sources, direction[0]).rows) for kind in kinds)
    if plan.faults:
        total += len(sources) + len(robustness.single_words(sources, direction[0]))
    return total


def _check(system: System, plan: Plan) -> None:
    more = plan.robustness or plan.faults
    if more and not isinstance(system, Translating):
        raise UsageError(
            "files of translations cannot translate disturbed text",
            fix="Give the run or the pack, or leave --robustness and --faults out",
        )
    if more and plan.form != PLAIN:
        raise UsageError(
            "--robustness and --faults take plain text",
            why="disturbed text cannot be cut into the same tokens and pieces again",
        )


@dataclass(slots=True)
class _Direction:
    """One direction of one set on its way through all measurements."""

    system: System
    plan: Plan
    dev: TestSet
    direction: Direction
    advance: Advance
    sources: list[str]
    references: list[str]
    outputs: list[str]

    def measure(self, found: Evaluation) -> None:
        """Add everything that the plan asks for."""
        found.results.append(self._scores(range(len(self.outputs))))
        for bucket in by_length(self.sources, self.direction[0]):
            found.lengths.append(self._scores(bucket.rows, bucket.name))
        if isinstance(self.system, Translating):
            if self.plan.robustness:
                found.robustness.extend(self._drops(self.system))
            if self.plan.faults:
                found.faults.extend(self._faults(self.system))

    @property
    def _name(self) -> dict[str, str]:
        return {"dataset": self.dev.name, "direction": "-".join(self.direction)}

    def _scores(self, rows: Sequence[int], words: str = "") -> Result:
        outputs = [self.outputs[row] for row in rows]
        references = [self.references[row] for row in rows]
        target, tokenized = self.direction[1], self.plan.form.tokenized
        return Result(
            **self._name,
            words=words,
            chrf=chrf(outputs, references),
            bleu=bleu(outputs, references, target, tokenized=tokenized),
            ter=ter(outputs, references, target, tokenized=tokenized),
        )

    def _drops(self, system: Translating) -> Iterator[Drop]:
        for name, kind in robustness.KINDS.items():
            disturbed = robustness.disturb(name, self.sources, self.direction[0])
            if not disturbed.rows:
                continue
            made = system.translate(disturbed.sources, self.direction, self.advance)
            pairs = list(zip(made, disturbed.inserted, strict=True))
            made = [robustness.without(text, extra) for text, extra in pairs]
            kept = [extra in text for text, extra in pairs if extra]
            shape = robustness.without_stop if kind.ignore_stop else str
            score = _scorer(shape, [self.references[row] for row in disturbed.rows], kind)
            yield Drop(
                **self._name,
                disturbance=name,
                clean=score([self.outputs[row] for row in disturbed.rows]),
                disturbed=score(made),
                kept=Rate(sum(kept), len(kept)) if kept else None,
            )

    def _faults(self, system: Translating) -> Iterator[Fault]:
        languages = sorted({code for pair in system.directions for code in pair})
        lines = _lines(system, self.sources, self.outputs)
        truth = _lines(system, self.sources, self.references)
        for name, judge in _GUARDS.items():
            yield self._fault(name, judge(lines), judge(truth))
        yield self._fault("copy", faults.copy(lines, self.references))
        target = self.direction[1]
        made_here = faults.off_target(self.outputs, target, languages)
        alarms = faults.off_target(self.references, target, languages)
        yield self._fault("off target", made_here, alarms)
        yield self._fault("detached", hallucination.detached(self.outputs, self.references))
        shaken = hallucination.perturbed(self.sources, self.direction[0])
        made = system.translate(shaken, self.direction, self.advance)
        rate = hallucination.under_perturbation(self.outputs, made, self.references)
        yield self._fault("hallucination", rate)
        yield from self._word_faults(system)

    def _word_faults(self, system: Translating) -> Iterator[Fault]:
        words = robustness.single_words(self.sources, self.direction[0])
        if not words:
            return
        made = system.translate(words, self.direction, self.advance)
        lines = _lines(system, words, made)
        for name, judge in _GUARDS.items():
            yield self._fault(name, judge(lines), text="word")
        yield self._fault("copy", faults.copy(lines, None), text="word")

    def _fault(
        self, name: str, rate: Rate, on_references: Rate | None = None, text: str = "lines"
    ) -> Fault:
        return Fault(**self._name, text=text, fault=name, rate=rate, on_references=on_references)


_GUARDS: dict[str, Callable[[Lines], Rate]] = {
    "empty": faults.empty,
    "loop": faults.loop,
    "too long": faults.too_long,
    "too short": faults.too_short,
}


def _lines(system: Translating, sources: Sequence[str], outputs: Sequence[str]) -> Lines:
    return Lines(sources, outputs, system.pieces(sources), system.pieces(outputs))


def _scorer(
    shape: Callable[[str], str], references: Sequence[str], kind: robustness.Kind
) -> Callable[[Sequence[str]], Score]:
    """chrF2++ against the same references, all in the shape that suits the disturbance."""
    shaped = list(map(shape, references))
    return lambda outputs: chrf(list(map(shape, outputs)), shaped, lowercase=kind.ignore_case)
