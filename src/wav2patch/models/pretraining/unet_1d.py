"""A U-Net over time whose channels are frequency bands."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wav2patch.models.layers import group_norm

_SKIPPED = 2.0**-0.5
"""What skips are multiplied by, so that the sum of two signals of one variance keeps it."""


class UNetEncoder(nn.Module):
    """The way down: convolutions over frames, halved at each level.

    Args:
        bands: Channels that come in.
        base: Channels of the first level.
        multipliers: Of the base, by level.
        blocks: Of each level.

    Attributes:
        widths: Channels of the levels, the last of which are the bottleneck's.
    """

    def __init__(
        self, bands: int, *, base: int = 128, multipliers: Sequence[int] = (1, 2, 4, 8), blocks: int = 2
    ) -> None:
        super().__init__()
        self.widths = tuple(base * one for one in multipliers)
        self.stem = nn.Conv1d(bands, base, 3, padding=1)
        before = (base, *self.widths[:-1])
        self.levels = nn.ModuleList(_level(one, here, blocks) for one, here in zip(before, self.widths, strict=True))
        self.shrink = nn.ModuleList(nn.Conv1d(here, here, 4, stride=2, padding=1) for here in self.widths)
        self.bottom = _level(self.widths[-1], self.widths[-1], blocks)

    def forward(self, spectrograms: Tensor, beside: Tensor | float = 0.0) -> tuple[Tensor, list[Tensor]]:
        """The bottleneck ``(n, widths[-1], places)`` of spectrograms ``(n, bands, frames)``, and what is skipped.

        ``beside``, ``(n, base, frames)``, is added to what the first convolution makes of them.
        """
        values, skips = self.stem(spectrograms) + beside, []
        for level, shrink in zip(self.levels, self.shrink, strict=True):
            values = level(values)
            skips.append(values)
            # An odd number of frames cannot be halved.
            values = shrink(nn.functional.pad(values, (0, values.shape[-1] % 2)))
        return self.bottom(values), skips


class UNet1d(nn.Module):
    """Down and up again, with a skip for each level.

    It is told which cells are hidden: as bands are channels, no filling stands out from a value that could be there.

    Args:
        bands: Channels that come in and go out.
        base: See `UNetEncoder`.
        multipliers: See `UNetEncoder`.
        blocks: See `UNetEncoder`.
    """

    def __init__(
        self, bands: int, *, base: int = 128, multipliers: Sequence[int] = (1, 2, 4, 8), blocks: int = 2
    ) -> None:
        super().__init__()
        self.encoder = UNetEncoder(bands, base=base, multipliers=multipliers, blocks=blocks)
        self.told = nn.Conv1d(bands, base, 3, padding=1, bias=False)
        here = self.encoder.widths[::-1]
        before = (here[0], *here[:-1])
        self.grow = nn.ModuleList(
            nn.ConvTranspose1d(one, other, 4, stride=2, padding=1) for one, other in zip(before, here, strict=True)
        )
        self.levels = nn.ModuleList(_level(2 * one, one, blocks) for one in here)
        self.leave = nn.Sequential(group_norm(here[-1]), nn.SiLU(), nn.Conv1d(here[-1], bands, 3, padding=1))

    def forward(self, spectrograms: Tensor, hidden: Tensor) -> Tensor:
        """Spectrograms ``(n, bands, frames)`` of those of which boolean ``hidden`` cells, of the same shape, are 0."""
        values, skips = self.encoder(spectrograms, self.told(hidden.to(spectrograms)))
        for grow, level, skip in zip(self.grow, self.levels, reversed(skips), strict=True):
            grown = grow(values)[..., : skip.shape[-1]]
            values = level(torch.cat([grown, _SKIPPED * skip], dim=1))
        return self.leave(values)


class _Block(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(before, after, 3, padding=1), group_norm(after), nn.SiLU(),
            nn.Conv1d(after, after, 3, padding=1), group_norm(after), nn.SiLU(),
        )  # fmt: skip

    def forward(self, values: Tensor) -> Tensor:
        return self.body(values)


def _level(before: int, after: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(before if not i else after, after) for i in range(blocks)))
