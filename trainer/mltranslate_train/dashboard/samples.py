"""Sample translations of one evaluation."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from mltranslate_train.report.history import Evaluation, History, Sample
from mltranslate_train.report.wording import count, decimal

METRIC_NAMES = {"chrf": "chrF", "bleu": "BLEU"}


class Samples(VerticalScroll, can_focus=False):
    """Source, output and reference; the newest evaluation, or an older one that was chosen."""

    def __init__(self) -> None:
        super().__init__(id="samples")
        self._step: int | None = None
        """Step of the evaluation that was chosen; None follows the newest."""

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield Static(markup=False)

    def move(self, history: History, by: int) -> None:
        """Go `by` evaluations towards the newer; beyond the newest one follows again."""
        last = len(history.evaluations) - 1
        place = min(last, max(0, self._place(history) + by))
        self._step = None if place >= last else history.evaluations[place].step
        self.scroll_home(animate=False)

    def follow(self) -> None:
        """Show the newest evaluation, now and when a newer one comes."""
        self._step = None

    def _place(self, history: History) -> int:
        """Index of the evaluation to show; that of the step, or the one before where it is gone."""
        last = len(history.evaluations) - 1
        if self._step is None:
            return last
        wanted = self._step
        return max((i for i, e in enumerate(history.evaluations) if e.step <= wanted), default=last)

    def show(self, history: History, metric: str) -> None:
        """Draw the evaluation that is due."""
        text = self.query_one(Static)
        if not history.evaluations:
            self.border_title = "samples"
            text.update("no evaluation yet")
            return
        place = self._place(history)
        evaluation = history.evaluations[place]
        self.border_title = f"evaluation {place + 1} of {len(history.evaluations)}, step "
        self.border_title += count(evaluation.step)
        text.update(_table(evaluation, metric))


def _table(evaluation: Evaluation, metric: str) -> Group:
    parts: list[RenderableType] = [_scores(evaluation, metric)]
    if not evaluation.samples:
        parts.append(Text("no samples were kept (evaluate.samples)", "dim"))
    for sample in evaluation.samples:
        parts += [Text(f"{sample.dataset} {sample.direction}", "cyan"), _sample(sample)]
    return Group(*parts)


def _scores(evaluation: Evaluation, metric: str) -> Text:
    found = evaluation.scores.get(metric, {})
    mean = f"{METRIC_NAMES.get(metric, metric)} {decimal(evaluation.score(metric))}  "
    parts = " · ".join(f"{name} {decimal(value, 1)}" for name, value in found.items())
    return Text.assemble((mean, "bold"), parts)


def _sample(sample: Sample) -> Table:
    """Labels beside texts, which wrap under themselves."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for label in ("source", "output", "reference"):
        text = Text(printable(getattr(sample, label)), "bold" if label == "output" else "")
        table.add_row(Text(label, "dim"), text)
    return table


def printable(text: str) -> str:
    """The text with a mark in place of every character that moves the cursor or is none."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
