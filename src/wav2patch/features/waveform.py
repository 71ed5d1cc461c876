"""The samples of a clip themselves: for encoders that are to find out by themselves what to hear."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.features.base import as_clip, in_words


@dataclass(frozen=True)
class Waveform:
    """Samples, times a constant.

    Sounds that are mixed are added in it, which no other feature offers, and phases are heard. It suits short sounds
    that begin in one way, such as those of the research synths, whose oscillators start at phase 0.

    Attributes:
        gain: What samples are multiplied by, so that a quiet synth's are about 1.

    Raises:
        ValueError: The gain is no positive number.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.gain <= 1_000 and math.isfinite(self.gain)):
            raise ValueError("gain is a number above 0, and at most 1000")

    @property
    def name(self) -> str:
        """Canonical words."""
        return in_words("waveform", self)

    def shape(self, channels: int, samples: int, sample_rate: int) -> tuple[int, int]:
        """``(channels, samples)`` of a clip ``(channels, samples)``."""
        return channels, samples

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """Samples ``(channels, samples)`` of a clip ``(channels, samples)``."""
        return as_clip(audio) * np.float32(self.gain)
