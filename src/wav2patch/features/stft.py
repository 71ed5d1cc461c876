"""The short-time Fourier transform: magnitudes, squeezed, on an even scale of frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.features.base import as_clip, in_words
from wav2patch.metrics.spectrograms import stft_magnitude


@dataclass(frozen=True)
class Stft:
    """log(1 + magnitude) of frames of `size` samples, every `hop` samples, weighted by a Hann window.

    0 is silence, and the magnitudes come back by exp(x) − 1: what masked autoencoders of spectrograms learn from
    (the follow-up to InverSynth II). Frames are centred on multiples of the hop, with silence beyond both ends.

    Attributes:
        size: Samples of a frame, 16 to 65,536, an even number.
        hop: Samples from one frame to the next, 1 to `size`.

    Raises:
        ValueError: A number is out of range.
    """

    size: int = 1024
    hop: int = 256

    def __post_init__(self) -> None:
        if not (16 <= self.size <= 65_536 and self.size % 2 == 0 and 1 <= self.hop <= self.size):
            raise ValueError("size is an even number from 16 to 65536, and hop is 1 to size")

    @property
    def name(self) -> str:
        """Canonical words."""
        return in_words("stft", self)

    def shape(self, channels: int, samples: int, sample_rate: int) -> tuple[int, int, int]:
        """``(channels, bins, frames)`` of a clip ``(channels, samples)``."""
        return channels, self.size // 2 + 1, 1 + samples // self.hop

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """``(channels, bins, frames)``, 0 or more, of a clip ``(channels, samples)``."""
        magnitude = stft_magnitude(as_clip(audio), self.size, self.hop, "hann")
        return np.log1p(magnitude.swapaxes(1, 2)).astype(np.float32, copy=False)
