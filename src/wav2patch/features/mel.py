"""Mel band powers of a clip, the grid that the log-mel features share.

Frames of `window` seconds are centred on multiples of `hop` seconds, weighted by a Hamming window, and their power is
summed to bands on Slaney's mel scale from 0 Hz to half the sample rate, as librosa does by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from wav2patch.features.base import as_clip
from wav2patch.metrics.spectrograms import mel_filters, stft_magnitude

# Frames of so many samples together are transformed at once: they stay in the processor's cache, and their memory is
# used again, which takes half the time of all at once.
_AT_ONCE = 1 << 17


@dataclass(frozen=True)
class MelGrid:
    """A grid of mel bands and frames.

    Attributes:
        bands: Number of mel bands, 1 to 1024.
        window: Seconds of a frame, 0.001 to 10; a fraction of a sample is dropped.
        hop: Seconds from one frame to the next, 0.001 to 10; a fraction of a sample is dropped.

    Raises:
        ValueError: A number is out of range.
    """

    bands: int = 128
    window: float = 0.025
    hop: float = 0.01

    def __post_init__(self) -> None:
        if not (1 <= self.bands <= 1024 and 0.001 <= self.window <= 10 and 0.001 <= self.hop <= 10):
            raise ValueError("bands is 1 to 1024, window and hop are 0.001 to 10 seconds")

    def lengths(self, sample_rate: int) -> tuple[int, int]:
        """Samples of a frame and of a hop."""
        return int(self.window * sample_rate), int(self.hop * sample_rate)

    def shape(self, channels: int, samples: int, sample_rate: int) -> tuple[int, int, int]:
        """``(channels, bands, frames)`` of a clip ``(channels, samples)``."""
        window, hop = self.lengths(sample_rate)
        return channels, self.bands, 1 + max(samples - window % 2, 0) // hop

    def power(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """Band powers of a clip.

        Args:
            audio: ``(channels, samples)``.
            sample_rate: In Hz.

        Returns:
            Float32 ``(channels, bands, frames)``.
        """
        clip = as_clip(audio)
        window, hop = self.lengths(sample_rate)
        channels, samples = clip.shape
        shape = self.shape(channels, samples, sample_rate)
        filters = sparse_filters(sample_rate, window, self.bands)
        block = max(1, _AT_ONCE // window)
        powers = np.empty(shape, dtype=np.float32)
        for sound, power in zip(clip, powers, strict=True):
            padded = np.pad(sound, (window // 2, window // 2 + window % 2))
            for first in range(0, shape[-1], block):
                last = min(first + block, shape[-1]) - 1
                part = padded[first * hop : last * hop + window]
                spectrum = stft_magnitude(part, window, hop, "hamming", center=False)
                power[:, first : last + 1] = filters @ np.square(spectrum, out=spectrum).T
        return powers


@lru_cache(maxsize=16)
def sparse_filters(sample_rate: int, n_fft: int, bands: int) -> sparse.csr_array:
    """Mel filters ``(bands, n_fft // 2 + 1)`` of which zeros are not stored.

    Their product takes a quarter of the dense one's time, and no BLAS, whose threads would change the last digit.
    """
    return sparse.csr_array(mel_filters(sample_rate, n_fft, bands))


@lru_cache(maxsize=16)
def full_scale(sample_rate: int, n_fft: int, bands: int) -> float:
    """Power of a full-scale sine of 1 kHz in its loudest band."""
    # The positive frequency alone, whose power does not depend on where in the sine the frame begins.
    tone = 0.5 * np.exp(2j * np.pi * 1000.0 / sample_rate * np.arange(n_fft))
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    power = np.abs(np.fft.fft(window * tone)[: n_fft // 2 + 1]) ** 2
    return float((mel_filters(sample_rate, n_fft, bands) @ power).max())
