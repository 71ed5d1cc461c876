"""A tall sheet of charts: matplotlib without its global state, measured in inches from the upper left corner."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 16.0
MARGIN = 0.5
INK, FAINT, BAR, WARNING, ALARM = "#333333", "#8a8a8a", "#3b6ea5", "#c7711f", "#b8322a"
_DOTS = 120


class Sheet:
    """A sheet that is filled from top to bottom.

    Attributes:
        height: In inches.
        top: Where the next thing goes, in inches from the top.
    """

    def __init__(self, height: float) -> None:
        from matplotlib.figure import Figure  # noqa: PLC0415 - a third of a second that only pictures should pay

        self.height, self.top = height, 0.25
        self._figure = Figure(figsize=(WIDTH, height), dpi=_DOTS, facecolor="white")

    def axes(self, left: float, width: float, height: float, *, below: float = 0.0) -> Axes:
        """Axes whose frame begins `below` the top, without the spines that say nothing."""
        bottom = self.height - self.top - below - height
        place = (left / WIDTH, bottom / self.height, width / WIDTH, height / self.height)
        axes: Axes = self._figure.add_axes(place)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.tick_params(labelsize=7, colors=INK, length=2)
        return axes

    def write(
        self, words: str, *, size: float = 8, left: float = MARGIN, bold: bool = False, colour: str = INK
    ) -> None:
        """A line of text at the top, which moves down behind it."""
        place = (left / WIDTH, 1.0 - self.top / self.height)
        weight = "bold" if bold else "normal"
        self._figure.text(*place, plain(words), size=size, weight=weight, color=colour, va="top", parse_math=False)
        self.top += size / 72 * 1.45

    def png(self) -> bytes:
        """The sheet as a PNG file."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - see above

        content = io.BytesIO()
        # No software and no date in it: the same statistics give the same file.
        FigureCanvasAgg(self._figure).print_png(content, metadata={"Software": None})
        return content.getvalue()


def plain(words: str) -> str:
    """Text whose letters the font has."""
    return "".join(letter if letter.isprintable() and ord(letter) < 0x2300 else "?" for letter in words)


def shorten(words: str, most: int) -> str:
    """At most so many letters, the beginning and the end of the words."""
    return words if len(words) <= most else f"{words[: most // 2]}…{words[len(words) - most + most // 2 + 1 :]}"


def title(axes: Axes, words: str) -> None:
    """A title above axes, flush left."""
    axes.set_title(plain(words), loc="left", size=8, color=INK, pad=3, parse_math=False)


def bars(axes: Axes, edges: NDArray[np.float64], counts: NDArray[Any], colour: str = BAR) -> None:
    """A histogram without gaps, over the part of its scale that has something in it and a bin more on either side."""
    axes.stairs(counts, edges, fill=True, color=colour)
    filled = np.flatnonzero(counts)
    if len(filled):
        first, last = max(int(filled[0]) - 1, 0), min(int(filled[-1]) + 2, len(edges) - 1)
        axes.set_xlim(edges[first], edges[last])
    axes.set_ylim(bottom=0)
