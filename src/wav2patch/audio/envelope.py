"""The level of a sound over time, and the level of the noise under it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

HOP = 0.005
"""Seconds between frames."""

WINDOW = 0.02
"""Seconds that a frame's RMS covers, as a centred moving average."""

SILENCE = -200.0
"""dB that stand for digital silence."""

_STRETCH = round(0.1 / HOP)
_BELOW_PEAK = 30.0


@dataclass(frozen=True)
class Envelope:
    """Level of a sound in frames of `HOP` seconds, each centred on its time.

    Attributes:
        level: RMS in dB re full scale, shape (frames,), `SILENCE` at the least.
        floor: Level in dB of the stationary noise under the sound, `SILENCE` where there is none.
    """

    level: NDArray[np.float64]
    floor: float

    @property
    def peak(self) -> float:
        """Highest level in dB."""
        return float(self.level.max())

    def threshold(self, depth: float) -> float:
        """Level in dB below which nothing is heard of the sound: `depth` dB under its peak or the noise."""
        return max(self.peak - depth, self.floor + 6.0)


def measure(audio: NDArray[np.floating], sample_rate: int) -> Envelope:
    """Envelope of a mono sound (samples,)."""
    level = rms_level(audio, sample_rate)
    return Envelope(level, noise_floor(level, audio, sample_rate))


def rms_level(audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float64]:
    """RMS in dB of 20 ms every 5 ms; frame k is centred on k · 5 ms."""
    hop = HOP * sample_rate
    frames = int(len(audio) / hop) + 1
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    centres = np.arange(frames) * hop
    half = 0.5 * WINDOW * sample_rate
    first = np.clip(np.rint(centres - half), 0, len(audio)).astype(np.intp)
    last = np.clip(np.rint(centres + half), 0, len(audio)).astype(np.intp)
    power = np.maximum(energy[last] - energy[first], 0.0) / np.maximum(last - first, 1)
    # A running sum of float64 cannot tell less than 1e-16 of what came before from nothing.
    power[power < 1e-15 * energy[last]] = 0.0
    return 10.0 * np.log10(np.maximum(power, 10.0 ** (SILENCE / 10.0)))


def noise_floor(level: NDArray[np.float64], audio: NDArray[np.floating], sample_rate: int) -> float:
    """Level in dB of the steady noise that the recording was made in, `SILENCE` where none can be told.

    Noise is a stretch of 0.1 s whose level stays put, at least 30 dB under the peak, and which either
    precedes the sound or has a noise-like spectrum: a quiet sustain or a slow fade is part of the sound.
    """
    ceiling = float(level.max()) - _BELOW_PEAK
    loud = np.flatnonzero(level > ceiling)
    quiet = []
    for start in range(0, len(level) - _STRETCH + 1, _STRETCH // 2):
        stretch = level[start : start + _STRETCH]
        if stretch.max() > ceiling or stretch.min() <= SILENCE or _drift(stretch) > 3.0:
            continue
        if start + _STRETCH <= loud[0] or _is_noise(_samples(audio, start, sample_rate)):
            quiet.append(float(stretch.mean()))
    return float(np.median(np.sort(quiet)[: max(1, len(quiet) // 2)])) if quiet else SILENCE


def _drift(stretch: NDArray[np.float64]) -> float:
    """DB by which the halves of a stretch differ, or by which it scatters, whichever is more."""
    half = len(stretch) // 2
    return max(abs(stretch[:half].mean() - stretch[half:].mean()) * 2.0, float(stretch.std()) * 1.5)


def _samples(audio: NDArray[np.floating], frame: int, sample_rate: int) -> NDArray[np.floating]:
    return audio[round(frame * HOP * sample_rate) : round((frame + _STRETCH) * HOP * sample_rate)]


def _is_noise(audio: NDArray[np.floating]) -> bool:
    """Whether the spectrum is flat within bands: partials stand far above what lies between them."""
    power = np.square(np.abs(np.fft.rfft(audio * np.hanning(len(audio))))) + 1e-30
    edges = np.unique(np.geomspace(4, len(power), 24).astype(int))
    bands = [power[low:high] for low, high in pairwise(edges) if high - low >= 6]
    flatness = [np.exp(np.mean(np.log(band))) / np.mean(band) for band in bands]
    return bool(np.median(flatness) > 0.3) if flatness else False
