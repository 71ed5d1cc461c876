"""How condition and time reach a layer: as a shift, a scale and a gate of each of its branches (AdaLN).

Peebles and Xie, "Scalable diffusion models with transformers", ICCV 2023.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wav2patch.models.fields.time import TimeFeatures


class Signals(nn.Module):
    """What the layers are modulated by: condition tokens and time, through one network for all of them.

    Args:
        condition: Width of a condition token.
        time_features: See `TimeFeatures`.
        width: Of a signal.
    """

    def __init__(self, condition: int, time_features: int, width: int) -> None:
        super().__init__()
        self.time = TimeFeatures(time_features)
        self.network = nn.Sequential(
            nn.Linear(condition + self.time.width, width), nn.GELU(), nn.Linear(width, width), nn.GELU()
        )

    def forward(self, t: Tensor, condition: Tensor) -> Tensor:
        """Signals ``(n, tokens, width)`` of times ``(n,)`` and condition tokens ``(n, tokens, condition)``."""
        time = self.time(t)[:, None].expand(-1, condition.shape[1], -1)
        return self.network(torch.cat([condition, time], dim=-1))


class Modulation(nn.Module):
    """Shift, scale and gate of each branch of a layer.

    Args:
        width: Of the signal and of the layer.
        branches: Such as attention and feed-forward.
        zero_gates: Whether the gates start at 0, and the layer as the identity. No gradient reaches a branch before
            its gate has moved, which the first step of training does.
    """

    def __init__(self, width: int, branches: int, *, zero_gates: bool) -> None:
        super().__init__()
        self.branches = branches
        self.linear = nn.Linear(width, 3 * branches * width)
        if zero_gates:
            for values in (self.linear.weight, self.linear.bias):
                nn.init.zeros_(values.data.unflatten(0, (branches, 3, width))[:, 2])

    def forward(self, signal: Tensor) -> tuple[tuple[Tensor, Tensor, Tensor], ...]:
        """Shift, scale and gate ``(n, 1, width)`` of each branch from a signal ``(n, width)``."""
        parts = self.linear(signal)[:, None].chunk(3 * self.branches, dim=-1)
        return tuple((parts[3 * i], parts[3 * i + 1], parts[3 * i + 2]) for i in range(self.branches))


class ModulatedNorm(nn.Module):
    """Layer normalisation without weights of its own, then ``(1 + scale)·x + shift``."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)

    def forward(self, x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        """``(n, tokens, width)`` from the same, with shift and scale ``(n, 1, width)``."""
        return torch.addcmul(shift, self.norm(x), 1.0 + scale)


def small(linear: nn.Linear) -> nn.Linear:
    """A last layer with its first weights a tenth of the usual and no bias, so that velocities start near zero."""
    with torch.no_grad():
        linear.weight.mul_(0.1)
        linear.bias.zero_()
    return linear
