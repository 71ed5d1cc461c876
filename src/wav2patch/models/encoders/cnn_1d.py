"""A residual CNN over the bins of a spectrum: the encoder of the k-osc task (Hayes et al., ISMIR 2025)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from wav2patch.models.layers import (
    Heard,
    Leveller,
    ResidualConv,
    TokenHead,
    averaging,
    expect_shape,
    group_norm,
    initialize,
)

STRIDE, KERNEL = 3, 6
"""Of the convolution between two stages."""

SLOTS = 16
"""Places that are flattened at most; longer spectra are averaged to so many."""

_COMPRESSION = 30.0
_NORMS: dict[str, Callable[[int], nn.Module]] = {"group": group_norm, "batch": nn.BatchNorm1d}


class ResidualCnn1d(nn.Module):
    """Stages of two residual blocks and a convolution of stride 3, flattened to a residual MLP.

    The paper's encoder is ``norm="batch", heard="plain"``. By default rows do not depend on their batch, and inputs
    may have any scale: a row is brought to a root mean square of 1, heard beside its logarithm-like compression, and
    the head is told the level.

    Args:
        shape: ``(channels, bins)`` of a feature, any number of bins.
        tokens: Condition tokens.
        width: Of a token.
        widths: Channels of the stages.
        out: Channels behind the last stage.
        hidden: Width of the MLP.
        blocks: Residual blocks of the MLP.
        norm: What normalises between convolutions.
        heard: ``levelled`` as above, or ``plain`` as it comes.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        tokens: int = 1,
        width: int = 128,
        widths: Sequence[int] = (24, 48, 96, 192),
        out: int = 384,
        hidden: int = 512,
        blocks: int = 1,
        norm: Literal["group", "batch"] = "group",
        heard: Heard = "levelled",
    ) -> None:
        super().__init__()
        channels, bins = expect_shape(shape, "channels", "bins")
        if norm not in _NORMS:
            raise ValueError(f"norm is group or batch, not {norm!r}")
        normal = _NORMS[norm]
        self.leveller = Leveller(heard, 2, center=False)
        self.stem = nn.Conv1d(channels * (2 if self.leveller.told else 1), widths[0], 1)
        self.stages = nn.ModuleList(
            nn.Sequential(*(ResidualConv(nn.Conv1d, here, 7, normal) for _ in range(2)), _Shrink(here, there))
            for here, there in zip(widths, [*widths[1:], out], strict=True)
        )
        places = bins
        for _ in widths:
            places = (max(places, KERNEL) - KERNEL) // STRIDE + 1
        slots = min(places, SLOTS)
        self.register_buffer("averaging", averaging(places, slots) if places > slots else None, persistent=False)
        initialize(self)
        self.head = TokenHead(out * slots + self.leveller.told, tokens, width, hidden=hidden, blocks=blocks)

    averaging: Tensor | None

    def forward(self, features: Tensor) -> Tensor:
        """Tokens ``(n, tokens, width)`` of spectra ``(n, channels, bins)``."""
        values, told = self.leveller(features)
        if self.leveller.told:
            squeezed = torch.asinh(_COMPRESSION * values) / math.asinh(_COMPRESSION)
            values = torch.cat([values, squeezed], dim=1)
        values = self.stem(values)
        for stage in self.stages:
            values = stage(values)
        if self.averaging is not None:
            values = values @ self.averaging
        return self.head(torch.cat([values.flatten(1), told], dim=1))


class _Shrink(nn.Conv1d):
    """A third of the places. Up to two at the end are not covered, but the blocks before have carried them inwards."""

    def __init__(self, here: int, there: int) -> None:
        super().__init__(here, there, KERNEL, stride=STRIDE)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(nn.functional.pad(input, (0, max(KERNEL - input.shape[-1], 0))))
