"""The spectrum of a whole clip: what the models of the k-osc task hear (Hayes et al., ISMIR 2025)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from wav2patch.features.base import as_clip, in_words


@dataclass(frozen=True)
class Spectrum:
    """Magnitude of the Fourier transform of a clip, divided by its number of samples.

    A full-scale sine that fits the clip is 0.5 in its bin, whatever the clip's length. There are no frames: the
    feature suits sounds that hardly change.

    Attributes:
        floor: 0 gives magnitudes; below that, they are in decibels (0 dB is a magnitude of 1), no lower than this.

    Raises:
        ValueError: The floor is out of range.
    """

    floor: float = 0.0

    def __post_init__(self) -> None:
        if not -200 <= self.floor <= 0:
            raise ValueError("floor is a number of decibels from -200 to 0, where 0 stands for magnitudes")

    @property
    def name(self) -> str:
        """Canonical words."""
        return in_words("spectrum", self)

    def shape(self, channels: int, samples: int, sample_rate: int) -> tuple[int, int]:
        """``(channels, bins)`` of a clip ``(channels, samples)``."""
        return channels, samples // 2 + 1

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """Magnitudes or decibels ``(channels, bins)`` of a clip ``(channels, samples)``."""
        clip = as_clip(audio)
        sound = clip if clip.shape[1] else np.zeros((len(clip), 1), dtype=np.float32)
        magnitude = np.abs(np.asarray(fft.rfft(sound, norm="forward")))
        if self.floor < 0:
            magnitude = 20.0 * np.log10(np.maximum(magnitude, 10.0 ** (self.floor / 20.0)))
        return magnitude.astype(np.float32, copy=False)
