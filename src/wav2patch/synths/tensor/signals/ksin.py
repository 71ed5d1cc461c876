"""k-sin: a sum of sines (Hayes et al., ISMIR 2025, repository ben-hayes/synth-permutations; not in the paper)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wav2patch.synths.tensor.signals.phase import RATE, audible, bands, turns, unit


def ksin(
    parameters: Tensor, length: int, *, symmetric: bool = True, sample_rate: float = RATE, start: int = 0
) -> Tensor:
    """Render k sines.

    Frequency f gives ``π (f + 1) / 2`` radians a sample at 44.1 kHz, amplitude a gives ``(a + 1) / 2``, and the
    sines are summed, not averaged. As in the original, nothing is clamped: a prediction out of range is extrapolated.

    Args:
        parameters: ``(batch, 2k)``: k frequencies, then k amplitudes, each in [-1, 1].
        length: Number of samples.
        symmetric: Whether all oscillators share one band; otherwise oscillator i has ``[i, i + 1] / k`` of it.
        sample_rate: In Hz; a sine above half of it is silent.
        start: Number of the first sample, to render in pieces.

    Returns:
        ``(batch, length)``.
    """
    frequencies, amplitudes = parameters.chunk(2, dim=-1)
    places = unit(frequencies)
    cycles = (places if symmetric else bands(places)) * (0.5 * RATE / sample_rate)
    levels = audible(cycles, unit(amplitudes)).unsqueeze(-1)
    return (levels * torch.sin(2.0 * math.pi * turns(cycles, length, start))).sum(dim=-2)
