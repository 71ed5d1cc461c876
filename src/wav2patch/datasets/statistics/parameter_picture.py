"""Histograms of all parameters of a data set, hundreds side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.statistics.measure import Statistics
from wav2patch.datasets.statistics.parameter_axes import ParameterAxis
from wav2patch.datasets.statistics.sheet import ALARM, BAR, FAINT, INK, MARGIN, WARNING, WIDTH, Sheet, plain, shorten
from wav2patch.datasets.statistics.words import CROWDED, never_varies

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 10
_CELL = 0.66
_COLOURS = {"continuous": BAR, "discrete": "#2a8c82", "categorical": "#7a5ca8"}
_NAMED = 40
_LETTERS, _CHOICE_LETTERS = 25, 16


@dataclass(frozen=True, eq=False)
class Cell:
    """The histogram of one parameter.

    Attributes:
        axis: The parameter.
        counts: Its histogram.
        constant: Whether it is the same in every row.
        least: Its least value, in the synth's units.
    """

    axis: ParameterAxis
    counts: NDArray[np.int64]
    constant: bool
    least: float

    @property
    def crowd(self) -> float:
        """Share of the rows in the fullest bin."""
        return float(self.counts.max() / self.counts.sum())

    @property
    def colour(self) -> str:
        """By kind, or as a warning."""
        if self.constant:
            return ALARM
        return WARNING if self.crowd >= CROWDED else _COLOURS[self.axis.kind]

    @property
    def note(self) -> str:
        """What cannot be read off the picture."""
        most = shorten(self.axis.label(int(self.counts.argmax())), _CHOICE_LETTERS)
        if self.constant:
            return f"always {most if self.axis.by_step else f'{self.least:.4g}'}"
        if self.axis.kind == "categorical" or self.crowd >= CROWDED:
            return f"{most} {_percent(self.crowd)}"
        return ""


def cells_of(found: Statistics) -> list[Cell]:
    """Of all parameters, in their order."""
    moments = found.summary.moments["parameters"]
    return [
        Cell(axis, counts, never_varies(axis, moments), axis.value(float(moments.low[axis.columns.start])))
        for axis, counts in found.parameters
    ]


def parameters_height(cells: Sequence[Cell]) -> float:
    """Inches that `draw_parameters` takes."""
    return 1.45 + -(-len(cells) // _COLUMNS) * _CELL


def draw_parameters(sheet: Sheet, cells: Sequence[Cell]) -> None:
    """Small multiples in the order of the parameters, each as high as its own fullest bin."""
    kinds = {kind: sum(cell.axis.kind == kind for cell in cells) for kind in _COLOURS}
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    sheet.write(f"{len(cells)} parameters", size=11, bold=True)
    sheet.write(
        f"{told}. Heights are square roots, so that rare values can be seen; the grey line is where all bins would be, "
        "were they equally full.",
        colour=FAINT,
    )
    constant = [cell.axis.name for cell in cells if cell.constant]
    crowded = [cell.axis.name for cell in cells if not cell.constant and cell.crowd >= CROWDED]
    sheet.write(_listed("never vary", constant), colour=ALARM if constant else FAINT)
    sheet.write(_listed(f"hardly vary ({CROWDED:.0%} of the rows or more in one bin)", crowded),
                colour=WARNING if crowded else FAINT)  # fmt: skip
    rows = -(-len(cells) // _COLUMNS)
    axes = sheet.axes(MARGIN, WIDTH - 2 * MARGIN, rows * _CELL, below=0.1)
    axes.set_xlim(0, _COLUMNS)
    axes.set_ylim(rows, 0)
    axes.axis("off")
    _draw_shapes(axes, cells)
    for i, cell in enumerate(cells):
        _write_cell(axes, cell, i % _COLUMNS, i // _COLUMNS)
    sheet.top += 0.2 + rows * _CELL


# Within a cell: histograms stand on its floor, and the name is above them.
_LEFT, _RIGHT, _ROOF, _FLOOR = 0.03, 0.93, 0.3, 0.8


def _draw_shapes(axes: Axes, cells: Sequence[Cell]) -> None:
    from matplotlib.collections import LineCollection, PolyCollection  # noqa: PLC0415 - see sheet.py

    # One collection for all: an Axes for each of hundreds of parameters would take many seconds.
    outlines, colours, rules, floors = [], [], [], []
    for i, cell in enumerate(cells):
        column, row = i % _COLUMNS, i // _COLUMNS
        for outline in _outlines(cell):
            outlines.append(outline + np.array([column, row]))
            colours.append(cell.colour)
        floors.append([(column + _LEFT, row + _FLOOR), (column + _RIGHT, row + _FLOOR)])
        height = _FLOOR - (_FLOOR - _ROOF) * np.sqrt(cell.counts.mean() / cell.counts.max())
        rules.append([(column + _LEFT, row + height), (column + _RIGHT, row + height)])
    axes.add_collection(PolyCollection(outlines, facecolors=colours, linewidths=0))
    axes.add_collection(LineCollection(floors, colors=FAINT, linewidths=0.6))
    axes.add_collection(LineCollection(rules, colors="#b0b0b0", linewidths=0.5))


def _outlines(cell: Cell) -> list[NDArray[np.float64]]:
    """Polygons within a cell: a staircase, or a bar for each choice."""
    heights = _FLOOR - (_FLOOR - _ROOF) * np.sqrt(cell.counts / cell.counts.max())
    edges = np.linspace(_LEFT, _RIGHT, len(heights) + 1)
    if cell.axis.by_step and len(heights) <= _NAMED:
        gap = 0.12 * (edges[1] - edges[0])
        return [
            np.array([(left + gap, _FLOOR), (left + gap, y), (right - gap, y), (right - gap, _FLOOR)])
            for left, right, y in zip(edges, edges[1:], heights, strict=False)
            if y < _FLOOR
        ]
    stairs = np.column_stack([np.repeat(edges, 2)[1:-1], np.repeat(heights, 2)])
    return [np.vstack([(edges[0], _FLOOR), stairs, (edges[-1], _FLOOR)])]


def _write_cell(axes: Axes, cell: Cell, column: int, row: int) -> None:

    flagged = cell.colour in (ALARM, WARNING)
    name = plain(shorten(cell.axis.name, _LETTERS))
    axes.text(column + _LEFT, row + 0.24, name, size=6.5, color=cell.colour if flagged else INK, parse_math=False,
              weight="bold" if flagged else "normal")  # fmt: skip
    below = {"size": 5.8, "color": cell.colour if flagged else FAINT, "va": "top", "parse_math": False}
    axis, y = cell.axis, row + _FLOOR + 0.03
    if cell.note:
        axes.text(column + _LEFT, y, plain(cell.note), ha="left", **below)
        axes.text(column + _RIGHT, y, f"of {len(axis.choices)}" if axis.choices else "", ha="right", **below)
    else:
        unit = f" {axis.unit}" if axis.unit else ""
        axes.text(column + _LEFT, y, f"{axis.low:g}", ha="left", **below)
        axes.text(column + _RIGHT, y, plain(f"{axis.high:g}{unit}"), ha="right", **below)


def _percent(share: float) -> str:
    # What is not all of them must not read as if it were.
    return f"{share:.1%}" if 0.995 <= share < 1 else f"{share:.0%}"


def _listed(what: str, names: Sequence[str]) -> str:
    if not names:
        return f"{what}: none"
    shown, room = [], 190 - len(what)
    for name in names:
        room -= len(name) + 2
        if room < 0:
            break
        shown.append(name)
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    return f"{what} ({len(names)}): {', '.join(shown)}{more}"
