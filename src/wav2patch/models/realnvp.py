"""RealNVP: an invertible network whose Jacobian's determinant is known.

Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", ICLR 2017. A coupling layer leaves a part a of
its input alone and moves the rest, b ↦ b · exp(s(a)) + t(a); the log-determinant is the sum of s. There is no
BatchNorm between the layers, as the paper has: each row is transformed without regard to the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wav2patch.models.layers import ResidualMlpBlock

_MOST = 2.0
"""Largest log-scale of a layer, approached smoothly: e² a layer is plenty, and no input can overflow."""

_FIRST = 0.1
"""The last weights of a layer relative to others, so that a new network is nearly the identity, but can learn."""


class Coupling(nn.Module):
    """One affine coupling layer.

    Args:
        kept: Columns that it leaves alone.
        moved: The other columns.
        context: Width of a vector that the transformation depends on as well; 0 without one.
        hidden: Width of the network that gives scales and shifts.
        blocks: Residual blocks in it.
    """

    def __init__(
        self, kept: Sequence[int], moved: Sequence[int], *, context: int = 0, hidden: int = 512, blocks: int = 2
    ) -> None:
        super().__init__()
        order = torch.tensor([*kept, *moved])
        self.register_buffer("kept", order[: len(kept)], persistent=False)
        self.register_buffer("moved", order[len(kept) :], persistent=False)
        self.register_buffer("back", order.argsort(), persistent=False)
        self.network = nn.Sequential(
            nn.Linear(len(kept) + context, hidden),
            *(ResidualMlpBlock(hidden) for _ in range(blocks)),
            nn.LayerNorm(hidden),
        )
        self.leave = nn.Linear(hidden, 2 * len(moved))
        nn.init.normal_(self.leave.weight, std=_FIRST / hidden**0.5)
        nn.init.zeros_(self.leave.bias)

    kept: Tensor
    moved: Tensor
    back: Tensor

    def forward(self, values: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Values ``(n, width)`` moved, and the log-determinant ``(n,)``."""
        kept = values[:, self.kept]
        scale, shift = self._affine(kept, context)
        moved = values[:, self.moved] * scale.exp() + shift
        return torch.cat([kept, moved], dim=1)[:, self.back], scale.sum(dim=1)

    def inverse(self, values: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What `forward` turns into values ``(n, width)``, and the log-determinant of the inverse ``(n,)``."""
        kept = values[:, self.kept]
        scale, shift = self._affine(kept, context)
        moved = (values[:, self.moved] - shift) * (-scale).exp()
        return torch.cat([kept, moved], dim=1)[:, self.back], -scale.sum(dim=1)

    def _affine(self, kept: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        known = kept if context is None else torch.cat([kept, context], dim=1)
        scale, shift = self.leave(self.network(known)).chunk(2, dim=1)
        return _MOST * torch.tanh(scale / _MOST), shift


class RealNvp(nn.Module):
    """Coupling layers, one after the other.

    Layers come in pairs that move one half of the columns by the other and the other way round. The halves of pair p
    are the columns whose number has bit p set and those that do not (p counted round and round), so that every two
    columns are told apart by some pair.

    Args:
        width: Columns of the vectors, 2 or more.
        layers: How many couplings; each column is moved from 2 on.
        context: Width of a vector that the transformation depends on as well; 0 without one.
        hidden: Width of the networks inside.
        blocks: Residual blocks in each.

    Raises:
        ValueError: There are fewer than 2 columns.
    """

    def __init__(self, width: int, *, layers: int = 6, context: int = 0, hidden: int = 512, blocks: int = 2) -> None:
        super().__init__()
        if width < 2:
            raise ValueError(f"a coupling needs two columns or more, not {width}")
        self.couplings = nn.ModuleList(
            Coupling(*_halves(width, layer), context=context, hidden=hidden, blocks=blocks) for layer in range(layers)
        )

    def forward(self, values: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Values ``(n, width)`` transformed, and log |det ∂forward/∂values| ``(n,)``.

        Args:
            values: ``(n, width)``.
            context: ``(n, context)``, where the network was made for one.
        """
        total = values.new_zeros(values.shape[0])
        for coupling in self.couplings:
            values, change = coupling(values, context)
            total = total + change
        return values, total

    def inverse(self, values: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What `forward` turns into values ``(n, width)``, and log |det ∂inverse/∂values| ``(n,)``."""
        total = values.new_zeros(values.shape[0])
        for coupling in reversed(self.couplings):
            assert isinstance(coupling, Coupling)
            values, change = coupling.inverse(values, context)
            total = total + change
        return values, total


def _halves(width: int, layer: int) -> tuple[list[int], list[int]]:
    bit = layer // 2 % (width - 1).bit_length()
    kept = [column for column in range(width) if column >> bit & 1 == layer % 2]
    return kept, [column for column in range(width) if column >> bit & 1 != layer % 2]
