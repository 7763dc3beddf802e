"""Curves as PNG, by matplotlib without a window."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from mltranslate_train.report.curves import Floats, decimate, finite, smooth
from mltranslate_train.report.wording import short

SIZE = (7.0, 3.6)
"""Inches."""
DPI = 120
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
"""Told apart by the colour-blind too (after Okabe and Ito 2008)."""
_DASHES = ("-", "--", "-.", ":")
_COLUMNS = 1200

# It tells about its font cache, which no reader of a training log asked for.
logging.getLogger("matplotlib").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Line:
    """One curve with its name in the legend."""

    name: str
    x: Floats
    y: Floats


def draw_curves(
    path: Path, lines: Sequence[Line], *, x: str, y: str, window: int = 1, marked: bool = False
) -> None:
    """Curves over a common axis.

    With a `window` above 1 the mean over that many points is drawn, and a single curve's own
    points behind it. `marked` shows each point, for curves that have few.
    """
    figure, axes = _begin(x, y)
    for place, line in enumerate(lines):
        across, up = finite(line.x, line.y)
        colour = COLOURS[place % len(COLOURS)]
        dash = _DASHES[place // len(COLOURS) % len(_DASHES)]
        if window > 1 and len(lines) == 1:
            axes.plot(*decimate(across, up, _COLUMNS), color=colour, alpha=0.25, linewidth=0.8)
        axes.plot(
            *decimate(across, smooth(up, window), _COLUMNS), dash, color=colour, label=line.name,
            linewidth=1.4, marker="o" if marked else "", markersize=3,
        )  # fmt: skip
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    _finish(figure, axes, path, len(lines))


def draw_lengths(
    path: Path, names: Sequence[str], lines: Sequence[Line], *, x: str, y: str
) -> None:
    """Curves over named groups; each x is the place of its group in `names`."""
    figure, axes = _begin(x, y)
    for place, line in enumerate(lines):
        axes.plot(
            line.x, line.y, color=COLOURS[place % len(COLOURS)], label=line.name, marker="o",
            linestyle=_DASHES[place // len(COLOURS) % len(_DASHES)],
        )  # fmt: skip
    axes.set_xticks(np.arange(len(names)), list(names))
    _finish(figure, axes, path, len(lines))


def _begin(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _finish(figure: Figure, axes: Axes, path: Path, lines: int) -> None:
    if lines > 1:
        axes.legend(frameon=False, fontsize="small")
    # Without metadata equal curves give equal files, whatever the version.
    figure.savefig(path, metadata={"Software": None})
