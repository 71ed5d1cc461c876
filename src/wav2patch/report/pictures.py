"""Pictures of a sound: its waveform as inline SVG and its spectrogram as PNG.

Conventions:
    Audio is floating point, ``(channels, samples)`` or ``(samples,)``; powers are the mean of the channels', because a
    mix would lose what is different in them. Pictures hold no axes or text, stretch to the room they are given, and
    show exactly the seconds from 0 to `length`, so that those of several sounds line up.
    `wav2patch.report.charts.frame` puts axes around them.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from wav2patch.metrics.spectrograms import stft_magnitude
from wav2patch.report.markup import Markup, element

Audio = NDArray[np.floating]

LOWEST, HIGHEST = 30.0, 20_000.0
"""Hz that a spectrogram spans unless told otherwise: below E1, the lowest string of a bass, to the end of hearing."""

RANGE = 70.0
"""Decibels from a spectrogram's brightest colour to its darkest."""

COLOURS = "magma"
"""matplotlib's colour map: evenly stepped in lightness, so it reads in grey and for the colour-blind."""

# Long enough to part the partials of a bass note (Hann main lobe of 43 Hz), short enough for an attack to be seen.
_WINDOW_SECONDS = 4096 / 44100
_HEIGHT = 100


def waveform_svg(
    audio: Audio,
    sample_rate: int,
    *,
    title: str,
    peak: float | None = None,
    length: float | None = None,
    columns: int = 500,
) -> Markup:
    """The waveform as an inline SVG in the colour of the text around it.

    Args:
        audio: The sound.
        sample_rate: Samples per second.
        title: What the picture shows, for those who cannot see it.
        peak: Level that fills the height; the sound's own by default.
        length: Seconds that the width stands for; the sound's own by default.
        columns: Number of points along the width, at most.
    """
    lows, highs = _extremes(_fitted(audio, sample_rate, length), columns)
    scale = peak or max(float(np.abs([lows, highs]).max()), 1e-9)
    middle = _HEIGHT / 2
    # A hair of height at least, so that silence is a line and not nothing.
    upper = middle - np.clip(highs / scale, -1, 1) * middle - 0.3
    lower = middle - np.clip(lows / scale, -1, 1) * middle + 0.3
    points = [*enumerate(upper), *reversed(list(enumerate(lower)))]
    outline = "M" + "L".join(f"{x} {y:.1f}" for x, y in points) + "Z"
    return element(
        "svg",
        element("path", d=outline, fill="currentColor"),
        class_="waveform", role="img", aria_label=title,
        viewBox=f"0 0 {max(len(upper) - 1, 1)} {_HEIGHT}", preserveAspectRatio="none",
    )  # fmt: skip


def spectrogram_png(
    audio: Audio,
    sample_rate: int,
    *,
    reference: float | None = None,
    low: float = LOWEST,
    high: float | None = None,
    length: float | None = None,
    size: tuple[int, int] = (560, 180),
) -> bytes:
    """The spectrogram as a PNG file: time to the right, frequency upwards in equal steps an octave.

    Args:
        audio: The sound.
        sample_rate: Samples per second.
        reference: Power of the brightest colour, as `loudest` gives it; the sound's own by default.
        low: Hz at the lower edge.
        high: Hz at the upper edge; `top_frequency` by default.
        length: Seconds that the width stands for; the sound's own by default.
        size: Width and height in pixels, at most.
    """
    from matplotlib.image import imsave  # noqa: PLC0415 - a third of a second that only reports should pay

    powers = _log_bands(audio, sample_rate, low, high or top_frequency(sample_rate), length, size)
    zero = reference or float(powers.max())
    levels = 10.0 * np.log10(np.maximum(powers, 1e-20) / max(zero, 1e-20))
    file = io.BytesIO()
    # imsave draws no figure and touches no global state, so that reports can be made in several threads.
    imsave(file, levels.T[::-1], vmin=-RANGE, vmax=0.0, cmap=COLOURS, format="png")
    return file.getvalue()


def loudest(audio: Audio, sample_rate: int) -> float:
    """Power of a sound's loudest spot in `spectrogram_png`: the reference to show other sounds beside it."""
    return float(_log_bands(audio, sample_rate, LOWEST, top_frequency(sample_rate), None, (560, 180)).max())


def top_frequency(sample_rate: int) -> float:
    """Hz at a spectrogram's upper edge."""
    return min(HIGHEST, 0.5 * sample_rate)


def average_spectrum(audio: Audio, sample_rate: int, bands: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres in Hz and mean powers of `bands` bands between 30 Hz and `top_frequency`, equal steps an octave."""
    edges = _edges(LOWEST, top_frequency(sample_rate), bands)
    powers = _log_bands(audio, sample_rate, LOWEST, top_frequency(sample_rate), None, (400, bands))
    return np.sqrt(edges[:-1] * edges[1:]), powers.mean(axis=0, dtype=np.float64)


def _fitted(audio: Audio, sample_rate: int, length: float | None) -> Audio:
    """``(channels, samples)``, cut or filled with silence to `length` seconds."""
    sound = np.atleast_2d(audio)
    samples = sound.shape[1] if length is None else max(round(length * sample_rate), 1)
    return np.pad(sound[:, :samples], ((0, 0), (0, max(samples - sound.shape[1], 0))))


def _extremes(sound: Audio, columns: int) -> tuple[Audio, Audio]:
    """Lowest and highest sample of every column, each including 0 so that neighbours always touch."""
    starts = np.unique(np.linspace(0, sound.shape[1], min(columns, sound.shape[1]), endpoint=False).astype(int))
    lows, highs = np.minimum.reduceat(sound.min(axis=0), starts), np.maximum.reduceat(sound.max(axis=0), starts)
    return np.minimum(lows, 0), np.maximum(highs, 0)


def _log_bands(
    audio: Audio, sample_rate: int, low: float, high: float, length: float | None, size: tuple[int, int]
) -> Audio:
    """Powers ``(frames, bands)``: each band's strongest bin, or a value between bins where it is narrower."""
    sound = _fitted(audio, sample_rate, length).astype(np.float32)
    window = 2 * max(round(_WINDOW_SECONDS * sample_rate / 2), 8)
    hop = max(-(-sound.shape[1] // size[0]), 1)
    powers = np.square(stft_magnitude(sound, window, hop)).mean(axis=0)[: size[0]]
    edges = _edges(low, high, size[1]) * window / sample_rate
    centres = np.minimum(np.sqrt(edges[:-1] * edges[1:]), powers.shape[1] - 1.001)
    below = centres.astype(int)
    share = (centres - below).astype(np.float32)
    between = powers[:, below] * (1 - share) + powers[:, below + 1] * share
    bounds = np.minimum(np.ceil(edges).astype(int), powers.shape[1] - 1)
    strongest = np.maximum.reduceat(powers, bounds[:-1], axis=1)
    return np.where(np.diff(bounds) > 1, strongest, between)


def _edges(low: float, high: float, bands: int) -> NDArray[np.float64]:
    return np.geomspace(low, high, bands + 1)
