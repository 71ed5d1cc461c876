"""From a vector back to a feature: the other half of an autoencoder."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from wav2patch.models.layers import TokenHead, group_norm, initialize

_CONVOLUTIONS = {1: (nn.Conv1d, "linear"), 2: (nn.Conv2d, "bilinear")}
_BLOCKS = 2
"""Residual blocks of a decoder to embeddings, which is a head like an encoder's."""


class ConvolutionDecoder(nn.Module):
    """A spectrogram or spectrum of a vector: a small picture, doubled and convolved until it is large enough.

    Resizing comes before a convolution of stride 1, which leaves no checkerboard as transposed convolutions do (Odena
    et al., "Deconvolution and Checkerboard Artifacts", Distill 2016). The last doubling is by sub-pixels (Shi et al.,
    CVPR 2016): a convolution writes the values that lie between as channels, a quarter of the work and more.

    Args:
        inputs: Width of the vector.
        shape: Of one sound's feature: ``(channels, bands, frames)`` or ``(channels, bins)``.
        width: Channels of the smallest picture; each doubling of its sides halves them, down to 8.
        stages: Doublings at most; fewer where a side would start with less than 2.
    """

    def __init__(self, inputs: int, shape: tuple[int, ...], *, width: int = 128, stages: int = 5) -> None:
        super().__init__()
        convolution, mode = _CONVOLUTIONS[len(shape) - 1]
        stages = max(0, min(stages, int(math.log2(min(shape[1:]))) - 1))
        self.shape = tuple(shape)
        self.smallest = (width, *(-(-side // 2**stages) for side in shape[1:]))
        channels = [max(width >> stage, min(width, 8)) for stage in range(max(1, stages))]
        self.enter = nn.Linear(inputs, math.prod(self.smallest))
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(scale_factor=2, mode=mode, align_corners=False),
                convolution(before, after, 3, padding=1),
                group_norm(after),
                nn.GELU(),
            )
            for before, after in pairwise(channels)
        )
        self.between = 2 if stages else 1
        self.leave = convolution(channels[-1], shape[0] * self.between ** (len(shape) - 1), 3, padding=1)
        initialize(self)

    def forward(self, vectors: Tensor) -> Tensor:
        """Features ``(n, *shape)`` of vectors ``(n, inputs)``."""
        picture = self.enter(vectors).unflatten(1, self.smallest)
        if picture.ndim == 4:
            # Convolutions of few channels are twice as fast with the channels last.
            picture = picture.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            picture = stage(picture)
        picture = interleave(self.leave(picture), self.between)
        for axis, side in enumerate(self.shape[1:], start=2):
            picture = picture.narrow(axis, 0, side)
        return picture


def interleave(picture: Tensor, times: int) -> Tensor:
    """``(n, channels, times · side, …)`` of ``(n, channels · times^sides, side, …)``: sub-pixels, over any sides."""
    sides = picture.ndim - 2
    parts = picture.unflatten(1, (-1, *[times] * sides))
    order = [axis for side in range(sides) for axis in (2 + sides + side, 2 + side)]
    joined = parts.permute(0, 1, *order)
    return joined.reshape(*joined.shape[:2], *(times * side for side in picture.shape[2:]))


def make_decoder(inputs: int, shape: tuple[int, ...], *, width: int) -> nn.Module:
    """A decoder from vectors ``(n, inputs)`` to features ``(n, *shape)``.

    Args:
        inputs: Width of the vector.
        shape: Of one sound's feature, channels first; one number for an embedding.
        width: Channels where there are most.

    Raises:
        ValueError: A feature has more than three dimensions.
    """
    if len(shape) == 1:
        return nn.Sequential(TokenHead(inputs, 1, *shape, hidden=width, blocks=_BLOCKS), nn.Flatten(1))
    if len(shape) - 1 not in _CONVOLUTIONS:
        raise ValueError(f"there is no decoder to features of shape {tuple(shape)}")
    return ConvolutionDecoder(inputs, shape, width=width)
