"""The features of `wav2patch.features` for batches of clips, on the device, and their standardisation.

Data sets keep audio as float16; with these, training computes what it hears where it trains. Values are those of the
arrays' features within 0.001 dB wherever a sound has some noise in it. Beside pure tones, where bands hold little but
the rounding of their louder neighbours, single precision ends sooner: docs/features.md has figures. Where PyTorch is
told to multiply matrices in TF32 (`torch.set_float32_matmul_precision`), mel bands are within 0.005 dB; autocasting
does not reach them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wav2patch.features.base import Feature
from wav2patch.features.constant_q import ConstantQ, Plan
from wav2patch.features.log_mel import LogMel
from wav2patch.features.log_mel_level import LogMelLevel
from wav2patch.features.mel import MelGrid, full_scale
from wav2patch.features.spectrum import Spectrum
from wav2patch.features.standard import Standard
from wav2patch.features.stft import Stft
from wav2patch.features.waveform import Waveform
from wav2patch.metrics.spectrograms import mel_filters

_SMALLEST_POWER = 1e-10


class DeviceFeature(nn.Module, ABC):
    """A feature of a batch of clips ``(batch, channels, samples)``, of any floating-point type.

    Returns float32 ``(batch, …)``, each row the feature of its clip by itself. Gradients flow. Nothing of it is part
    of a state dict: what it is made of follows from the feature's words.
    """

    def forward(self, audio: Tensor) -> Tensor:
        """Compute the feature of each clip.

        Raises:
            ValueError: The audio has another number of dimensions.
        """
        if audio.ndim != 3:
            raise ValueError(f"a batch has the shape (batch, channels, samples), not {tuple(audio.shape)}")
        with torch.autocast(audio.device.type, enabled=False):
            return self.compute(audio.float())

    @abstractmethod
    def compute(self, audio: Tensor) -> Tensor:
        """The feature of float32 audio ``(batch, channels, samples)``."""


class _Mel(DeviceFeature):
    window: Tensor
    filters: Tensor

    def __init__(self, feature: MelGrid, sample_rate: int) -> None:
        super().__init__()
        self.length, self.hop = feature.lengths(sample_rate)
        window = torch.hamming_window(self.length, periodic=True, dtype=torch.float64)
        filters = np.array(mel_filters(sample_rate, self.length, feature.bands))
        self.register_buffer("window", window.float(), persistent=False)
        self.register_buffer("filters", torch.from_numpy(filters), persistent=False)

    def power(self, audio: Tensor) -> Tensor:
        """Band powers ``(batch, channels, bands, frames)``."""
        before, after = self.length // 2, self.length // 2 + self.length % 2
        padded = nn.functional.pad(audio.flatten(0, 1), (before, after))
        spectrum = torch.stft(padded, self.length, self.hop, window=self.window, center=False, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        return (self.filters @ power).unflatten(0, audio.shape[:2])


class _LogMel(_Mel):
    def __init__(self, feature: LogMel, sample_rate: int) -> None:
        super().__init__(feature, sample_rate)
        self.top_db = feature.top_db

    def compute(self, audio: Tensor) -> Tensor:
        power = self.power(audio).clamp(min=_SMALLEST_POWER)
        decibels = 10.0 * torch.log10(power)
        return (decibels - decibels.amax(dim=(1, 2, 3), keepdim=True)).clamp(min=-self.top_db)


class _LogMelLevel(_Mel):
    def __init__(self, feature: LogMelLevel, sample_rate: int) -> None:
        super().__init__(feature, sample_rate)
        self.floor = feature.floor
        self.reference = full_scale(sample_rate, self.length, feature.bands)

    def compute(self, audio: Tensor) -> Tensor:
        return _decibels(self.power(audio) / self.reference, self.floor)


class _ConstantQ(DeviceFeature):
    def __init__(self, feature: ConstantQ, sample_rate: int) -> None:
        super().__init__()
        self.feature, self.sample_rate = feature, sample_rate
        self._moved: tuple[Plan, torch.device, list[tuple[Tensor, Tensor]]] | None = None

    def compute(self, audio: Tensor) -> Tensor:
        plan = self.feature.plan(audio.shape[-1], self.sample_rate)
        shape = self.feature.shape(audio.shape[1], audio.shape[2], self.sample_rate)
        sound = audio if audio.shape[-1] else audio.new_zeros(*audio.shape[:2], 1)
        spectrum = torch.fft.rfft(sound, plan.samples) * (2.0 / plan.samples)
        powers = [
            self._frames(spectrum[..., bins] * weights, group.samples, plan.frames)
            for group, (bins, weights) in zip(plan.groups, self._on(plan, audio.device), strict=True)
        ]
        order = torch.from_numpy(np.argsort(np.concatenate([group.bands for group in plan.groups])))
        return _decibels(torch.cat(powers, dim=2)[:, :, order.to(audio.device), : shape[-1]], self.feature.floor)

    def _on(self, plan: Plan, device: torch.device) -> list[tuple[Tensor, Tensor]]:
        """Bins and weights on the device; those of the last length of clip are kept."""
        if self._moved is None or self._moved[0] is not plan or self._moved[1] != device:
            arrays = [
                (torch.from_numpy(g.bins).to(device), torch.from_numpy(g.weights).to(device)) for g in plan.groups
            ]
            self._moved = plan, device, arrays
        return self._moved[2]

    @staticmethod
    def _frames(cut: Tensor, samples: int, frames: int) -> Tensor:
        wave = torch.fft.ifft(cut, samples, norm="forward")
        power = wave.real.square() + wave.imag.square()
        finer = samples // frames
        return power.roll(finer // 2, dims=-1).unflatten(-1, (frames, finer)).mean(dim=-1)


class _Stft(DeviceFeature):
    window: Tensor

    def __init__(self, feature: Stft, sample_rate: int) -> None:
        super().__init__()
        self.size, self.hop = feature.size, feature.hop
        self.register_buffer("window", torch.hann_window(self.size, dtype=torch.float64).float(), persistent=False)

    def compute(self, audio: Tensor) -> Tensor:
        padded = nn.functional.pad(audio.flatten(0, 1), (self.size // 2, self.size // 2))
        found = torch.stft(padded, self.size, self.hop, window=self.window, center=False, return_complex=True)
        return torch.log1p(found.abs()).unflatten(0, audio.shape[:2])


class _Spectrum(DeviceFeature):
    def __init__(self, feature: Spectrum, sample_rate: int) -> None:
        super().__init__()
        self.floor = feature.floor

    def compute(self, audio: Tensor) -> Tensor:
        sound = audio if audio.shape[-1] else audio.new_zeros(*audio.shape[:2], 1)
        magnitude = torch.fft.rfft(sound, norm="forward").abs()
        return _decibels(magnitude.square(), self.floor) if self.floor < 0 else magnitude


class _Waveform(DeviceFeature):
    def __init__(self, feature: Waveform, sample_rate: int) -> None:
        super().__init__()
        self.gain = feature.gain

    def compute(self, audio: Tensor) -> Tensor:
        return audio * self.gain


DEVICE_FEATURES: MappingProxyType[type, Callable[[Any, int], DeviceFeature]] = MappingProxyType(
    {
        LogMel: _LogMel,
        LogMelLevel: _LogMelLevel,
        ConstantQ: _ConstantQ,
        Stft: _Stft,
        Spectrum: _Spectrum,
        Waveform: _Waveform,
    }
)
"""What computes a feature on the device, by the feature's class."""


def device_feature(feature: Feature, sample_rate: int) -> DeviceFeature:
    """A module that computes the feature for batches at one sample rate.

    Raises:
        ValueError: The feature has no form for the device.
    """
    maker = DEVICE_FEATURES.get(type(feature))
    if maker is None:
        raise ValueError(f"the feature {feature.name} is computed from arrays only")
    return maker(feature, sample_rate)


class Standardize(nn.Module):
    """Features with mean 0 and deviation 1 in every bin, by the statistics of a training set.

    A bin that hardly varies is centred and not scaled; see `Standard`.

    Args:
        mean: Of each bin, of a shape that broadcasts against the feature of one clip.
        deviation: Of the same shape, at least 0.

    Raises:
        ValueError: The shapes differ, a value is not finite, or a deviation is negative.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: NDArray[np.floating], deviation: NDArray[np.floating]) -> None:
        super().__init__()
        standard = Standard.of(mean, deviation)
        self.register_buffer("mean", torch.from_numpy(standard.mean))
        self.register_buffer("scale", torch.from_numpy(1.0 / standard.scale))

    def forward(self, feature: Tensor) -> Tensor:
        """Standardised features ``(batch, …)``, float32."""
        return (feature.float() - self.mean) * self.scale

    def invert(self, standard: Tensor) -> Tensor:
        """The features ``(batch, …)`` that standardised ones stand for."""
        return standard.float() / self.scale + self.mean


def _decibels(power: Tensor, floor: float) -> Tensor:
    return 10.0 * torch.log10(power.clamp(min=10.0 ** (floor / 10.0)))
