"""A transformer over the patches of a spectrogram, some of which it does not see, and a decoder of patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PatchTransformer(nn.Module):
    """Square patches of a spectrogram as tokens with learnt positions, through layers with normalisation first.

    Positions are added here, to whatever stands for a patch: were they not added to those that are hidden, these would
    be one and the same to the network, which then cannot say more of them than their mean. Where patches do not fit
    evenly, the last ones reach into zeros, so that every band and frame is in one.

    Args:
        bands: Of the spectrograms.
        frames: Of the spectrograms.
        patch: Bands and frames of a patch.
        width: Of a token.
        layers: How many.
        heads: Of the attention.
        hidden: Width inside the feed-forward networks.

    Attributes:
        down: Patches in frequency.
        across: Patches in time.
        size: Numbers of a patch.

    Raises:
        ValueError: The spectrogram is smaller than a patch.
    """

    def __init__(
        self,
        bands: int,
        frames: int,
        *,
        patch: int = 5,
        width: int = 512,
        layers: int = 8,
        heads: int = 8,
        hidden: int = 2048,
    ) -> None:
        super().__init__()
        if not 1 <= patch <= min(bands, frames):
            raise ValueError(f"{bands} bands and {frames} frames hold no patch of {patch} by {patch}")
        self.patch, self.down, self.across = patch, -(-bands // patch), -(-frames // patch)
        self.short = self.down * patch - bands, self.across * patch - frames
        self.size = patch * patch
        self.embed = nn.Linear(self.size, width)
        self.positions = nn.Parameter(0.02 * torch.randn(self.down * self.across, width))
        self.layers = nn.TransformerEncoder(_layer(width, heads, hidden), layers, enable_nested_tensor=False)

    def patches(self, spectrograms: Tensor) -> Tensor:
        """Patches ``(n, down · across, size)`` of spectrograms ``(n, bands, frames)``, frames before bands."""
        whole = nn.functional.pad(spectrograms, (0, self.short[1], 0, self.short[0]))
        cut = whole.unflatten(2, (self.across, self.patch)).unflatten(1, (self.down, self.patch))
        return cut.permute(0, 1, 3, 2, 4).flatten(3).flatten(1, 2)

    def forward(self, contents: Tensor) -> Tensor:
        """Tokens ``(n, patches, width)`` in their context, of embedded patches of the same shape; see `embed`."""
        return self.layers(contents + self.positions)


class PatchDecoder(nn.Module):
    """What is in each patch, asked of the tokens of an encoder by cross-attention.

    Args:
        patches: How many there are.
        size: Numbers of a patch.
        width: Of a token.
        layers: How many.
        heads: Of the attention.
        hidden: Width inside the feed-forward networks.
    """

    def __init__(
        self, patches: int, size: int, *, width: int = 512, layers: int = 4, heads: int = 8, hidden: int = 2048
    ) -> None:
        super().__init__()
        self.questions = nn.Parameter(0.02 * torch.randn(patches, width))
        layer = nn.TransformerDecoderLayer(
            width, heads, hidden, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerDecoder(layer, layers)
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, size))

    def forward(self, tokens: Tensor) -> Tensor:
        """Patches ``(n, patches, size)`` of tokens ``(n, patches, width)``."""
        return self.leave(self.layers(self.questions.expand(len(tokens), -1, -1), tokens))


def _layer(width: int, heads: int, hidden: int) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        width, heads, hidden, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
