"""What several audio models do to sound before their networks: windows in time, spectrograms, mel bands."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def at_least(audio: Tensor, samples: int) -> Tensor:
    """Audio ``(B, samples)`` with silence after it where it is shorter than `samples`."""
    return F.pad(audio, (0, max(samples - audio.shape[1], 0)))


def sliding_windows(audio: Tensor, length: int, hop: int) -> Tensor:
    """Overlapping windows, centred on multiples of the hop, of sound that is mirrored at both ends.

    Args:
        audio: ``(B, samples)``. Sound too short to be mirrored gets silence after it.
        length: Samples per window, even.
        hop: Samples from one window to the next.

    Returns:
        ``(B, samples // hop + 1, length)``.
    """
    half = length // 2
    steps = audio.shape[1] // hop + 1
    mirrored = F.pad(at_least(audio, half + 1), (half, half), mode="reflect")
    return mirrored.unfold(1, length, hop)[:, :steps]


def htk_filters(
    sample_rate: float,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    *,
    straight_in: Literal["mel", "hz"] = "mel",
    equal_area: bool = False,
) -> Tensor:
    """Triangular mel filters on the HTK scale, of height 1 unless their areas are made equal.

    Args:
        sample_rate: Samples per second.
        n_fft: Length of the FFT whose bins are summed.
        n_mels: Number of filters.
        fmin: Lowest frequency in Hz.
        fmax: Highest frequency in Hz.
        straight_in: Where the slopes are straight lines: over mel, as Kaldi's, or over Hz, as torchaudio's.
        equal_area: Divide each by half its width in Hz, as librosa does.

    Returns:
        ``(n_mels, n_fft // 2 + 1)``, float32. Filters narrower than the bins' spacing may be all zero.
    """
    bins = torch.linspace(0.0, sample_rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    ends = _hz_to_mel(torch.tensor([fmin, fmax], dtype=torch.float64))
    edges = torch.linspace(float(ends[0]), float(ends[1]), n_mels + 2, dtype=torch.float64)
    hertz = 700.0 * torch.expm1(edges / 1127.0)
    if straight_in == "mel":
        bins = _hz_to_mel(bins)
    else:
        edges = hertz
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters = torch.minimum(rising, falling).clamp(min=0.0)
    return (filters * (2.0 / (hertz[2:] - hertz[:-2])[:, None]) if equal_area else filters).float()


def _hz_to_mel(frequency: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(frequency / 700.0)


class Spectrogram(nn.Module):
    """Power spectrogram ``(B, n_fft // 2 + 1, frames)`` of audio ``(B, samples)``, frames centred, mirrored ends."""

    window: Tensor

    def __init__(self, n_fft: int, length: int, hop: int, *, periodic: bool = True) -> None:
        """Frames of `length` samples under a Hann window, padded to `n_fft`, `hop` samples apart."""
        super().__init__()
        self.n_fft, self.length, self.hop = n_fft, length, hop
        self.register_buffer("window", torch.hann_window(length, periodic=periodic), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Power ``(B, n_fft // 2 + 1, frames)``."""
        audio = at_least(audio, self.n_fft // 2 + 1)
        spectrum = torch.stft(audio, self.n_fft, self.hop, self.length, self.window, return_complex=True)
        # Not abs() squared: that has no gradient at zero.
        return spectrum.real.square() + spectrum.imag.square()
