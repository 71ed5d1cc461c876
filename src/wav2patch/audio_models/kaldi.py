"""Kaldi's log-mel filter bank ("fbank"), the front end of models that were trained on it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wav2patch.audio_models.frontends import htk_filters

PREEMPHASIS = 0.97
LOWEST_HZ = 20.0


@dataclass(frozen=True)
class KaldiFilterBank:
    """Log-mel energies as Kaldi's ``compute-fbank-feats`` gives them without dither and with a Hann window.

    Every frame loses its mean, is pre-emphasised (0.97, its first sample against itself), weighted by a symmetric
    Hann window and padded with zeros to a power of two; the power spectrum is summed by triangles that are
    equidistant in mel (``1127 ln(1 + f / 700)``) from 20 Hz to half the sample rate; energies below float32's
    epsilon are raised to it. Frames lie wholly inside the sound (``snip-edges``).

    Source: Kaldi's feature-window.cc, mel-computations.cc and feature-fbank.cc (Povey et al., ASRU 2011).

    Attributes:
        sample_rate: Samples per second.
        bands: Number of mel bands.
        window: Seconds of a frame.
        hop: Seconds from one frame to the next.
    """

    sample_rate: int
    bands: int = 128
    window: float = 0.025
    hop: float = 0.010

    @property
    def length(self) -> int:
        """Samples of a frame."""
        return int(self.sample_rate * self.window)

    @property
    def step(self) -> int:
        """Samples from one frame to the next."""
        return int(self.sample_rate * self.hop)

    def __call__(self, audio: Tensor) -> Tensor:
        """Natural logarithms of mel energies ``(..., frames, bands)`` of audio ``(..., samples)`` of at least `length`.

        Kaldi expects the range of 16-bit integers; models that were trained on audio within ±1 want that.
        """
        frames = audio.unfold(-1, self.length, self.step)
        frames = frames - frames.mean(-1, keepdim=True)
        before = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
        frames = frames - PREEMPHASIS * before
        shape = torch.hann_window(self.length, periodic=False, dtype=audio.dtype, device=audio.device)
        size = fft_size(self.length)
        spectrum = torch.fft.rfft(frames * shape, n=size)
        # Not abs() squared: that has no gradient at zero.
        power = spectrum.real.square() + spectrum.imag.square()
        filters = htk_filters(self.sample_rate, size, self.bands, LOWEST_HZ, self.sample_rate / 2)
        energies = power @ filters.to(audio).T
        return energies.clamp(min=torch.finfo(torch.float32).eps).log()


def fft_size(length: int) -> int:
    """The least power of two that is not less than `length`."""
    return 1 << (length - 1).bit_length()
