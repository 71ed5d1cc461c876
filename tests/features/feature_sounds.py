"""Seeded sounds for the tests of the features; NumPy alone, as the script that freezes librosa's values uses them."""

import numpy as np
from numpy.typing import NDArray


def noise(index: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """White noise at -20 dB."""
    return (0.1 * np.random.default_rng([71, index]).standard_normal(shape)).astype(np.float32)


def chord(seconds: float, sample_rate: int, channels: int) -> NDArray[np.float32]:
    """Notes that start one after the other and decay, over faint noise ``(channels, samples)``; channels differ."""
    samples = round(seconds * sample_rate)
    time = np.arange(samples) / sample_rate
    sound = np.zeros((channels, samples))
    for i, f0 in enumerate((82.4, 220.0, 1318.5)):
        age = np.maximum(time - 0.1 * i, 0.0)
        partials = sum(np.sin(2 * np.pi * k * f0 * age) * np.exp(-3 * k * age) / k for k in range(1, 7))
        sound += np.linspace(0.3, 0.1, channels)[:, None] * partials
    return (sound + 0.01 * noise(0, sound.shape)).astype(np.float32)


SOUNDS = {
    "stereo-44100": (chord(0.8, 44100, 2), 44100),
    "mono-48000": (chord(0.5, 48000, 1), 48000),
    "mono-22050": (chord(0.5, 22050, 1), 22050),
    "noise-16000": (noise(1, (2, 8000)) * np.array([[1.0], [0.01]], dtype=np.float32), 16000),
}
