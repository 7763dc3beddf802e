"""What stands above the curves: state, progress and facts of the current run."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from mltranslate_train.dashboard.charts import COLOURS, MARKS
from mltranslate_train.report.folder import RunFolder, unique_names
from mltranslate_train.report.state import Phase, State
from mltranslate_train.report.wording import count, duration, short

_SIGNS = {
    Phase.WAITING: ("…", "$foreground-muted"),
    Phase.RUNNING: ("▶", "$success"),
    Phase.SILENT: ("?", "$warning"),
    Phase.STOPPED: ("■", "$warning"),
    Phase.STOPPED_EARLY: ("■", "$success"),
    Phase.FINISHED: ("✓", "$success"),
    Phase.AVERAGED: ("✓", "$success"),
}


def state_line(run: RunFolder, state: State) -> Content:
    """Name, phase, and how the phase is known."""
    sign, colour = _SIGNS[state.phase]
    return Content.assemble(
        (run.name, "bold"),
        "  ",
        (f"{sign} {state.phase.value}", f"bold {colour}"),
        (f"  {state.because}", "$foreground-muted"),
    )


def progress_line(run: RunFolder, state: State, cells: int) -> Content:
    """A bar, the step, and the time that is left."""
    step, last = run.history.step, run.max_steps
    if not last:
        return Content(f"step {count(step)}")
    text = f" {100 * min(1.0, step / last):3.0f} %  step {count(step)} of {count(last)}"
    if (left := run.seconds_left()) is not None and not state.ended:
        text += f"  {duration(left)} left"
    width = max(4, cells - len(text))
    full = min(width, int(width * step / last))
    return Content.assemble(("━" * full, "$success"), ("─" * (width - full), "$surface-lighten-2"),
                            text)  # fmt: skip


def fact_lines(run: RunFolder, cells: int) -> Content:
    """Time, speed, learning rate, machine and size; only what the run told."""
    lines = [""]
    for fact in _facts(run):
        longer = f"{lines[-1]} · {fact}" if lines[-1] else fact
        if len(longer) <= cells:
            lines[-1] = longer
        else:
            lines.append(fact)
    return Content("\n".join(lines))


def _facts(run: RunFolder) -> list[str]:
    history = run.history
    facts = [f"{duration(history.elapsed)} at work"]
    if history.points:
        last = history.points[-1]
        facts += [
            f"{short(last.tokens_per_second)} tok/s",
            f"lr {last.learning_rate:.2e}",
            f"{short(last.target_tokens)} tokens",
        ]
    device = [str(fact) for name in ("device", "precision") if (fact := history.fact(name))]
    facts += [" ".join(device)] if device else []
    facts += _counted(run)
    if run.damaged:
        facts.append(f"unreadable lines: {run.damaged}")
    return facts


def _counted(run: RunFolder) -> list[str]:
    facts = []
    for name, form in (("threads", "thread"), ("processes", "process")):
        number = run.history.fact(name)
        if isinstance(number, int) and (number > 1 or name == "threads"):
            plural = "" if number == 1 else "es" if form.endswith("ss") else "s"
            facts.append(f"{number} {form}{plural}")
    if isinstance(parameters := run.history.fact("parameters"), int | float):
        facts.append(f"{short(parameters)} parameters")
    return facts


def run_strip(
    runs: Sequence[RunFolder], states: Sequence[State], current: int, picked: set[int], cells: int
) -> Content:
    """All runs on one line, as a legend; begins late enough that the current one is seen."""
    parts = [
        _in_strip(place, name, state, place == current, place in picked)
        for place, (name, state) in enumerate(zip(unique_names(runs), states, strict=True))
    ]
    first = current
    room = cells - parts[current].cell_length
    while first and parts[first - 1].cell_length + 1 <= room:
        first -= 1
        room -= parts[first].cell_length + 1
    return Content(" ").join(parts[first:])


def _in_strip(place: int, name: str, state: State, is_current: bool, is_picked: bool) -> Content:
    mark = MARKS[place % len(MARKS)] if is_picked else "○"
    colour = COLOURS[place % len(COLOURS)]
    shown = (f" {name} ", "bold reverse" if is_current else "")
    return Content.assemble((f"{mark}", f"bold {colour}"), shown, _SIGNS[state.phase])
