"""What a musician would say of a sound, as numbers: how bright it is, how it sets in and how long it rings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.metrics.spectrograms import frame_rms
from wav2patch.report.pictures import Audio, average_spectrum

FRAME, HOP = 0.02, 0.005
"""Seconds of a frame of the loudness curve, and from one to the next."""

BANDS = 72
AUDIBLE = 30.0
"""Decibels below its loudest moment within which a sound counts as sounding."""

_ARRIVED = 6.0


@dataclass(frozen=True)
class Traits:
    """One sound's traits.

    Attributes:
        times: Seconds of the loudness curve, ``(frames,)``.
        levels: Loudness curve in dB, 0 is a full-scale square wave, ``(frames,)``; at least -120.
        frequencies: Centres of the spectrum's bands in Hz, ``(bands,)``.
        spectrum: Mean level of each band in dB, ``(bands,)``; only differences mean something.
        brightness: Centre of the spectrum in octaves above 1 Hz, every band weighing as much as its amplitude.
        attack: Seconds from the first sound to 6 dB below the loudest moment.
        ring: Seconds until the sound has died down by 30 dB for good.
        silent: Whether there is nothing to hear.
    """

    times: NDArray[np.float64]
    levels: NDArray[np.float64]
    frequencies: NDArray[np.float64]
    spectrum: NDArray[np.float64]
    brightness: float
    attack: float
    ring: float
    silent: bool


def traits(audio: Audio, sample_rate: int) -> Traits:
    """Traits of a sound ``(channels, samples)`` or ``(samples,)``."""
    sound = np.atleast_2d(audio).astype(np.float64)
    hop = max(round(HOP * sample_rate), 1)
    power = np.square(frame_rms(sound, max(round(FRAME * sample_rate), 2), hop)).mean(axis=0)
    levels = 10.0 * np.log10(np.maximum(power, 1e-12))
    times = np.arange(len(levels)) * hop / sample_rate
    frequencies, powers = average_spectrum(sound, sample_rate, BANDS)
    amplitudes = np.sqrt(powers)
    sounding = times[levels > levels.max() - AUDIBLE]
    arrived = times[levels > levels.max() - _ARRIVED]
    return Traits(
        times=times,
        levels=levels,
        frequencies=frequencies,
        spectrum=10.0 * np.log10(np.maximum(powers, 1e-12)),
        brightness=float(np.average(np.log2(frequencies), weights=amplitudes + 1e-12)),
        attack=float(arrived[0] - sounding[0]),
        ring=float(sounding[-1]),
        silent=bool(levels.max() < -90.0),
    )
