"""Pictures of an evaluation: the spread of every metric by method, and targets beside their matches."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.statistics.sheet import BAR, FAINT, INK, MARGIN, WIDTH, Sheet, plain, shorten, title
from wav2patch.evaluation.columns import Column
from wav2patch.evaluation.results import Evaluation
from wav2patch.report.pictures import loudest, spectrogram_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ACROSS = 4
_HEAD, _GAP, _LINE = 0.6, 0.75, 0.28
_NAME = 24
_SHORT = 0.25
"""Seconds up to which a sound has no spectrogram, and its spectrum is drawn instead."""
_SOUND_HEIGHT = 1.9
_FLOOR = 1e-8


def draw_boxes(evaluation: Evaluation) -> bytes:
    """A box for every metric and method, as a PNG file: quartiles, whiskers to the 5th and 95th of 100, the mean."""
    columns = [one for one in evaluation.columns if _is_there(evaluation, one)]
    height = 0.3 + _LINE * len(evaluation.methods)
    sheet = Sheet(_HEAD + 0.3 + -(-len(columns) // _ACROSS) * (height + _GAP))
    sheet.write(
        f"{evaluation.synth}: {len(evaluation)} rows of {evaluation.data}"
        + (f", best of {evaluation.best_of}" if evaluation.best_of > 1 else ""),
        size=12,
        bold=True,
    )
    sheet.write("boxes: quartiles; whiskers: 5% and 95%; line: median; dot: mean", colour=FAINT)
    sheet.top = _HEAD + 0.25
    names_width = 1.6
    width = (WIDTH - 2 * MARGIN - names_width) / _ACROSS
    for first in range(0, len(columns), _ACROSS):
        for place, column in enumerate(columns[first : first + _ACROSS]):
            axes = sheet.axes(MARGIN + names_width + place * width, width - 0.3, height, below=0.1)
            _draw_column(axes, evaluation, column, named=place == 0)
        sheet.top += height + _GAP
    return sheet.png()


def draw_row(sounds: Mapping[str, NDArray[np.floating]], sample_rate: int, heading: str) -> bytes:
    """A target and its matches below each other, as a PNG file: spectrograms, or spectra of what is very short.

    Args:
        sounds: ``(channels, samples)`` by name, the target first.
        sample_rate: In Hz.
        heading: What the picture is of.
    """
    sheet = Sheet(0.7 + len(sounds) * _SOUND_HEIGHT)
    sheet.write(heading, size=12, bold=True)
    sheet.top = 0.6
    target = next(iter(sounds.values()))
    short = target.shape[1] < _SHORT * sample_rate
    reference = None if short else loudest(target, sample_rate) or None
    for name, sound in sounds.items():
        axes = sheet.axes(MARGIN + 0.3, WIDTH - 2 * MARGIN - 0.3, _SOUND_HEIGHT - 0.6, below=0.2)
        if short:
            _draw_spectrum(axes, target, sound, sample_rate)
        else:
            _draw_spectrogram(axes, sound, sample_rate, reference)
        title(axes, name)
        sheet.top += _SOUND_HEIGHT
    return sheet.png()


def _is_there(evaluation: Evaluation, column: Column) -> bool:
    return any(np.isfinite(one.values[column.name]).any() for one in evaluation.methods.values())


def _draw_column(axes: Axes, evaluation: Evaluation, column: Column, *, named: bool) -> None:
    title(axes, column.heading)
    for place, one in enumerate(evaluation.methods.values()):
        values = one.sizes(column)
        values = values[np.isfinite(values)]
        if len(values):
            _draw_box(axes, values, place)
    # Else the axis would end where a bar does, and cut off what lies there.
    axes.use_sticky_edges = False
    axes.autoscale_view()
    axes.set_ylim(len(evaluation.methods) - 0.4, -0.6)
    names = [plain(shorten(name, _NAME)) if named else "" for name in evaluation.methods]
    axes.set_yticks(range(len(names)), names, parse_math=False)


def _draw_box(axes: Axes, values: NDArray[np.float64], place: int) -> None:
    low, first, middle, third, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    axes.plot([low, high], [place, place], color=FAINT, linewidth=1, zorder=1)
    axes.barh(place, third - first, left=first, height=0.6, color=BAR, alpha=0.55, zorder=2)
    axes.plot([middle, middle], [place - 0.3, place + 0.3], color=INK, linewidth=1.5, zorder=3)
    axes.plot([values.mean()], [place], marker="o", markersize=3, color=INK, zorder=4)


def _draw_spectrogram(axes: Axes, sound: NDArray[np.floating], sample_rate: int, reference: float | None) -> None:
    from matplotlib.image import imread  # noqa: PLC0415 - a third of a second that only pictures should pay

    picture = spectrogram_png(sound, sample_rate, reference=reference, size=(1_000, 160))
    length = sound.shape[1] / sample_rate
    axes.imshow(imread(io.BytesIO(picture)), aspect="auto", extent=(0.0, length, 0.0, 1.0))
    axes.set_yticks([])
    axes.set_xlabel("s", size=7, labelpad=0)


def _draw_spectrum(axes: Axes, target: NDArray[np.floating], sound: NDArray[np.floating], sample_rate: int) -> None:
    for one, colour in ((target, FAINT), (sound, BAR)):
        spectrum = np.fft.rfft(one.mean(axis=0, dtype=np.float64), norm="forward")
        hertz = np.fft.rfftfreq(one.shape[1], 1.0 / sample_rate)
        axes.plot(hertz, 10.0 * np.log10(np.maximum(np.abs(spectrum) ** 2, _FLOOR)), color=colour, linewidth=0.8)
    axes.set_ylabel("dB", size=7)
    axes.set_xlim(0.0, sample_rate / 2.0)
