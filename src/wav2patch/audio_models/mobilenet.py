"""MobileNetV3 for spectrograms, with the keys of EfficientAT's published checkpoints.

Sources:
    Howard et al., "Searching for MobileNetV3", ICCV 2019, table 1; Schmid et al., "Efficient Large-Scale Audio
    Tagging via Transformer-to-CNN Knowledge Distillation", ICASSP 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

CLASSES = 527
"""AudioSet's."""


class Stage(NamedTuple):
    """One row of MobileNetV3-Large's table, at width 1."""

    kernel: int
    expanded: int
    out: int
    squeeze: bool
    hard: bool
    stride: int


STAGES = (
    Stage(3, 16, 16, False, False, 1),
    Stage(3, 64, 24, False, False, 2),
    Stage(3, 72, 24, False, False, 1),
    Stage(5, 72, 40, True, False, 2),
    Stage(5, 120, 40, True, False, 1),
    Stage(5, 120, 40, True, False, 1),
    Stage(3, 240, 80, False, True, 2),
    Stage(3, 200, 80, False, True, 1),
    Stage(3, 184, 80, False, True, 1),
    Stage(3, 184, 80, False, True, 1),
    Stage(3, 480, 112, True, True, 1),
    Stage(3, 672, 112, True, True, 1),
    Stage(5, 672, 160, True, True, 2),
    Stage(5, 960, 160, True, True, 1),
    Stage(5, 960, 160, True, True, 1),
)


def rounded(channels: float) -> int:
    """The multiple of 8 that is nearest, at least 8, and no more than a tenth below."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


class MobileNet(nn.Module):
    """The network; `blocks` gives what its blocks give, averaged over time and frequency."""

    def __init__(self, width: float) -> None:
        """A network with `width` times the channels of MobileNetV3-Large."""
        super().__init__()
        self.width = width
        channels = rounded(16 * width)
        layers: list[nn.Module] = [convolution(1, channels, 3, stride=2, activation=nn.Hardswish)]
        for stage in STAGES:
            out = rounded(stage.out * width)
            layers.append(InvertedResidual(channels, rounded(stage.expanded * width), out, stage))
            channels = out
        layers.append(convolution(channels, 6 * channels, 1, activation=nn.Hardswish))
        self.features = nn.Sequential(*layers)
        hidden = rounded(1280 * width)
        # Never run: it is there because the checkpoints have it.
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(6 * channels, hidden),
            nn.Hardswish(),
            nn.Dropout(0.2),
            nn.Linear(hidden, CLASSES),
        )

    def channels(self, block: int) -> int:
        """Channels of what a block gives, 1 to 15."""
        return rounded(STAGES[block - 1].out * self.width)

    def blocks(self, spectrogram: Tensor, indices: Sequence[int]) -> list[Tensor]:
        """Means over time and frequency of what these blocks give.

        Args:
            spectrogram: ``(B, 1, bands, frames)``.
            indices: Numbers of blocks, in order; 0 is the first convolution, 1 to 15 the inverted residuals.

        Returns:
            One tensor ``(B, channels of the block)`` per index.
        """
        means, signal = {}, spectrogram
        for index, layer in enumerate(list(self.features)[: max(indices) + 1]):
            signal = layer(signal)
            if index in indices:
                means[index] = signal.mean((2, 3))
        return [means[index] for index in indices]


def convolution(
    channels: int,
    out: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = None,
) -> nn.Sequential:
    """A convolution, its batch normalisation and its activation."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, out, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out, eps=1e-3),
    ]
    return nn.Sequential(*layers, *([activation()] if activation else []))


class InvertedResidual(nn.Module):
    """Expand, filter each channel by itself, weigh the channels, project; added to what came in if it fits."""

    def __init__(self, channels: int, expanded: int, out: int, stage: Stage) -> None:
        super().__init__()
        activation = nn.Hardswish if stage.hard else nn.ReLU
        layers: list[nn.Module] = []
        if expanded != channels:
            layers.append(convolution(channels, expanded, 1, activation=activation))
        layers.append(
            convolution(expanded, expanded, stage.kernel, stride=stage.stride, groups=expanded, activation=activation)
        )
        if stage.squeeze:
            layers.append(SqueezeExcitation(expanded))
        layers.append(convolution(expanded, out, 1))
        self.block = nn.Sequential(*layers)
        self.residual = stage.stride == 1 and channels == out

    def forward(self, signal: Tensor) -> Tensor:
        """``(B, channels, bands, frames)`` in and out."""
        result = self.block(signal)
        return signal + result if self.residual else result


class SqueezeExcitation(nn.Module):
    """Weights of channels, from their means over time and frequency."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        # A list of one: the authors' networks can weigh bands and frames as well, the published ones do not.
        self.conc_se_layers = nn.ModuleList([Excitation(channels, rounded(channels // 4))])

    def forward(self, signal: Tensor) -> Tensor:
        """``(B, channels, bands, frames)`` in and out."""
        return signal * self.conc_se_layers[0](signal.mean((2, 3)))[:, :, None, None]


class Excitation(nn.Module):
    """Means of channels ``(B, channels)`` to weights in 0 … 1."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, squeezed)
        self.fc2 = nn.Linear(squeezed, channels)

    def forward(self, means: Tensor) -> Tensor:
        """``(B, channels)`` in and out."""
        return self.fc2(self.fc1(means).relu()).sigmoid()
