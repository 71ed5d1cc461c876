"""Small layers that encoders and fields share. None of them depends on the other rows of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

Heard = Literal["levelled", "plain"]
"""How an encoder takes features: brought to one scale, and told what it was, or as they come."""

_QUIETEST = 1e-5


class ResidualMlpBlock(nn.Module):
    """Two linear layers with a GELU between them, added to what comes in; LayerNorm first (pre-norm).

    Args:
        width: Of what comes in and goes out.
        hidden: Width between the layers; that of the input by default.
    """

    def __init__(self, width: int, hidden: int | None = None) -> None:
        super().__init__()
        between = hidden or width
        self.branch = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, between), nn.GELU(), nn.Linear(between, width)
        )
        initialize(self)

    def forward(self, values: Tensor) -> Tensor:
        """Values ``(…, width)`` of the same shape."""
        return values + self.branch(values)


class ResidualConv(nn.Module):
    """A convolution over places and one over channels with a GELU between, added to what comes in; each normalised.

    Args:
        conv: ``nn.Conv1d`` or ``nn.Conv2d``.
        width: Channels of what comes in and goes out.
        kernel: Places that the first convolution sees, an odd number.
        norm: What normalises so many channels.
    """

    def __init__(
        self,
        conv: type[nn.Conv1d] | type[nn.Conv2d],
        width: int,
        kernel: int = 3,
        norm: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        normal = norm or group_norm
        self.branch = nn.Sequential(
            normal(width),
            conv(width, width, kernel, padding=kernel // 2),
            nn.GELU(),
            normal(width),
            conv(width, width, 1),
        )

    def forward(self, values: Tensor) -> Tensor:
        """Values of the same shape ``(n, width, …)``."""
        return values + self.branch(values)


class Leveller(nn.Module):
    """Brings the last dimensions of features to mean 0 and deviation 1, and says what they were.

    So an encoder is content with decibels, magnitudes and standardised features alike, and nothing is lost: what is
    taken off comes out as numbers that grow ever more slowly with the mean and the deviation.

    Args:
        heard: ``plain`` changes nothing, and says nothing.
        dims: How many dimensions are levelled together.
        center: Whether the mean is taken off; otherwise the root mean square becomes 1, and 0 remains 0.

    Raises:
        ValueError: `heard` is neither.
    """

    def __init__(self, heard: Heard, dims: int, *, center: bool = True) -> None:
        super().__init__()
        if heard not in ("levelled", "plain"):
            raise ValueError(f"heard is levelled or plain, not {heard!r}")
        self.dims, self.center = dims, center
        self.told = 0 if heard == "plain" else 1 + center
        """How many numbers come out beside the features."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Levelled features ``(…, *dims)``, and what they were ``(…, told)``."""
        if not self.told:
            return features, features.flatten(-self.dims)[..., :0]
        dims, told = tuple(range(-self.dims, 0)), []
        if self.center:
            mean = features.mean(dim=dims, keepdim=True)
            features, told = features - mean, [mean.asinh()]
        size = (features.square().mean(dim=dims, keepdim=True) + _QUIETEST**2).sqrt()
        told.append(size.log())
        return features / size, torch.cat([one.flatten(-self.dims) for one in told], dim=-1)


class TokenHead(nn.Module):
    """Condition tokens of a vector: linear, residual blocks, LayerNorm and one linear layer for all tokens.

    Args:
        inputs: Width of the vector.
        tokens: How many.
        width: Of a token.
        hidden: Width of the residual blocks.
        blocks: How many of them.
    """

    def __init__(self, inputs: int, tokens: int, width: int, *, hidden: int = 512, blocks: int = 1) -> None:
        super().__init__()
        self.tokens, self.width = tokens, width
        self.enter = nn.Linear(inputs, hidden)
        self.blocks = nn.Sequential(*(ResidualMlpBlock(hidden) for _ in range(blocks)))
        self.leave = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, tokens * width))
        initialize(self)

    def forward(self, vectors: Tensor) -> Tensor:
        """Tokens ``(n, tokens, width)`` of vectors ``(n, inputs)``."""
        return self.leave(self.blocks(self.enter(vectors))).unflatten(-1, (self.tokens, self.width))


def initialize(module: nn.Module) -> None:
    """Draw the weights of all linear and convolutional layers so that unit variance comes out where it goes in.

    Biases become 0 (LeCun et al., "Efficient BackProp", 1998). PyTorch's own draw has a third of the variance, which a
    stack without normalisation multiplies.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d):
            nn.init.normal_(layer.weight, std=1.0 / math.sqrt(layer.weight[0].numel()))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def group_norm(channels: int) -> nn.GroupNorm:
    """Normalisation of one row in groups of 8 channels, or a few more, over all places.

    Smaller groups would leave nothing of a map that has one place.
    """
    return nn.GroupNorm(math.gcd(channels, max(1, channels // 8)), channels)


def averaging(places: int, slots: int) -> Tensor:
    """Weights ``(places, slots)`` that average places to slots of equal length; what lies in two counts for both.

    As a matrix it exports and runs the same everywhere, which adaptive pooling does not.
    """
    edges = torch.linspace(0, places, slots + 1, dtype=torch.float64)
    starts = torch.arange(places, dtype=torch.float64)[:, None]
    inside = (torch.minimum(starts + 1, edges[1:]) - torch.maximum(starts, edges[:-1])).clamp(min=0)
    return (inside / inside.sum(dim=0)).float()


def after_stride(places: int, stride: int) -> int:
    """Places behind a convolution of this stride that is padded so that all places before are seen."""
    return (places - 1) // stride + 1


def expect_shape(shape: tuple[int, ...], *names: str) -> tuple[int, ...]:
    """The shape, if it has the dimensions that are named.

    Raises:
        ValueError: It has others.
    """
    if len(shape) != len(names):
        raise ValueError(f"it takes features ({', '.join(names)}), not of shape {tuple(shape)}")
    return tuple(shape)
