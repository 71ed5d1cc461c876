"""The search objective: how far a render is from the target, in decibels, at about a millisecond a second.

Conventions:
    Audio is ``(…, samples)``, mono, at the target's own sample rate and level; predictions are as long as the
    target. Smaller is better and 0 means alike. Nothing is normalised per clip: a match that is too quiet, starts
    late or plays another pitch is further away.

Definition:
    Three spectrograms (Hann windows of 512, 2,048 and 8,192 samples at 44.1 kHz, half overlapping) are pooled to
    40 and 80 mel bands, and to quarter tones for the longest, which resolves pitch. Levels are in decibels with a
    soft floor 60 dB below the target's loudest band: L = 10 log10(power + floor).

    * spectrum: mean over the three of the mean |L_target − L_prediction|
    * magnitude: 20 ‖M_t − M_p‖ / (‖M_t‖ + ‖M_p‖) over the band magnitudes of the two longer windows, a spectral
      convergence (Arık et al., 2018) that stays bounded when a prediction is much too loud
    * envelope: mean |difference| of the frames' level in decibels, window of 512

    distance = 0.6 spectrum + 0.2 magnitude + 0.2 envelope. Why these three: docs/decisions/0002-objective.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal, sparse

from wav2patch.metrics.spectrograms import frames, mel_filters

Spectrum = NDArray[np.float32]

WINDOW_SECONDS = (512 / 44100, 2048 / 44100, 8192 / 44100)
MEL_BANDS = (40, 80)
FLOOR_DB = 60.0
SPECTRUM_WEIGHT, MAGNITUDE_WEIGHT, ENVELOPE_WEIGHT = 0.6, 0.2, 0.2
_LOWEST_QUARTER_TONE = 27.5
_SILENCE = 1e-12


@dataclass(frozen=True)
class Features:
    """What the objective compares, for one clip or many.

    Attributes:
        powers: For every window, band powers ``(…, frames, bands)``.
        envelope: Power of each frame of the shortest window, ``(…, frames)``.
    """

    powers: tuple[Spectrum, ...]
    envelope: Spectrum


@dataclass(frozen=True)
class Distance:
    """A distance and its three parts, each of shape ``(…)``, in decibels."""

    total: NDArray[np.float64]
    spectrum: NDArray[np.float64]
    magnitude: NDArray[np.float64]
    envelope: NDArray[np.float64]


class Objective:
    """Distances to one target, whose features are computed once.

    Args:
        target: Mono audio ``(samples,)``.
        sample_rate: In Hz.
        bandwidth: Frequencies above this many Hz are not compared, as the recording cannot hold them.

    Raises:
        ValueError: The target is not one-dimensional, is empty, or holds values that are not finite.
    """

    def __init__(self, target: NDArray[np.floating], sample_rate: int, bandwidth: float | None = None) -> None:
        if target.ndim != 1 or target.size == 0 or not np.isfinite(target).all():
            raise ValueError("the target is mono audio of shape (samples,), finite and not empty")
        self.samples = target.shape[-1]
        self.sample_rate = sample_rate
        self.bandwidth = min(bandwidth or sample_rate / 2, sample_rate / 2)
        features = self.features(target)
        self._floors = tuple(_floor(power) for power in features.powers)
        self._envelope_floor = _floor(features.envelope)
        self._levels = tuple(_level(p, f) for p, f in zip(features.powers, self._floors, strict=True))
        self._magnitudes = tuple(np.sqrt(power) for power in features.powers[1:])
        self._envelope = _level(features.envelope, self._envelope_floor)

    def __call__(self, predictions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Distances ``(…)`` of predictions ``(…, samples)``."""
        return self.parts(predictions).total

    def parts(self, predictions: NDArray[np.floating]) -> Distance:
        """Distances of predictions ``(…, samples)`` with the parts that they are made of.

        Raises:
            ValueError: A prediction is not as long as the target.
        """
        if predictions.shape[-1] != self.samples:
            raise ValueError(f"predictions have {predictions.shape[-1]} samples, the target {self.samples}")
        features = self.features(predictions)
        spectra = [
            _mean(np.abs(_level(power, floor) - level))
            for power, floor, level in zip(features.powers, self._floors, self._levels, strict=True)
        ]
        spectrum = np.mean(spectra, axis=0)
        magnitude = np.mean(
            [_convergence(m, np.sqrt(p)) for m, p in zip(self._magnitudes, features.powers[1:], strict=True)],
            axis=0,
        )
        levels = _level(features.envelope, self._envelope_floor)
        envelope = np.abs(levels - self._envelope).mean(axis=-1, dtype=np.float64)
        total = SPECTRUM_WEIGHT * spectrum + MAGNITUDE_WEIGHT * magnitude + ENVELOPE_WEIGHT * envelope
        return Distance(total, spectrum, magnitude, envelope)

    def features(self, audio: NDArray[np.floating]) -> Features:
        """Band powers and envelope of audio ``(…, samples)``."""
        powers, envelope = [], None
        for seconds, bands in zip(WINDOW_SECONDS, (*MEL_BANDS, None), strict=True):
            length = 2 * round(seconds * self.sample_rate / 2)
            power = _power(np.asarray(audio, dtype=np.float32), length)
            if envelope is None:
                envelope = power.sum(axis=-1)
            powers.append(_pool(power, _filters(self.sample_rate, length, bands, self.bandwidth)))
        assert envelope is not None
        return Features(tuple(powers), envelope)


def distance(
    target: NDArray[np.floating],
    predictions: NDArray[np.floating],
    sample_rate: int,
    bandwidth: float | None = None,
) -> NDArray[np.float64]:
    """Distances ``(…)`` in decibels of predictions ``(…, samples)`` to a target ``(samples,)``."""
    return Objective(target, sample_rate, bandwidth)(predictions)


def _power(audio: Spectrum, length: int) -> Spectrum:
    window = _window(length)
    spectrum: NDArray[np.complex64] = np.asarray(fft.rfft(frames(audio, length, length // 2) * window, axis=-1))
    return spectrum.real**2 + spectrum.imag**2


def _pool(power: Spectrum, filters: sparse.csr_array) -> Spectrum:
    # A sparse product: a tenth of the dense one's time, and no BLAS whose threads would change the last digit.
    flat = np.ascontiguousarray(power.reshape(-1, power.shape[-1]).T)
    pooled: Spectrum = filters @ flat
    return pooled.T.reshape(*power.shape[:-1], -1)


@lru_cache(maxsize=16)
def _window(length: int) -> Spectrum:
    window = np.asarray(signal.get_window("hann", length))
    return (window / window.sum()).astype(np.float32)


@lru_cache(maxsize=16)
def _filters(sample_rate: int, length: int, bands: int | None, bandwidth: float) -> sparse.csr_array:
    if bands is None:
        return sparse.csr_array(_quarter_tones(sample_rate, length, bandwidth))
    bank = np.array(mel_filters(sample_rate, length, bands, fmax=bandwidth))
    # Unit sums instead of unit areas: a band's level then reads as the level of the sound in it.
    peaks = bank.max(axis=1, keepdims=True)
    return sparse.csr_array(np.divide(bank, peaks, out=np.zeros_like(bank), where=peaks > 0))


def _quarter_tones(sample_rate: int, length: int, bandwidth: float) -> Spectrum:
    """Triangles a quarter tone apart, at least one bin wide, so that low ones interpolate between bins."""
    spacing = sample_rate / length
    count = max(int(24 * np.log2(bandwidth / _LOWEST_QUARTER_TONE)), 1)
    centres = _LOWEST_QUARTER_TONE * 2.0 ** (np.arange(count) / 24)
    half_widths = np.maximum(centres * (2 ** (1 / 24) - 1), spacing)
    offsets = np.abs(np.arange(length // 2 + 1) * spacing - centres[:, None])
    return np.maximum(1 - offsets / half_widths[:, None], 0).astype(np.float32)


def _floor(power: Spectrum) -> np.float32:
    return np.float32(max(power.max() * 10 ** (-FLOOR_DB / 10), _SILENCE))


def _level(power: Spectrum, floor: np.float32) -> Spectrum:
    return np.float32(10) * np.log10(power + floor)


def _convergence(target: Spectrum, prediction: Spectrum) -> NDArray[np.float64]:
    scale = _norm(target) + _norm(prediction)
    return 20 * _norm(target - prediction) / np.maximum(scale, 1e-12)


def _norm(values: Spectrum) -> NDArray[np.float64]:
    return np.sqrt(np.square(values).sum(axis=(-2, -1), dtype=np.float64))


def _mean(values: Spectrum) -> NDArray[np.float64]:
    return values.mean(axis=(-2, -1), dtype=np.float64)
