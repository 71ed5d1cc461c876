"""The nine-parameter FM synth of InverSynth II (Barkan et al., ISMIR 2023, repository inversynth/InverSynth2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from wav2patch.synths.tensor.inversynth_space import (
    AM_AMOUNTS,
    AM_FREQUENCIES,
    CLASSES,
    CUTOFFS,
    FREQUENCIES,
    INDICES,
    LFO_FREQUENCIES,
    SAMPLE_RATE,
)
from wav2patch.synths.tensor.signals.phase import turns

ZEROS = 8
"""Zero crossings of the low-pass filter's windowed sinc, on both sides together (julius' default)."""


def one_hots(patches: Tensor) -> Tensor:
    """Weights ``(…, 104)`` of patches ``(…, 9)``, whose values are the numbers of classes."""
    hots = [
        torch.nn.functional.one_hot(patches[..., i].long(), classes).to(patches.dtype)
        for i, classes in enumerate(CLASSES)
    ]
    return torch.cat(hots, dim=-1)


def inversynth_fm(weights: Tensor, length: int, *, sample_rate: float = SAMPLE_RATE) -> Tensor:
    """Render the FM synth from weights of its classes.

    With one-hots this is the original synth; with soft weights, such as a network's probabilities, waves are mixed
    and numbers averaged, so that gradients reach every weight. (Those of a square wave do not reach its frequency.)

    An LFO shifts the carrier's phase by the running sum of its samples times the modulation index; then come a
    tremolo, a low-pass filter, and a gain that brings the peak of the first second to 1. Waves are naive, not
    band-limited. The running sum is scaled so that the vibrato's depth is the same at every sample rate. (The
    original's clock runs from 0 to 1 s *inclusive*, so that it plays 0.1 cents sharp; here it does not.)

    Args:
        weights: ``(batch, 104)``: oscillator wave 3, frequency 12, modulation index 20, LFO frequency 31, LFO wave 4,
            AM wave 5, AM frequency 8, AM amount 5, cutoff 16; each group's sum is 1.
        length: Number of samples.
        sample_rate: In Hz; the original's is 16,384.

    Returns:
        ``(batch, length)``.
    """
    wave, frequency, index, lfo_frequency, lfo_wave, am_wave, am_frequency, amount, cutoff = weights.split(CLASSES, -1)
    first = round(sample_rate)
    count = max(length, first)

    def clock(choices: Tensor, hertz: tuple[float, ...]) -> Tensor:
        return turns(_mean(choices, hertz) / sample_rate, count)

    lfo = _mix(clock(lfo_frequency, LFO_FREQUENCIES), lfo_wave, (_sine, _square, _triangle, _saw))
    depth = _mean(index, INDICES) * (SAMPLE_RATE / sample_rate / (2.0 * math.pi))
    phase = clock(frequency, FREQUENCIES) + depth.unsqueeze(-1) * lfo.cumsum(dim=-1)
    carrier = _mix(phase, wave, (_sine, _square, _saw))
    modulator = _mix(clock(am_frequency, AM_FREQUENCIES), am_wave, (torch.ones_like, _sine, _square, _triangle, _saw))
    swing = _mean(amount, AM_AMOUNTS).unsqueeze(-1)
    tremolo = swing * (modulator + 1.0) / 2.0 + (1.0 - swing)
    filtered = low_pass(
        carrier * tremolo, (_mean(cutoff, CUTOFFS) / sample_rate).clamp_max(0.5), CUTOFFS[0] / sample_rate
    )
    peak = filtered[..., :first].abs().amax(dim=-1, keepdim=True)
    return (filtered / peak.clamp_min(1e-9))[..., :length]


def low_pass(signal: Tensor, cutoff: Tensor, lowest: float) -> Tensor:
    """Windowed-sinc low-pass filter without delay; the signal's ends are held.

    Args:
        signal: ``(batch, length)``.
        cutoff: As a share of the sample rate, ``(batch,)``, `lowest` to 0.5.
        lowest: Least cutoff, which sets how long the filter is.

    Returns:
        ``(batch, length)``.
    """
    half = int(ZEROS / lowest / 2.0)
    time = torch.arange(-half, half + 1, dtype=signal.dtype, device=signal.device)
    reach = torch.floor(ZEROS / 2.0 / cutoff).unsqueeze(-1)
    window = torch.where(time.abs() <= reach, 0.5 + 0.5 * torch.cos(math.pi * time / reach), torch.zeros_like(time))
    kernel = window * torch.sinc(2.0 * cutoff.unsqueeze(-1) * time)
    kernel = kernel / kernel.sum(dim=-1, keepdim=True)
    held = [signal[..., :1].expand(-1, half), signal, signal[..., -1:].expand(-1, half)]
    size = _fast(signal.shape[-1] + 4 * half)
    spectrum = torch.fft.rfft(torch.cat(held, dim=-1), size) * torch.fft.rfft(kernel, size)
    return torch.fft.irfft(spectrum, size)[..., 2 * half : 2 * half + signal.shape[-1]]


def _fast(size: int) -> int:
    """The next length at which Fourier transforms are fast."""
    return -(-size // 1024) * 1024


def _mean(weights: Tensor, values: tuple[float, ...]) -> Tensor:
    return weights @ torch.tensor(values, dtype=weights.dtype, device=weights.device)


def _mix(phase: Tensor, weights: Tensor, waves: Sequence[Callable[[Tensor], Tensor]]) -> Tensor:
    # One-hots need one wave of several, but a gradient reaches a weight of 0 only if its wave is there.
    used = [True] * len(waves) if torch.is_grad_enabled() and weights.requires_grad else weights.any(dim=0).tolist()
    mixed = torch.zeros_like(phase)
    for i in range(len(waves)):
        if used[i]:
            mixed = mixed.addcmul(weights[..., i : i + 1], waves[i](phase))
    return mixed


def _sine(phase: Tensor) -> Tensor:
    return torch.sin(2.0 * math.pi * phase)


def _square(phase: Tensor) -> Tensor:
    return torch.sign(_sine(phase))


def _triangle(phase: Tensor) -> Tensor:
    return 1.0 - 4.0 * (torch.remainder(phase + 0.25, 1.0) - 0.5).abs()


def _saw(phase: Tensor) -> Tensor:
    return 2.0 * torch.remainder(phase + 0.5, 1.0) - 1.0
