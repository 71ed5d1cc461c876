"""The audio spectrogram transformer with a learnt query for each condition token.

Gong et al., "AST: Audio spectrogram transformer", Interspeech 2021; queries as by Hayes et al. (ISMIR 2025), who give
every layer of the vector field a token of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wav2patch.models.attention import AttentionLayer
from wav2patch.models.layers import Heard, Leveller, expect_shape, initialize

_LEVEL = 0.1
"""Initial weight of the level in a token, which has a deviation of about 1; logarithms of levels go to 10."""


class SpectrogramTransformer(nn.Module):
    """Overlapping patches of a spectrogram and learnt queries go through a pre-norm transformer; queries come out.

    The paper's encoder has ``width=512, hidden=512, tokens=8, heard="plain"``.

    Args:
        shape: ``(channels, bands, frames)`` of a feature. Where patches do not fit evenly, the last ones reach into
            zeros, so that every band and frame is in one.
        tokens: Condition tokens, and queries.
        width: Of a token, and of the transformer.
        layers: Of the transformer.
        heads: Of the attention.
        hidden: Width of the feed-forward networks; twice the transformer's by default.
        patch: Bands and frames of a patch.
        stride: From one patch to the next.
        heard: Each row levelled, and the level added to all tokens, or ``plain`` as it comes; see `Leveller`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        tokens: int = 1,
        width: int = 128,
        layers: int = 8,
        heads: int = 8,
        hidden: int | None = None,
        patch: int = 16,
        stride: int = 10,
        heard: Heard = "levelled",
    ) -> None:
        super().__init__()
        channels, bands, frames = expect_shape(shape, "channels", "bands", "frames")
        if not 1 <= stride <= patch:
            raise ValueError(f"the stride is 1 to {patch}, the size of a patch, not {stride}")
        down, across = (_patches(places, patch, stride) for places in (bands, frames))
        self.short = tuple((n - 1) * stride + patch - places for n, places in ((down, bands), (across, frames)))
        self.tokens = tokens
        self.leveller = Leveller(heard, 3)
        self.patches = nn.Conv2d(channels, width, patch, stride=stride)
        self.tell = nn.Linear(self.leveller.told, width) if self.leveller.told else None
        self.layers = nn.ModuleList(AttentionLayer(width, heads, hidden or 2 * width) for _ in range(layers))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))
        initialize(self)
        if self.tell is not None:
            nn.init.normal_(self.tell.weight, std=_LEVEL)
        self.positions = nn.Parameter(0.02 * torch.randn(down * across, width))
        self.queries = nn.Parameter(0.02 * torch.randn(tokens, width))

    def forward(self, features: Tensor) -> Tensor:
        """Tokens ``(n, tokens, width)`` of spectrograms ``(n, channels, bands, frames)``."""
        values, told = self.leveller(features)
        queries = self.queries.expand(features.shape[0], -1, -1)
        sequence = torch.cat([queries, self.embed(values)], dim=1)
        for layer in self.layers[:-1]:
            sequence = layer(sequence)
        heard = self.leave(self.layers[-1](sequence, self.tokens))
        return heard if self.tell is None else heard + self.tell(told)[:, None]

    def embed(self, values: Tensor) -> Tensor:
        """Embedded patches with their positions ``(n, patches, width)``, frames before bands."""
        down, across = self.short
        patches = self.patches(nn.functional.pad(values, (0, across, 0, down)))
        return patches.flatten(2).transpose(1, 2) + self.positions


def _patches(places: int, patch: int, stride: int) -> int:
    """How many patches it takes to cover so many bands or frames."""
    return -(-max(places - patch, 0) // stride) + 1
