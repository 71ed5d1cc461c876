"""The log-mel spectrogram of Hayes et al. (ISMIR 2025): what their models hear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.features.base import in_words
from wav2patch.features.mel import MelGrid
from wav2patch.metrics.spectrograms import power_to_db


@dataclass(frozen=True)
class LogMel(MelGrid):
    """Mel bands in decibels below the loudest band and frame of the clip, over all channels.

    The values are librosa's ``power_to_db(melspectrogram(…), ref=np.max)``. The level of a clip cannot be seen in
    them, nor can anything that is `top_db` below its loudest moment; a silent clip is 0 dB everywhere.

    Attributes:
        top_db: Range in decibels.
    """

    top_db: float = 80.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.top_db < np.inf:
            raise ValueError("top_db is a positive number")

    @property
    def name(self) -> str:
        """Canonical words."""
        return in_words("log_mel", self)

    def __call__(self, audio: NDArray[np.floating], sample_rate: int) -> NDArray[np.float32]:
        """Decibels ``(channels, bands, frames)``, −`top_db` to 0, of a clip ``(channels, samples)``."""
        decibels = power_to_db(self.power(audio, sample_rate), ref=np.max, top_db=self.top_db)
        return decibels.astype(np.float32, copy=False)
