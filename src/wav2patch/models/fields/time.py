"""When on the way from noise to a patch a velocity is wanted, as numbers that a network can use."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LOWEST, HIGHEST = 0.25, 32.0
"""Cycles that the slowest and the fastest feature go through while t goes from 0 to 1."""


class TimeFeatures(nn.Module):
    """Sines and cosines of t at geometrically spaced frequencies.

    The flow of Hayes et al. (2025) takes the features that language models have for positions 0, 1, 2, …; of t in
    [0, 1], without a scale, 58 of their 256 move by more than 0.05. Here each goes through a quarter of a cycle at
    least, and the fastest does not change too much within one step of 16 to let the step size show.

    Args:
        width: Features in all, an even number; 0 gives t itself, as the paper has it for k-osc.

    Attributes:
        width: Features that come out.

    Raises:
        ValueError: The width is odd or negative.
    """

    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        if width < 0 or width % 2:
            raise ValueError(f"time cannot have {width} features: choose an even number, or 0 for the plain time")
        self.width = width or 1
        spacing = torch.linspace(math.log(LOWEST), math.log(HIGHEST), width // 2)
        self.register_buffer("frequencies", 2.0 * math.pi * torch.exp(spacing), persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        """Features ``(n, width)`` in [−1, 1] of times ``(n,)`` in [0, 1]."""
        if not len(self.frequencies):
            return t[:, None]
        angles = t[:, None] * self.frequencies
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)
