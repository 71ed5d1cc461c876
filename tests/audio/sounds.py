"""Synthetic notes whose onset, key-up, pitch and end are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 44_100


def seconds(length: float, rate: int = RATE) -> NDArray[np.float64]:
    return np.arange(round(length * rate)) / rate


def harmonic(
    frequency: float, length: float, rate: int = RATE, tilt: float = 1.0, odd: bool = False
) -> NDArray[np.float32]:
    """A tone of up to 40 partials below 0.45 of the rate, at a peak of 0.5."""
    time = seconds(length, rate)
    numbers = range(1, max(2, min(41, int(0.45 * rate / frequency))), 2 if odd else 1)
    tone = sum((np.sin(2.0 * np.pi * n * frequency * time) / n**tilt for n in numbers), np.zeros_like(time))
    return (0.5 * tone / np.abs(tone).max()).astype(np.float32)


def adsr(
    length: float, attack: float, release_at: float, fall: float, decay: float = 0.0, rate: int = RATE
) -> NDArray[np.float64]:
    """Linear attack, then a decay of `decay` dB/s, from `release_at` on one of `fall` dB/s."""
    time = seconds(length, rate)
    level = -decay * time - (fall - decay) * np.maximum(time - release_at, 0.0)
    rise = np.minimum(time / attack, 1.0) if attack else np.ones_like(time)
    return rise * 10.0 ** (level / 20.0)


def note(
    frequency: float = 220.0,
    *,
    length: float = 2.0,
    attack: float = 0.005,
    release_at: float = 1.0,
    fall: float = 300.0,
    decay: float = 0.0,
    rate: int = RATE,
) -> NDArray[np.float32]:
    """A harmonic tone under an envelope."""
    tone = harmonic(frequency, length, rate)
    return (tone * adsr(length, attack, release_at, fall, decay, rate)).astype(np.float32)


def noise(length: float, level: float, seed: int = 0, rate: int = RATE) -> NDArray[np.float32]:
    """White noise of `level` dB RMS re full scale."""
    generator = np.random.default_rng([20_261, seed])
    return (10.0 ** (level / 20.0) * generator.normal(size=round(length * rate))).astype(np.float32)


def silence(length: float, rate: int = RATE) -> NDArray[np.float32]:
    return np.zeros(round(length * rate), np.float32)
