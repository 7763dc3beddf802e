"""One curve plot with a line of text above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Static
from textual_hires_canvas import Canvas
from textual_plot import HiResMode, PlotWidget

from mltranslate_train.dashboard.ticks import Ticks
from mltranslate_train.report.curves import Floats, decimate, finite

COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#f0e442", "#999999")
"""Colours of the runs, told apart by the colour-blind too (after Okabe and Ito 2008)."""

MARKS = "•×+o*#%@"
"""Marks of the runs where there is no colour."""

_X_CELLS, _Y_ROWS = 8, 3
"""A mark for every so many columns, and two for every so many rows."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot."""

    x: Floats
    y: Floats
    run: int
    """Place of its run, which decides its colour and mark."""
    is_current: bool = True


class _Canvas(Canvas):
    """Gives every line a style; Textual's filter for NO_COLOR fails on a line without one."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        return strip if strip.cell_length else Strip.blank(self.size.width, self.rich_style)


class _Plot(PlotWidget, can_focus=False):
    """Not focusable: the arrow keys belong to the dashboard."""

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            yield _Canvas(1, 1, id=widget.id) if isinstance(widget, Canvas) else widget


class Chart(Vertical):
    """A plot of braille dots below its title."""

    def __init__(self, identifier: str) -> None:
        super().__init__(id=identifier, classes="chart")
        self._x_ticks, self._y_ticks = Ticks(), Ticks()
        self._curves: Sequence[Curve] = ()

    def compose(self) -> ComposeResult:
        """Put the title over the plot."""
        yield Static(classes="title", markup=False)
        yield _Plot(allow_pan_and_zoom=False)

    def on_mount(self) -> None:
        """Give the whole space to the curves."""
        plot = self.query_one(_Plot)
        plot.margin_top, plot.margin_bottom, plot.margin_left = 0, 1, 8
        plot.set_x_formatter(self._x_ticks)
        plot.set_y_formatter(self._y_ticks)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the marks and points anew for the new size."""
        self._draw()

    def show(self, title: Content, curves: Sequence[Curve], *, logarithmic: bool) -> None:
        """Replace title and curves; the current run's comes on top."""
        self.query_one(".title", Static).update(title)
        self._y_ticks.logarithmic = logarithmic
        self._curves = sorted(curves, key=lambda curve: curve.is_current)
        self._draw()

    def _draw(self) -> None:
        plot = self.query_one(_Plot)
        columns = max(1, plot.size.width - plot.margin_left - 2)
        self._x_ticks.most = max(1, columns // _X_CELLS)
        self._y_ticks.most = max(2, 2 * (plot.size.height - 3) // _Y_ROWS)
        plot.clear()
        drawn = [
            (curve, *self._points(curve, 2 * columns)) for curve in self._curves
        ]  # two dots a cell
        plot.set_xlimits(*_ends([x for _, x, _ in drawn if len(x)], room=0.0))
        plot.set_ylimits(*_ends([y for _, _, y in drawn if len(y)], room=0.05))
        for curve, x, y in drawn:
            self._add(plot, curve, x, y, columns)

    def _points(self, curve: Curve, columns: int) -> tuple[Floats, Floats]:
        logarithmic = self._y_ticks.logarithmic
        x, y = finite(curve.x, curve.y, positive=logarithmic)
        return decimate(x, np.log10(y) if logarithmic else y, columns)

    def _add(self, plot: PlotWidget, curve: Curve, x: Floats, y: Floats, columns: int) -> None:
        colour, mark = COLOURS[curve.run % len(COLOURS)], MARKS[curve.run % len(MARKS)]
        if self.app.no_color and not curve.is_current:
            x, y = decimate(x, y, max(1, columns // 8))
            plot.scatter(x, y, marker=mark, marker_style=colour)
        elif len(x) == 1:
            plot.scatter(x, y, marker="•", marker_style=colour)
        else:
            plot.plot(x, y, line_style=colour, hires_mode=HiResMode.BRAILLE)


def _ends(values: Sequence[Floats], room: float) -> tuple[float, float]:
    """Ends of an axis, with a share of it left free on both sides; some where all are equal."""
    if not values:
        return 0.0, 1.0
    low, high = min(part.min() for part in values), max(part.max() for part in values)
    free = room * (high - low) if high > low else 0.05 * abs(high) or 1.0
    return float(low - free), float(high + free)
