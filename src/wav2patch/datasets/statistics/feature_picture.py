"""Means and standard deviations of the features of a data set, bin by bin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.statistics.moments import Moments
from wav2patch.datasets.statistics.sheet import ALARM, BAR, FAINT, MARGIN, WIDTH, Sheet, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT = 2.2
_ROOM = 0.65
_COLOURS = "magma"


def feature_height(found: Moments) -> float:
    """Inches that `draw_feature` takes."""
    return 0.39 + len(_pictures(found.mean)) * (_HEIGHT + _ROOM)


def draw_feature(sheet: Sheet, name: str, found: Moments, length: float) -> None:
    """A line of charts for each channel: mean and deviation of every bin, and both by band.

    Args:
        sheet: Where.
        name: Of the feature.
        found: Of its bins.
        length: Seconds of a clip.
    """
    constant = int(found.constant.sum())
    shape = " × ".join(map(str, found.mean.shape))
    sheet.write(f"{name}  ({shape})", size=11, bold=True)
    told = f"{constant} of {found.constant.size} bins never vary: they become 0 when standardised"
    sheet.write(told if constant else "every bin varies", colour=ALARM if constant else FAINT)
    means, deviations = _pictures(found.mean), _pictures(found.std)
    lows, highs, same = _pictures(found.low), _pictures(found.high), _pictures(found.constant)
    for i in range(len(means)):
        which = f", channel {i + 1}" if len(means) > 1 else ""
        if means[i].shape[0] > 1:
            _image(sheet, MARGIN + 0.2, means[i], f"mean{which}", length)
            _image(sheet, MARGIN + 5.6, deviations[i], f"standard deviation{which}", length, marked=same[i])
        _by_band(sheet, means[i], deviations[i], lows[i], highs[i])
        sheet.top += _HEIGHT + _ROOM


def _pictures(values: NDArray[Any]) -> NDArray[Any]:
    """``(pictures, bands, frames)`` of values of any shape; what has no bands is one long band."""
    if values.ndim == 2:
        return values[None]
    return values.reshape(-1, *values.shape[-2:]) if values.ndim > 2 else values.reshape(1, 1, -1)


def _image(
    sheet: Sheet, left: float, values: NDArray[Any], words: str, length: float,
    marked: NDArray[Any] | None = None,
) -> None:  # fmt: skip
    axes = sheet.axes(left, 4.4, _HEIGHT, below=0.2)
    extent = (0.0, length, 0.0, float(len(values)))
    picture = axes.imshow(values, origin="lower", aspect="auto", extent=extent, cmap=_COLOURS, interpolation="nearest")
    if marked is not None and marked.any():
        mask = np.ma.masked_where(~marked.astype(bool), np.ones(marked.shape))
        axes.imshow(mask, origin="lower", aspect="auto", extent=extent, cmap="winter", interpolation="nearest")
    title(axes, words + (" (never varying in blue)" if marked is not None and marked.any() else ""))
    axes.set_xlabel("s", size=7, labelpad=1)
    axes.set_ylabel("band", size=7, labelpad=1)
    bar = axes.figure.colorbar(picture, cax=sheet.axes(left + 4.5, 0.1, _HEIGHT, below=0.2))
    bar.outline.set_visible(False)  # type: ignore[operator] - the stubs take the outline for its class


def _by_band(
    sheet: Sheet,
    mean: NDArray[Any],
    std: NDArray[Any],
    low: NDArray[Any],
    high: NDArray[Any],
) -> None:
    if len(mean) == 1:
        axes = sheet.axes(MARGIN + 0.2, WIDTH - 2 * MARGIN - 0.2, _HEIGHT, below=0.2)
        _band_lines(axes, mean[0], std[0], low[0], high[0])
        title(axes, "mean, ± standard deviation, least and most, by bin")
        return
    axes = sheet.axes(MARGIN + 11.1, WIDTH - 2 * MARGIN - 11.1, _HEIGHT, below=0.2)
    # Of a band over all of its frames: what differs between frames is part of its deviation.
    middle = mean.mean(axis=1)
    spread = np.sqrt(np.square(std).mean(axis=1) + mean.var(axis=1))
    _band_lines(axes, middle, spread, low.min(axis=1), high.max(axis=1))
    title(axes, "mean, ± standard deviation, least and most, by band")
    axes.set_xlabel("band", size=7, labelpad=1)


def _band_lines(
    axes: Axes,
    mean: NDArray[Any],
    std: NDArray[Any],
    low: NDArray[Any],
    high: NDArray[Any],
) -> None:
    bands = np.arange(len(mean))
    axes.fill_between(bands, mean - std, mean + std, color=BAR, alpha=0.3, linewidth=0)
    axes.plot(bands, mean, color=BAR, linewidth=1.2)
    for line in (low, high):
        axes.plot(bands, line, color=FAINT, linewidth=0.7)
    axes.set_xlim(0, max(len(mean) - 1, 1))
