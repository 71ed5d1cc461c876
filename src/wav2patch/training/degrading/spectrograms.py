"""Spectrograms as those of degraded clips would be, without the clips."""

from __future__ import annotations

import copy
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wav2patch.features.base import Feature
from wav2patch.training.degrading.bands import bands_of
from wav2patch.training.degrading.chances import Chances
from wav2patch.training.degrading.spectra import dullness, gain_curve, noise_curve, pieces, rooms, white

_NOISE_FRAMES = 2_048
_TINY = 1e-30

# A sine's peak is twice its mean square; sounds have higher ones.
_PEAK = 4.0


class DegradedSpectrograms:
    """Degrades spectrograms: powers are shifted, smeared by rooms, weighted by band and added to noise's.

    It comes within a few dB of what degrading the clip gives: powers are added as if phases had no say. Clipping
    leaves no trace, as it depends on the waveform.

    Args:
        feature: A log-mel or a constant-Q spectrogram.
        sample_rate: Of the clips, in Hz.

    Raises:
        UserError: It is something else.
    """

    def __init__(self, feature: Feature, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        bands = bands_of(feature, sample_rate)
        self.hop, self._relative, self._floor = bands.hop, bands.relative, bands.floor
        self._bands_of, self._bins, self._filters = bands, _float(bands.frequencies), _float(bands.filters)
        self._bands, self._weights = _float(bands.centres), _float(bands.weights)
        self._dull = dullness(self._bands)
        self._fine = torch.linspace(0.0, sample_rate / 2.0, 2_048)
        self._noise: Tensor | None = None

    def to(self, device: torch.device) -> DegradedSpectrograms:
        """The same on a device."""
        there = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(there, name, value.to(device))
        return there

    def __call__(self, values: Tensor, chances: Chances) -> Tensor:
        """Float32 features; those that nothing happens to have the values that they came with.

        Args:
            values: Decibels ``(n, channels, bands, frames)``.
            chances: Of n sounds.
        """
        done = values.to(torch.float32, copy=True)
        # In a spectrogram relative to its maximum, silence is 0 dB everywhere.
        heard = done.amax(dim=(1, 2, 3)) > (done.amin(dim=(1, 2, 3)) if self._relative else self._floor)
        rows = (chances.any & heard).nonzero()[:, 0]
        if len(rows):
            done[rows] = self._degraded(done[rows], chances.of(rows))
        return done

    def _degraded(self, values: Tensor, chances: Chances) -> Tensor:
        values = self._shifted(values, chances)
        # What is at the floor may be anything below it.
        power = torch.where(values > self._floor, 10.0 ** (values / 10.0), 0.0)
        power = self._in_room(power, chances) * gain_curve(chances, self._bands).square()[:, None, :, None]
        power = (power + self._added(power, chances)) * 10.0 ** (chances.gain[:, None, None, None] / 10.0)
        found = 10.0 * torch.log10(power.clamp(min=_TINY))
        if self._relative:
            found = found - found.amax(dim=(1, 2, 3), keepdim=True)
        return found.clamp(min=self._floor)

    def _shifted(self, values: Tensor, chances: Chances) -> Tensor:
        if not bool((chances.shift != 0).any()):
            return values
        # Between frames decibels are interpolated: of powers, a loud frame's share would fill the silence beside it.
        kernels = _moved(chances.shift / self.hop, values.shape[-1])
        return (values - self._floor) @ _toeplitz(kernels) + self._floor

    def _in_room(self, power: Tensor, chances: Chances) -> Tensor:
        if not bool((chances.wet > 0).any()):
            return power
        frames = power.shape[-1]
        kernels = _float(_room_kernels(self.hop, frames)).to(power.device)[chances.room]
        echo = power @ _toeplitz(torch.nn.functional.pad(kernels, (frames - 1, 0)))
        return power + echo * (chances.wet.square()[:, None] * self._dull)[:, None, :, None]

    def _added(self, power: Tensor, chances: Chances) -> Tensor:
        """Powers of noise and of rounding ``(n, channels, bands, frames)``."""
        frames = self._weights @ power
        mean, most = frames.mean(dim=(1, 2)), frames.amax(dim=(1, 2))
        curve = noise_curve(chances, self._bins) @ self._filters.T
        curve *= (mean / (chances.snr * noise_curve(chances, self._fine).mean(dim=1)))[:, None]
        rounding = _PEAK * most * chances.step.square() / 12.0
        curve += rounding[:, None] * self._filters.sum(dim=1)
        return curve[:, None, :, None] * self._grain(chances, power.shape[1], power.shape[-1])

    def _grain(self, chances: Chances, channels: int, frames: int) -> Tensor:
        """White noise's own ups and downs around 1, as bands hear them ``(n, channels, bands, frames)``."""
        if self._noise is None or len(self._noise) < 2 * frames:
            self._noise = self._measured(max(_NOISE_FRAMES, 2 * frames)).to(self._bins.device)
        places = len(self._noise) - frames
        starts = (chances.place * places).long()[:, None] + torch.arange(channels, device=chances.place.device) * 311
        found = pieces(self._noise, (starts % places).flatten(), frames)
        return found.transpose(1, 2).unflatten(0, starts.shape)

    def _measured(self, frames: int) -> Tensor:
        samples = round(frames * self.hop * self.sample_rate)
        power = _float(self._bands_of.power(white(1, samples).numpy(), self.sample_rate)[0])[:, :frames]
        expected = self._bands_of.per_square * _float(self._bands_of.sums)
        relative = torch.where(expected > 0, 1.0 / expected.clamp(min=_TINY), 0.0)[:, None] * power
        return relative.T.contiguous()


def _moved(shift: Tensor, frames: int) -> Tensor:
    """Kernels ``(n, 2 * frames - 1)`` over delays of ``1 - frames`` to ``frames - 1`` frames, that delay by a shift."""
    delays = torch.arange(1 - frames, frames, device=shift.device)
    return (1.0 - (delays - shift[:, None]).abs()).clamp(min=0.0)


def _toeplitz(kernels: Tensor) -> Tensor:
    """Matrices ``(n, 1, frames, frames)`` that a row of frames is multiplied by to be convolved."""
    frames = (kernels.shape[-1] + 1) // 2
    steps = torch.arange(frames, device=kernels.device)
    return kernels[:, None, steps - steps[:, None] + frames - 1]


@lru_cache(maxsize=4)
def _room_kernels(hop: float, frames: int) -> NDArray[np.float64]:
    """Shares ``(ROOMS, frames)`` of reverberation's energy that come so many frames late."""
    finer = 16
    edges = np.linspace(0.0, frames * hop, frames * finer + 1, dtype=np.float64)
    arriving = np.diff(rooms().energy(edges), axis=1)
    middles = (np.arange(frames * finer) + 0.5) / finer
    share = np.maximum(1.0 - np.abs(middles[:, None] - np.arange(frames)), 0.0)
    return arriving @ share


def _float(values: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32))
