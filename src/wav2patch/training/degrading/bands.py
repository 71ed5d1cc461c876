"""What the bands of a spectrogram are, as far as degrading it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.features.base import Feature
from wav2patch.features.constant_q import ConstantQ
from wav2patch.features.log_mel import LogMel
from wav2patch.features.log_mel_level import LogMelLevel
from wav2patch.metrics.spectrograms import mel_filters

_TINY = 1e-30
_SPACING = 3.0


@dataclass(frozen=True, eq=False)
class Bands:
    """How powers of bands and of frequencies belong together.

    A sound of the mean square u, whose spectrum c over `frequencies` is 1 on average, has the powers
    ``per_square · u · filters @ c``, up to a factor that all bands share: decibels may be relative to anything.

    Attributes:
        hop: Seconds from one frame to the next.
        floor: Decibels of what is silent.
        relative: Whether 0 dB is a clip's own maximum.
        frequencies: In Hz, evenly from 0 to half the sample rate, ``(bins,)``.
        filters: What each band takes of each bin, ``(bands, bins)``.
        per_square: See above.
        lowest: Hz below which bands hold more direct current than sound.
        power: Powers ``(channels, bands, frames)`` of audio ``(channels, samples)`` at the sample rate.
    """

    hop: float
    floor: float
    relative: bool
    frequencies: NDArray[np.float64]
    filters: NDArray[np.float64]
    per_square: float
    lowest: float
    power: Callable[[NDArray[np.floating], int], NDArray[np.floating]]

    @property
    def sums(self) -> NDArray[np.float64]:
        """Of each band's filter, ``(bands,)``; where bands are narrower than bins, some hold none."""
        return self.filters.sum(axis=1)

    @property
    def centres(self) -> NDArray[np.float64]:
        """Where the bands are in Hz, ``(bands,)``."""
        return np.where(self.sums > 0, self.filters @ self.frequencies / np.maximum(self.sums, _TINY), 1_000.0)

    @property
    def weights(self) -> NDArray[np.float64]:
        """With which the powers of a frame's bands add up to ``per_square · u``, ``(bands,)``; 0 below `lowest`."""
        cover = self.filters.sum(axis=0) * len(self.frequencies)
        share = np.where(cover > 0, 1.0 / np.maximum(cover, _TINY), 0.0)
        return np.where(self.centres >= self.lowest, self.filters @ share / np.maximum(self.sums, _TINY), 0.0)


def bands_of(feature: Feature, sample_rate: int) -> Bands:
    """The bands of a feature.

    Raises:
        UserError: It is no spectrogram whose bands are known.
    """
    if isinstance(feature, LogMel | LogMelLevel):
        return _mel_bands(feature, sample_rate)
    if isinstance(feature, ConstantQ):
        return _pitched_bands(feature, sample_rate)
    raise UserError(
        f"stored {feature.name} cannot be degraded: give data.degrade=0, data.feature=log_mel_level or constant_q, or "
        "a data set without that feature, so that it is computed from degraded audio."
    )


def _mel_bands(feature: LogMel | LogMelLevel, sample_rate: int) -> Bands:
    length, hop = feature.lengths(sample_rate)
    frequencies = np.asarray(np.fft.rfftfreq(length, 1.0 / sample_rate), dtype=np.float64)
    return Bands(
        hop=hop / sample_rate,
        floor=-feature.top_db if isinstance(feature, LogMel) else feature.floor,
        relative=isinstance(feature, LogMel),
        frequencies=frequencies,
        filters=np.array(mel_filters(sample_rate, length, feature.bands), dtype=np.float64),
        per_square=float(np.square(np.hamming(length + 1)[:-1]).sum()),
        # Direct current, which some synths have more of than of sound, reaches up to two bins.
        lowest=2.0 * frequencies[1],
        power=feature.power,
    )


def _pitched_bands(feature: ConstantQ, sample_rate: int) -> Bands:
    frequencies = np.linspace(0.0, sample_rate / 2.0, 1 + round(sample_rate / 2.0 / _SPACING))
    return Bands(
        hop=feature.step(sample_rate) / sample_rate,
        floor=feature.floor,
        relative=False,
        frequencies=frequencies,
        # A sine of amplitude 1 has the power 1, and its mean square is a half.
        filters=2.0 * feature.responses(frequencies, sample_rate) / len(frequencies),
        per_square=1.0,
        lowest=0.0,
        power=lambda audio, rate: 10.0 ** (feature(audio, rate) / 10.0),
    )
