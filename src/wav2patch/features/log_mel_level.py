"""The log-mel spectrogram with the clip's level kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.features.base import in_words
from wav2patch.features.mel import MelGrid, full_scale
from wav2patch.metrics.spectrograms import power_to_db


@dataclass(frozen=True)
class LogMelLevel(MelGrid):
    """Mel bands in decibels, where 0 dB is a full-scale sine of 1 kHz in its loudest band.

    The same grid as `wav2patch.features.log_mel.LogMel`, whose values are these minus their maximum, raised to
    −80 dB, as long as the clip's maximum is at least 80 dB above `floor`. A clip with twice the amplitude is 6.02 dB
    higher everywhere above the floor, and silence is the floor. Clips beyond full scale go above 0 dB.

    Attributes:
        floor: Lowest value in decibels.
    """

    floor: float = -100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -200 <= self.floor < 0:
            raise ValueError("floor is a number of decibels from -200 to 0")

    @property
    def name(self) -> str:
        """Canonical words."""
        return in_words("log_mel_level", self)

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """Decibels ``(channels, bands, frames)``, at least `floor`, of a clip ``(channels, samples)``."""
        window, _ = self.lengths(sample_rate)
        reference = full_scale(sample_rate, window, self.bands)
        quietest = reference * 10.0 ** (self.floor / 10.0)
        decibels = power_to_db(self.power(audio, sample_rate), ref=reference, top_db=None, amin=quietest)
        return decibels.astype(np.float32, copy=False)
