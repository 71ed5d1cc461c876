"""The partials of a sound, and how well a fundamental explains them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples per second of the sound that is analysed: partials up to 8 kHz."""

WINDOW = 0.25
"""Seconds of an analysis frame: neighbours 27 Hz apart, those of A0, are still told apart."""

_HOP = 0.1
_LENGTH = 16_384
_MOST = 40
_RANGE = 55.0
_PROMINENCE = 6.0
_OVERSAMPLING = 4
_STEADY = 1.5
_HARMONICS = 14
_PRESENT = 0.1


@dataclass(frozen=True)
class Spectrum:
    """A note's spectrum, averaged over its frames, and the partials in it.

    Attributes:
        frequency: Partials in Hz, the strongest first, shape (partials,).
        level: Their level in dB re the strongest, shape (partials,).
        prominence: dB by which they stand above the valleys beside them, shape (partials,).
        periodicity: Normalised autocorrelation at lags of 1 / (4 · 16 kHz), shape (lags,).
        resolution: Hz at which partials begin to be told apart.
    """

    frequency: NDArray[np.float64]
    level: NDArray[np.float64]
    prominence: NDArray[np.float64]
    periodicity: NDArray[np.float64]
    resolution: float

    @property
    def amplitude(self) -> NDArray[np.float64]:
        """Amplitudes re the strongest partial, shape (partials,)."""
        return 10.0 ** (self.level / 20.0)

    def periodic(self, lag: float) -> float:
        """Autocorrelation at `lag` seconds, −1 to 1."""
        place = lag * RATE * _OVERSAMPLING
        below = int(place)
        share = place - below
        return float((1.0 - share) * self.periodicity[below] + share * self.periodicity[below + 1])


def steady_part(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Up to 1.5 s of the sound (samples,) at 16 kHz, from its attack on and down to 40 dB under its peak."""
    window, hop = RATE // 20, RATE // 100
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    starts = np.arange(0, max(len(audio) - window, 1), hop)
    power = energy[np.minimum(starts + window, len(audio))] - energy[starts]
    last = int(np.flatnonzero(power > 1e-4 * power.max())[-1])
    first = int(np.argmax(power > 0.1 * power.max()))
    stop = min(len(audio), int(starts[last]) + window)
    start = min(int(starts[first]), max(0, stop - int(WINDOW * RATE)))
    return audio[start : min(stop, start + int(_STEADY * RATE))]


def analyse(audio: NDArray[np.float32]) -> Spectrum:
    """Spectrum of a sound (samples,) at 16 kHz that is not silent."""
    size = min(len(audio), int(WINDOW * RATE))
    window = np.hanning(size + 2)[1:-1]
    starts = range(0, len(audio) - size + 1, int(_HOP * RATE))
    power = np.zeros(_LENGTH // 2 + 1)
    for start in starts:
        frame = np.square(np.abs(np.fft.rfft(audio[start : start + size] * window, _LENGTH)))
        # Between loud and quiet frames alike: what rings on is heard as the pitch of a bell.
        power += frame / np.sqrt(frame.sum() + 1e-30)
    magnitude = np.sqrt(power)
    periodicity = np.fft.irfft(magnitude, _OVERSAMPLING * _LENGTH)
    step, resolution = RATE / _LENGTH, RATE / size
    frequency, level, prominence = _peaks(10.0 * np.log10(power / power.max() + 1e-9), step, resolution)
    return Spectrum(frequency, level, prominence, periodicity / periodicity[0], resolution)


def _peaks(
    level: NDArray[np.float64], step: float, resolution: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Frequency, level and prominence of the strongest peaks above 20 Hz, by parabolic interpolation."""
    middle = level[1:-1]
    bins = 1 + np.flatnonzero((middle > level[:-2]) & (middle >= level[2:]) & (middle > -_RANGE))
    bins = bins[bins * step > 20.0]
    bins = bins[np.argsort(-level[bins], kind="stable")][: 3 * _MOST]
    reach = int(2.2 * resolution / step)
    below = np.array([level[max(0, b - reach) : b + 1].min() for b in bins])
    above = np.array([level[b : b + reach + 1].min() for b in bins])
    prominence = level[bins] - np.maximum(below, above) if len(bins) else np.zeros(0)
    kept = np.flatnonzero(prominence >= _PROMINENCE)[:_MOST]
    bins = bins[kept]
    left, top, right = level[bins - 1], level[bins], level[bins + 1]
    shift = 0.5 * (left - right) / np.minimum(left - 2.0 * top + right, -1e-12)
    return (bins + shift) * step, top, prominence[kept]


def explained(spectrum: Spectrum, fundamental: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Harmonic number of each partial and how well it fits, 0–1, both of shape (partials,).

    The tolerance, a share of the fundamental, grows with the number (stiff strings stretch their partials)
    and towards the bass (where the frames' resolution limits it).
    """
    number = np.maximum(np.rint(spectrum.frequency / fundamental), 1.0)
    deviation = (spectrum.frequency - number * fundamental) / fundamental
    deviation = np.where(deviation > 0.0, 0.8 * deviation, deviation)
    fit = np.exp(-0.5 * np.square(deviation / _tolerance(spectrum, fundamental, number)))
    return number, np.where(spectrum.frequency < 0.5 * fundamental, 0.0, fit)


def _tolerance(spectrum: Spectrum, fundamental: float, number: NDArray[np.float64]) -> NDArray[np.float64]:
    narrowest = max(0.035, 0.35 * spectrum.resolution / fundamental)
    return np.minimum(np.maximum(narrowest, 0.01 * number), 0.15)


def evidence(spectrum: Spectrum, fundamental: float) -> list[float]:
    """What speaks for a fundamental in Hz, and how high it is, as eight numbers.

    Returns:
        Share of the amplitude that its harmonics explain, beyond what chance would; amplitude of the
        fundamental itself; share of odd harmonics (an octave too low has few); octaves up to the lowest
        harmonic that is there (few sounds lack the first three); autocorrelation at the period and at half of
        it (an octave too low repeats there too); octaves above 300 Hz; their square.
    """
    number, fit = explained(spectrum, fundamental)
    amplitude = spectrum.amplitude
    chance = np.minimum(2.3 * _tolerance(spectrum, fundamental, number), 0.6)
    share = float(np.sum(amplitude * (fit - chance) / (1.0 - chance)) / (np.sum(amplitude) + 1e-9))
    harmonics = np.zeros(_HARMONICS + 1)
    inside = number <= _HARMONICS
    np.maximum.at(harmonics, number[inside].astype(np.intp), np.sqrt(amplitude[inside]) * fit[inside])
    present = np.flatnonzero(harmonics > _PRESENT)
    odd = float(harmonics[1::2].sum() / (harmonics.sum() + 1e-9))
    height = float(np.log2(fundamental / 300.0))
    return [
        share,
        float(harmonics[1]),
        odd,
        float(np.log2(present[0])) if len(present) else float(np.log2(_HARMONICS)),
        spectrum.periodic(1.0 / fundamental),
        spectrum.periodic(0.5 / fundamental),
        height,
        height * height,
    ]


def refine(spectrum: Spectrum, fundamental: float) -> float:
    """Fundamental in Hz, as the low partials that fit have it: the higher ones of a stiff string are sharp."""
    number, fit = explained(spectrum, fundamental)
    weight = np.where((fit > 0.5) & (number <= 6.0), spectrum.amplitude * fit, 0.0)
    weight *= spectrum.level > -30.0
    if not weight.any():
        return fundamental
    # An error of the peak's frequency counts 1/number in the fundamental, so the weight grows with it.
    return float(np.average(spectrum.frequency / number, weights=weight * number))
