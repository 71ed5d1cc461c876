"""Seeded synthetic pairs of sounds for the tests of the metrics, and for the packages that check them."""

import numpy as np
from numpy.typing import NDArray

Pair = tuple[NDArray[np.float64], NDArray[np.float64], int]


def tone(f0: float, decay: float, seconds: float, sample_rate: int) -> NDArray[np.float64]:
    """Eight decaying partials ``(samples,)``, the higher the faster."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    partials = [np.sin(2 * np.pi * k * f0 * time) * np.exp(-decay * k * time) / k for k in range(1, 9)]
    return 0.3 * np.sum(partials, axis=0)


def noise(index: int, seconds: float, sample_rate: int, channels: int = 1) -> NDArray[np.float64]:
    """White noise ``(channels, samples)`` at -20 dB."""
    return 0.1 * np.random.default_rng([7, index]).standard_normal((channels, round(seconds * sample_rate)))


def notes() -> Pair:
    """A stereo note with a silent tail, and one that is higher, shorter, quieter and wider."""
    rate = 44100
    first = np.stack([tone(220.0, 3.0, 0.8, rate), tone(220.6, 3.0, 0.8, rate)])
    second = 0.7 * np.stack([tone(247.0, 5.0, 0.8, rate), tone(245.0, 4.0, 0.8, rate)])
    return (
        np.pad(first, [(0, 0), (0, rate // 5)]),
        np.pad(second, [(0, 0), (rate // 20, 3 * rate // 20)]),
        rate,
    )


def breaths() -> Pair:
    """Two stereo noises with different envelopes, at a rate where no window is a whole number of ms."""
    rate = 48000
    rise = np.linspace(0.0, 1.0, rate // 2) ** 2
    return noise(0, 0.5, rate, 2) * rise, noise(1, 0.5, rate, 2) * rise[::-1], rate


def noisy() -> Pair:
    """A mono note and the same with noise over it."""
    rate = 22050
    clean = tone(110.0, 1.0, 0.6, rate)[None]
    return clean, clean + 0.2 * noise(2, 0.6, rate), rate


PAIRS = {"notes": notes, "breaths": breaths, "noisy": noisy}
