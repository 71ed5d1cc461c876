"""Encoders whose networks can be pretrained; see `wav2patch.models.pretraining`.

`PRETRAINED` says where in a pretrained model the weights of an encoder's ``network`` are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from wav2patch.models.layers import Heard, Leveller, TokenHead, averaging, expect_shape, group_norm
from wav2patch.models.pretraining.patch_transformer import PatchTransformer
from wav2patch.models.pretraining.unet_1d import UNetEncoder


class UnetTokens(nn.Module):
    """The way down of a U-Net, each level averaged to a few slots in time, and a head.

    All levels are read: what skips carry, the deepest one of a pretrained network has no need to know.

    Args:
        shape: ``(channels, bands, frames)`` of a feature; channels are averaged.
        tokens: Condition tokens.
        width: Of a token.
        base: See `UNetEncoder`.
        multipliers: See `UNetEncoder`.
        blocks: See `UNetEncoder`.
        times: Slots in time that are kept of a level at most.
        squeezed: Channels of a slot.
        hidden: Width of the residual MLP behind.
        frozen: Whether the network stays as it was pretrained.
        heard: Each row levelled, as in pretraining, or ``plain`` as it comes; see `Leveller`.
    """

    PRETRAINED: ClassVar[str] = "network.encoder."

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        tokens: int = 1,
        width: int = 128,
        base: int = 128,
        multipliers: Sequence[int] = (1, 2, 4, 8),
        blocks: int = 2,
        times: int = 13,
        squeezed: int = 24,
        hidden: int = 512,
        frozen: bool = False,
        heard: Heard = "levelled",
    ) -> None:
        super().__init__()
        _, bands, frames = expect_shape(shape, "channels", "bands", "frames")
        self.leveller = Leveller(heard, 3)
        self.network = UNetEncoder(bands, base=base, multipliers=multipliers, blocks=blocks)
        self.network.requires_grad_(not frozen)
        widths = (*self.network.widths, self.network.widths[-1])
        self.slots = nn.ModuleList(
            _Slots(one, squeezed, places, times)
            for one, places in zip(widths, _places(frames, len(widths)), strict=True)
        )
        numbers = sum(one.numbers for one in self.slots)  # type: ignore[misc]
        self.head = TokenHead(numbers + self.leveller.told, tokens, width, hidden=hidden)

    def forward(self, features: Tensor) -> Tensor:
        """Tokens ``(n, tokens, width)`` of spectrograms ``(n, channels, bands, frames)``."""
        values, told = self.leveller(features)
        bottom, skips = self.network(values.mean(dim=1))
        slots = [read(one) for read, one in zip(self.slots, (*skips, bottom), strict=True)]
        return self.head(torch.cat([*slots, told], dim=1))


class _Slots(nn.Module):
    """Fewer channels in fewer places, ``(n, numbers)``, of what a level says ``(n, channels, places)``."""

    averaging: Tensor

    def __init__(self, channels: int, squeezed: int, places: int, times: int) -> None:
        super().__init__()
        self.numbers = squeezed * min(places, times)
        self.squeeze = nn.Sequential(group_norm(channels), nn.Conv1d(channels, squeezed, 1))
        self.register_buffer("averaging", averaging(places, min(places, times)), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        return (self.squeeze(values) @ self.averaging).flatten(1)


def _places(frames: int, levels: int) -> list[int]:
    """Of each level, the deepest last."""
    found = [frames]
    while len(found) < levels:
        found.append((found[-1] + found[-1] % 2) // 2)
    return found


class PatchTokens(nn.Module):
    """A transformer over patches, averaged to a few slots in time by a few in frequency, and a head.

    Args:
        shape: ``(channels, bands, frames)`` of a feature; channels are averaged.
        tokens: Condition tokens.
        width: Of a token.
        patch: See `PatchTransformer`.
        inner: Width of the transformer's tokens.
        layers: See `PatchTransformer`.
        heads: See `PatchTransformer`.
        feed_forward: Width inside the feed-forward networks.
        times: Slots in time that are kept at most.
        registers: Slots in frequency that are kept at most.
        squeezed: Channels of a slot.
        hidden: Width of the residual MLP behind.
        frozen: Whether the network stays as it was pretrained.
        heard: Each row levelled, as in pretraining, or ``plain`` as it comes; see `Leveller`.
    """

    PRETRAINED: ClassVar[str] = "network."

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        tokens: int = 1,
        width: int = 128,
        patch: int = 5,
        inner: int = 512,
        layers: int = 8,
        heads: int = 8,
        feed_forward: int = 2048,
        times: int = 8,
        registers: int = 4,
        squeezed: int = 48,
        hidden: int = 512,
        frozen: bool = False,
        heard: Heard = "levelled",
    ) -> None:
        super().__init__()
        _, bands, frames = expect_shape(shape, "channels", "bands", "frames")
        self.network = PatchTransformer(
            bands, frames, patch=patch, width=inner, layers=layers, heads=heads, hidden=feed_forward
        )
        self.network.requires_grad_(not frozen)
        rows, columns = min(self.network.down, registers), min(self.network.across, times)
        self.squeeze = nn.Sequential(nn.LayerNorm(inner), nn.Linear(inner, squeezed))
        self.register_buffer("low", averaging(self.network.down, rows).T.contiguous(), persistent=False)
        self.register_buffer("late", averaging(self.network.across, columns), persistent=False)
        self.leveller = Leveller(heard, 3)
        self.head = TokenHead(squeezed * rows * columns + self.leveller.told, tokens, width, hidden=hidden)

    low: Tensor
    late: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """Tokens ``(n, tokens, width)`` of spectrograms ``(n, channels, bands, frames)``."""
        values, told = self.leveller(features)
        network = self.network
        tokens = self.squeeze(network(network.embed(network.patches(values.mean(dim=1)))))
        picture = tokens.mT.unflatten(2, (network.down, network.across))
        slots = self.low @ picture @ self.late
        return self.head(torch.cat([slots.flatten(1), told], dim=1))
