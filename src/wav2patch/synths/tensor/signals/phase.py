"""Phases and frequency bands, which all oscillators share."""

from __future__ import annotations

import torch
from torch import Tensor

RATE = 44100.0
"""Sample rate at which k-sin, k-osc and FM are defined, in Hz."""


def turns(cycles: Tensor, length: int, start: int = 0, *, double: bool = True) -> Tensor:
    """Phase of oscillators that start at phase 0.

    Args:
        cycles: Turns a sample, ``(…)``, 0 or more.
        length: Number of samples.
        start: Number of the first sample.
        double: Whether to count in double precision: in single, phases jitter by 0.001 turns after a second.

    Returns:
        ``(…, length)``, 0 to 1.
    """
    exact = cycles.double() if double else cycles
    samples = torch.arange(start, start + length, dtype=exact.dtype, device=exact.device)
    return (exact.unsqueeze(-1) * samples).frac().to(cycles.dtype)


def unit(values: Tensor) -> Tensor:
    """From the parameters' [-1, 1] to [0, 1]."""
    return (values + 1.0) / 2.0


def bands(places: Tensor) -> Tensor:
    """Give each of k oscillators a band of its own: place u in [0, 1] of oscillator i becomes ``(i + u) / k``."""
    count = places.shape[-1]
    return (torch.arange(count, dtype=places.dtype, device=places.device) + places) / count


def audible(cycles: Tensor, levels: Tensor) -> Tensor:
    """Levels with those at 0 whose oscillator lies above half the sample rate, where it would fold back."""
    return torch.where(cycles > 0.5, torch.zeros_like(levels), levels)
