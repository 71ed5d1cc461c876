"""What pretraining hears: one channel of a spectrogram, on one scale, and what of it was hidden."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_QUIETEST = 1e-5


@dataclass(frozen=True, eq=False)
class Scaled:
    """Spectrograms ``(n, bands, frames)`` with mean 0 and deviation 1 in each row, and the way back.

    Attributes:
        values: As they are heard.
        mean: ``(n, 1, 1)``.
        deviation: ``(n, 1, 1)``.
    """

    values: Tensor
    mean: Tensor
    deviation: Tensor

    def back(self, values: Tensor) -> Tensor:
        """Values on this scale as spectrograms."""
        return values * self.deviation + self.mean


def scaled(spectrograms: Tensor, seen: Tensor | None = None) -> Scaled:
    """Rows on one scale, by what is seen of them, so that nothing is told of what is not.

    Args:
        spectrograms: ``(n, bands, frames)``.
        seen: Boolean of the same shape; all by default.
    """
    counts = torch.ones_like(spectrograms) if seen is None else seen.to(spectrograms)
    many = counts.sum(dim=(1, 2), keepdim=True).clamp(min=1.0)
    mean = (spectrograms * counts).sum(dim=(1, 2), keepdim=True) / many
    deviation = (((spectrograms - mean) * counts).square().sum(dim=(1, 2), keepdim=True) / many).sqrt() + _QUIETEST
    return Scaled((spectrograms - mean) / deviation, mean, deviation)
