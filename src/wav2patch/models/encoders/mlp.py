"""A residual MLP over a flattened feature."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wav2patch.models.layers import Heard, Leveller, TokenHead


class ResidualMlp(nn.Module):
    """For short features, such as the embedding of a clip; each number of a feature has its own weights.

    Args:
        shape: Of a feature.
        tokens: Condition tokens.
        width: Of a token.
        hidden: Width of the residual blocks.
        blocks: How many of them.
        heard: Each row levelled, or ``plain`` as it comes; see `Leveller`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        tokens: int = 1,
        width: int = 128,
        hidden: int = 512,
        blocks: int = 4,
        heard: Heard = "levelled",
    ) -> None:
        super().__init__()
        self.leveller = Leveller(heard, 1)
        self.head = TokenHead(math.prod(shape) + self.leveller.told, tokens, width, hidden=hidden, blocks=blocks)

    def forward(self, features: Tensor) -> Tensor:
        """Tokens ``(n, tokens, width)`` of features ``(n, *shape)``."""
        return self.head(torch.cat(self.leveller(features.flatten(1)), dim=1))
