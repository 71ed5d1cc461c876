"""The strided CNN of InverSynth II."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from wav2patch.models.layers import Heard, Leveller, TokenHead, expect_shape, group_norm

_SLOPE = 0.1
"""Of a LeakyReLU below 0."""


class StridedCnn(nn.Module):
    """Convolutions of stride 2 until little is left of the picture, and one over channels.

    The encoder of Barkan et al., "InverSynth II" (ISMIR 2023): a kernel of 5, then kernels of 4, LeakyReLU. Each row
    is normalised by itself in groups of channels, where the original normalises over the batch, so that a sound's
    answer does not depend on its neighbours; and nothing is dropped by chance.

    Args:
        shape: ``(channels, bands, frames)`` of a feature.
        tokens: Condition tokens.
        width: Of a token.
        widths: Channels of the convolutions.
        mixed: Channels in the end.
        hidden: Width of the residual MLP behind.
        blocks: Of that MLP.
        heard: Each row levelled, or ``plain`` as it comes; see `Leveller`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        tokens: int = 1,
        width: int = 128,
        widths: Sequence[int] = (8, 16, 32, 64, 128, 256, 512),
        mixed: int = 2048,
        hidden: int = 512,
        blocks: int = 0,
        heard: Heard = "levelled",
    ) -> None:
        super().__init__()
        channels, *sides = expect_shape(shape, "channels", "bands", "frames")
        self.leveller = Leveller(heard, 3)
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 5, stride=2, padding=2), nn.LeakyReLU(_SLOPE)]
        sides = [(side - 1) // 2 + 1 for side in sides]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=2), group_norm(after), nn.LeakyReLU(_SLOPE)]
            sides = [side // 2 + 1 for side in sides]
        layers += [nn.Conv2d(widths[-1], mixed, 1), nn.LeakyReLU(_SLOPE)]
        self.body = nn.Sequential(*layers)
        inputs = mixed * sides[0] * sides[1] + self.leveller.told
        self.head = TokenHead(inputs, tokens, width, hidden=hidden, blocks=blocks)

    def forward(self, features: Tensor) -> Tensor:
        """Tokens ``(n, tokens, width)`` of spectrograms ``(n, channels, bands, frames)``."""
        values, told = self.leveller(features)
        return self.head(torch.cat([self.body(values).flatten(1), told], dim=1))
