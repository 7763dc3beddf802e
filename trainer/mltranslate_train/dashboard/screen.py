"""The dashboard's screen: one or more runs, followed while they go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from mltranslate.errors import DataError
from mltranslate_train.dashboard import facts
from mltranslate_train.dashboard.charts import Chart, Curve
from mltranslate_train.dashboard.help import HelpScreen
from mltranslate_train.dashboard.samples import METRIC_NAMES, Samples
from mltranslate_train.dashboard.series import Axis, score_curve, train_curve
from mltranslate_train.report.folder import RunFolder
from mltranslate_train.report.wording import count, decimal, short

EVERY = 1.0
"""Seconds between two looks at the files."""

WINDOWS = (1, 10, 50, 200)
"""Records that a smoothed curve reaches back."""

SMALL_ROWS = 30
"""Below this height only two curves are drawn."""

CHARTS = ("loss", "score", "speed", "rate")
VIEWS = ("all", *CHARTS, "samples")

_COLUMNS = {"loss": "loss", "speed": "tokens_per_second", "rate": "learning_rate"}


class RunsScreen(Screen[None]):
    """Curves, facts and samples of the current run; curves of those that were picked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right", "turn(1)", "Run", key_display="tab"),
        Binding("shift+tab,left", "turn(-1)", "Run before", show=False),
        Binding("space", "pick", "Pick"),
        Binding("up", "evaluation(-1)", "Older", key_display="↑↓"),
        Binding("down", "evaluation(1)", "Newer samples", show=False),
        Binding("pageup", "scroll(-1)", "Scroll up", show=False),
        Binding("pagedown", "scroll(1)", "Scroll down", show=False),
        Binding("l", "logarithmic", "Log"),
        Binding("s", "smooth", "Smooth"),
        Binding("x", "axis", "Axis"),
        Binding("m", "metric", "Metric"),
        Binding("v", "view", "View"),
        *(
            Binding(str(place), f"view({place})", f"View {name}", show=False)
            for place, name in enumerate(VIEWS)
        ),
        Binding("escape", "view(0)", "All views", show=False),
        Binding("question_mark,f1", "help", "Help", key_display="?"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, runs: Sequence[RunFolder], *, compare: bool) -> None:
        super().__init__()
        self._runs = list(runs)
        self._current = 0
        self._picked = set(range(len(runs))) if compare else set[int]()
        self._logarithmic = False
        self._window = WINDOWS[0]
        self._axis = Axis.STEP
        self._metric: str | None = None
        self._view = 0

    def compose(self) -> ComposeResult:
        """Facts over curves over samples over keys."""
        with Vertical(id="head"):
            for name in ("strip", "state", "progress", "facts"):
                yield Static(id=name, markup=False)
        with Container(id="charts"):
            for name in CHARTS:
                yield Chart(name)
        yield Samples()
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Draw what there is, and look for more from now on."""
        self.query_one("#strip").display = len(self._runs) > 1
        self._draw()
        self.set_interval(EVERY, self._poll)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for the new size."""
        self.set_class(event.size.height < SMALL_ROWS, "small")
        self._draw_head()

    @property
    def current(self) -> RunFolder:
        """The run whose facts and samples are shown."""
        return self._runs[self._current]

    @property
    def metric(self) -> str:
        """The metric of the score curve: the one chosen by key, or the current run's own."""
        return self._metric or self.current.history.metric

    def _poll(self) -> None:
        changed = more = False
        for run in self._runs:
            try:
                news = run.refresh()
            except DataError as error:
                self.notify(str(error), severity="error", markup=False)
                continue
            changed, more = changed or news[0], more or news[1]
        if changed:
            self._draw()
        else:
            self._draw_head()  # the ages grow
        if more:
            self.call_later(self._poll)

    def _draw(self) -> None:
        self._draw_head()
        for name in CHARTS:
            curves = self._curves(name)
            # A score is read by its distances, and a linear axis shows them.
            logarithmic = self._logarithmic and name != "score"
            self.query_one(f"#{name}", Chart).show(
                self._title(name), curves, logarithmic=logarithmic
            )
        self.query_one(Samples).show(self.current.history, self.metric)

    def _draw_head(self) -> None:
        cells = max(20, self.size.width - 2)
        states = [run.state() for run in self._runs]
        state = states[self._current]
        drawn = self._picked | {self._current}
        self._put("strip", facts.run_strip(self._runs, states, self._current, drawn, cells))
        self._put("state", facts.state_line(self.current, state))
        self._put("progress", facts.progress_line(self.current, state, cells))
        self._put("facts", facts.fact_lines(self.current, cells))

    def _put(self, name: str, text: Content) -> None:
        """Change a line of the head; the screen is laid out again only where that may matter."""
        widget = self.query_one(f"#{name}", Static)
        before = widget.content
        # `==` would compare the letters only, and miss a highlight that moves.
        if not isinstance(before, Content) or not before.is_same(text):
            fits = text.cell_length <= self.size.width - 2 and widget.size.height == 1
            widget.update(text, layout=not fits)

    def _curves(self, name: str) -> list[Curve]:
        curves = []
        for place in sorted(self._picked | {self._current}):
            run, is_current = self._runs[place], place == self._current
            if name == "score":
                curve = score_curve(run, place, self.metric, self._axis, is_current)
            else:
                column = _COLUMNS[name]
                window = 1 if name == "rate" else self._window
                curve = train_curve(run, place, column, self._axis, window, is_current)
            curves.append(curve)
        return curves

    def _title(self, name: str) -> Content:
        history = self.current.history
        last = history.points[-1] if history.points else None
        smoothed = f", over {self._window} records" if self._window > 1 else ""
        if name == "score":
            return self._score_title()
        if name == "loss":
            value = decimal(last.loss, 3) if last else ""
            return _titled("loss", value, f"{smoothed} by {self._axis.value}")
        if name == "speed":
            value = short(last.tokens_per_second) if last else ""
            return _titled("target tokens/s", value, smoothed)
        return _titled("learning rate", f"{last.learning_rate:.2e}" if last else "", "")

    def _score_title(self) -> Content:
        history = self.current.history
        name = f"dev {METRIC_NAMES.get(self.metric, self.metric)}"
        best = history.best(self.metric)
        if best is None:
            return _titled(name, "", "not measured yet")
        value = decimal(history.evaluations[-1].score(self.metric))
        said = f", best {decimal(best.score(self.metric))} at {count(best.step)}"
        return _titled(name, value, said)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys that would do nothing."""
        if action in ("turn", "pick"):
            return len(self._runs) > 1
        if action == "metric":
            return any(len(run.history.metrics) > 1 for run in self._runs)
        return True

    def action_turn(self, by: int) -> None:
        """Make the next or previous run the current one."""
        self._current = (self._current + by) % len(self._runs)
        self.query_one(Samples).follow()
        self._draw()

    def action_pick(self) -> None:
        """Keep drawing the current run when another one becomes current, or no longer."""
        self._picked ^= {self._current}
        self._draw()

    def action_evaluation(self, by: int) -> None:
        """Show an older or a newer evaluation."""
        samples = self.query_one(Samples)
        samples.move(self.current.history, by)
        samples.show(self.current.history, self.metric)

    def action_scroll(self, by: int) -> None:
        """Scroll the samples by a page."""
        samples = self.query_one(Samples)
        samples.scroll_relative(y=by * max(1, samples.size.height - 1), animate=False)

    def action_logarithmic(self) -> None:
        """Change between logarithmic and linear curves."""
        self._logarithmic = not self._logarithmic
        self._draw()

    def action_smooth(self) -> None:
        """Smooth over more records, or over none again."""
        self._window = WINDOWS[(WINDOWS.index(self._window) + 1) % len(WINDOWS)]
        self._draw()

    def action_axis(self) -> None:
        """Change between steps and hours."""
        self._axis = Axis.HOURS if self._axis is Axis.STEP else Axis.STEP
        self._draw()

    def action_metric(self) -> None:
        """Change to the next metric of the run."""
        names = self.current.history.metrics
        place = names.index(self.metric) if self.metric in names else -1
        self._metric = names[(place + 1) % len(names)] if names else None
        self._draw()

    def action_view(self, place: int | None = None) -> None:
        """Show all, or only one of the curves or the samples; without a place, the next view."""
        self._view = (self._view + 1) % len(VIEWS) if place is None else place
        name = VIEWS[self._view]
        self.set_class(name in CHARTS, "one")
        self.set_class(name == "samples", "only-samples")
        for chart in self.query(Chart):
            chart.set_class(chart.id == name, "chosen")

    def action_help(self) -> None:
        """Open the help."""
        self.app.push_screen(HelpScreen())


def _titled(name: str, value: str, rest: str) -> Content:
    return Content.assemble((name, "bold"), f" {value}", (rest, "$foreground-muted"))
