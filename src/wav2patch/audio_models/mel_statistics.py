"""Statistics of the log-mel spectrum over time: an audio model without weights."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from wav2patch.audio_models.base import FrozenModel, Windows
from wav2patch.audio_models.frontends import Spectrogram, htk_filters

Statistic = Literal["mean", "std"] | int
"""A mean, a standard deviation, or a percentile."""

BANDS = 128
RANGE_HZ = (20.0, 16_000.0)
FLOOR_DB = -80.0
MEAN, DEVIATION = -4.2677393, 4.5689974
"""What values are shifted and scaled by; AudioSet's natural logarithms have these, and the paper takes them for dB."""

SAMPLE_RATE, FRAME = 44_100, 2048
"""The paper's, in samples per second and samples; at other rates frames last about as long."""


class MelStatistics(FrozenModel):
    """Mel power in dB, not lower than -80 dB, shifted and scaled; then means and the like over time.

    With the mean alone it is the "mel128" of Combes et al., "Neural Proxies for Sound Synthesizers", JAES 73(9),
    2025. It keeps level: 0 dB is the power of white noise whose samples have the variance 1, per bin.
    """

    filters: Tensor

    def __init__(
        self,
        *,
        name: str = "mel128",
        statistics: tuple[Statistic, ...] | None = ("mean",),
        sample_rate: int = SAMPLE_RATE,
    ) -> None:
        """A model for sound at any sample rate.

        Args:
            name: Of the model; another sample rate than 44.1 kHz and kept time are added to it.
            statistics: What is taken over time, 128 values each; None keeps time.
            sample_rate: Samples per second of the sound that it will be given.

        Raises:
            ValueError: A statistic is unknown, there is none, or the sample rate is not above 1 kHz.
        """
        super().__init__()
        if statistics is not None and not (statistics and all(map(_known, statistics))):
            raise ValueError(f"statistics are mean, std and percentiles, not {statistics}")
        if sample_rate <= 1000:
            raise ValueError(f"a sample rate of {sample_rate} is too low")
        self.name = name + f"_{sample_rate}" * (sample_rate != SAMPLE_RATE) + "_time" * (statistics is None)
        self.sample_rate, self.statistics = sample_rate, statistics
        self.size = BANDS * len(statistics or "1")
        length = 2 ** round(math.log2(FRAME * sample_rate / SAMPLE_RATE))
        self.windows = Windows(length / sample_rate, length / 2 / sample_rate) if statistics is None else None
        self.spectrogram = Spectrogram(length, length, length // 2)
        top = min(RANGE_HZ[1], sample_rate / 2)
        filters = htk_filters(sample_rate, length, BANDS, RANGE_HZ[0], top, straight_in="hz")
        self.register_buffer("filters", filters / self.spectrogram.window.square().sum(), persistent=False)
        self.train(False)

    def describe(self, audio: Tensor) -> Tensor:
        """``(B, 128 × statistics)``, or ``(B, frames, 128)`` where time is kept."""
        power = (self.filters @ self.spectrogram(audio)).clamp(min=10.0 ** (FLOOR_DB / 10.0))
        bands = (10.0 * power.log10() - MEAN) / DEVIATION
        if self.statistics is None:
            return bands.transpose(1, 2)
        return torch.cat([_over_time(bands, statistic) for statistic in self.statistics], dim=1)


def _known(statistic: object) -> bool:
    return statistic in ("mean", "std") or (isinstance(statistic, int) and 0 <= statistic <= 100)


def _over_time(bands: Tensor, statistic: Statistic) -> Tensor:
    """One statistic ``(B, bands)`` of ``(B, bands, frames)``."""
    if statistic == "mean":
        return bands.mean(2)
    if statistic == "std":
        # Bands that lie on the floor all the time have no spread, and a square root has no gradient at zero.
        return bands.var(2, correction=0).clamp(min=1e-12).sqrt()
    return bands.quantile(statistic / 100.0, dim=2)
