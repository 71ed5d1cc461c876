"""A residual CNN over bands and frames, quick enough to train on a processor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wav2patch.models.layers import (
    Heard,
    Leveller,
    ResidualConv,
    TokenHead,
    after_stride,
    averaging,
    expect_shape,
    group_norm,
    initialize,
)

STEM, STEP = 4, 2
"""Strides of the stem and between two stages."""


class ResidualCnn2d(nn.Module):
    """A stem of stride 4, stages of residual blocks with half the bands and frames each, and averages of coarse places.

    What is heard where matters: the stem adds a learnt number to each band, and the last map is not averaged to one
    vector but to a few slots in time by a few in frequency, so that envelopes and registers come through.

    Args:
        shape: ``(channels, bands, frames)`` of a feature, any number of them.
        tokens: Condition tokens.
        width: Of a token.
        widths: Channels of the stages.
        blocks: Residual blocks of the stages.
        times: Slots in time that are kept at most.
        registers: Slots in frequency that are kept at most.
        squeezed: Channels of a slot.
        hidden: Width of the residual MLP behind.
        heard: Each row levelled, or ``plain`` as it comes; see `Leveller`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        tokens: int = 1,
        width: int = 128,
        widths: Sequence[int] = (32, 64, 128, 256),
        blocks: Sequence[int] = (1, 2, 2, 2),
        times: int = 8,
        registers: int = 4,
        squeezed: int = 48,
        hidden: int = 512,
        heard: Heard = "levelled",
    ) -> None:
        super().__init__()
        channels, bands, frames = expect_shape(shape, "channels", "bands", "frames")
        if len(widths) != len(blocks):
            raise ValueError(f"there is a number of blocks for each of {len(widths)} widths, not {len(blocks)}")
        self.leveller = Leveller(heard, 3)
        self.stem = nn.Conv2d(channels, widths[0], 7, stride=STEM, padding=3)
        bands, frames = after_stride(bands, STEM), after_stride(frames, STEM)
        self.place = nn.Parameter(0.02 * torch.randn(widths[0], bands, 1))
        self.stages = nn.Sequential()
        for i, (here, count) in enumerate(zip(widths, blocks, strict=True)):
            if i:
                self.stages.append(nn.Conv2d(widths[i - 1], here, 3, stride=STEP, padding=1))
                bands, frames = after_stride(bands, STEP), after_stride(frames, STEP)
            self.stages.extend(ResidualConv(nn.Conv2d, here) for _ in range(count))
        self.squeeze = nn.Sequential(group_norm(widths[-1]), nn.Conv2d(widths[-1], squeezed, 1))
        rows, columns = min(bands, registers), min(frames, times)
        self.register_buffer("low", averaging(bands, rows).T.contiguous(), persistent=False)
        self.register_buffer("late", averaging(frames, columns), persistent=False)
        initialize(self)
        self.head = TokenHead(squeezed * rows * columns + self.leveller.told, tokens, width, hidden=hidden)

    low: Tensor
    late: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """Tokens ``(n, tokens, width)`` of spectrograms ``(n, channels, bands, frames)``."""
        values, told = self.leveller(features)
        values = self.squeeze(self.stages(self.stem(values) + self.place))
        slots = self.low @ values @ self.late
        return self.head(torch.cat([slots.flatten(1), told], dim=1))
