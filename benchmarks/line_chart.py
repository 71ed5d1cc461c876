"""Lines over a logarithmic axis, in panels side by side, as a PNG file: the figures of starts.py and sampling.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from wav2patch.files import atomic_path

COLOURS = ("#3b6ea5", "#c7711f", "#4c8c4a", "#b8322a", "#7b5aa6", "#8a8a8a", "#2b9c9c", "#a0517f", "#8c7a2b", "#333333")
HEIGHT, PANEL, LEAST, APART = 4.2, 4.6, 7.0, 1.05


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: In the legend.
        x: Where, above 0.
        y: How much.
        dashed: Whether it is a line for comparison.
        marks: Points on top of the line: places, values, and lower and upper ends of their intervals.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    dashed: bool = False
    marks: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike] | None = None


def draw(path: Path, panels: Mapping[str, Sequence[Line]], across: str, up: str, ticks: Mapping[float, str]) -> None:
    """Write a chart with one panel for each title, which share their axes."""
    figure = Figure(figsize=(max(PANEL * len(panels), LEAST), HEIGHT), dpi=120, facecolor="white", layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)
    for axes, (title, lines) in zip(grid[0], panels.items(), strict=True):
        _draw_panel(axes, lines)
        axes.set_title(title, size=9, loc="left", parse_math=False)
        axes.set_xscale("log")
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.minorticks_off()
        axes.set_xlabel(across, size=8)
    grid[0][0].set_ylabel(up, size=8)
    grid[0][0].legend(frameon=False, fontsize=7)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})


def _draw_panel(axes: Axes, lines: Sequence[Line]) -> None:
    for place, line in enumerate(lines):
        colour = COLOURS[place % len(COLOURS)]
        style = "--" if line.dashed else "-"
        axes.plot(np.asarray(line.x), np.asarray(line.y), style, color=colour, linewidth=1.4, label=line.name)
        if line.marks is not None:
            x, y, low, high = map(np.asarray, line.marks)
            # Side by side, or the intervals would hide each other.
            beside = x * APART ** (place - (len(lines) - 1) / 2)
            axes.errorbar(beside, y, [y - low, high - y], fmt="o", color=colour, markersize=4, linewidth=0.8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=7, length=2)
