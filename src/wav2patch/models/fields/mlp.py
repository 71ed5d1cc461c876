"""A vector field that knows nothing of what its columns mean: a residual network on the whole vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wav2patch.models.fields.modulation import ModulatedNorm, Modulation, Signals, small
from wav2patch.models.layout import Layout
from wav2patch.models.settings import need_positive


class MlpField(nn.Module):
    """Residual blocks, modulated by condition and time (CNF-MLP of Hayes et al., 2025).

    The paper has width 192 and 7 blocks for k-osc, 768 and 9 for Surge XT, where each block has its condition token.

    Args:
        layout: What the columns are.
        condition: Width of a condition token.
        outputs: What the columns of the answer are, as `gridded` makes them; None for those of the layout.
        width: Of the blocks.
        blocks: How many.
        time_features: See `TimeFeatures`; the paper has 0 for k-osc and 256 for Surge XT.
        shared_condition: Whether all blocks get one condition token, or each its own.
        zero_gates: See `Modulation`; the paper has False.

    Raises:
        ValueError: A setting is out of its range.

    Attributes:
        tokens: Condition tokens it wants.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        condition: int,
        outputs: Layout | None = None,
        width: int = 192,
        blocks: int = 7,
        time_features: int = 64,
        shared_condition: bool = True,
        zero_gates: bool = True,
    ) -> None:
        super().__init__()
        need_positive(width=width, blocks=blocks)
        self.tokens = 1 if shared_condition else blocks
        self.signals = Signals(condition, time_features, width)
        self.into = nn.Linear(layout.width, width)
        self.blocks = nn.ModuleList(_Block(width, zero_gates=zero_gates) for _ in range(blocks))
        self.out = small(nn.Linear(width, (outputs or layout).width))

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """Outputs ``(n, O)`` at points ``(n, D)``, times ``(n,)``, for conditions ``(n, tokens, condition)``."""
        signals = self.signals(t, condition)
        hidden = self.into(x)
        for i, block in enumerate(self.blocks):
            hidden = block(hidden, signals[:, min(i, self.tokens - 1)])
        return self.out(hidden)


class _Block(nn.Module):
    def __init__(self, width: int, *, zero_gates: bool) -> None:
        super().__init__()
        self.modulation = Modulation(width, 1, zero_gates=zero_gates)
        self.norm = ModulatedNorm(width)
        self.network = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, x: Tensor, signal: Tensor) -> Tensor:
        ((shift, scale, gate),) = self.modulation(signal)
        shift, scale, gate = shift[:, 0], scale[:, 0], gate[:, 0]
        return torch.addcmul(x, gate, self.network(self.norm(x, shift, scale)))
