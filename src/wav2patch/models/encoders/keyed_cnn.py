"""A CNN over time that counts bands from the key that was played."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wav2patch.models.keyed import FromKey
from wav2patch.models.layers import (
    Heard,
    Leveller,
    ResidualConv,
    TokenHead,
    after_stride,
    averaging,
    expect_shape,
    group_norm,
    initialize,
)

MIDDLE_C = 60.0
STEM, STEP = 4, 2
"""Strides of the stem, whose kernel is as long, and between two stages."""


class KeyedCnn(nn.Module):
    """One-dimensional convolutions over frames, whose channels are bands on a scale of musical pitch.

    Beside the bands as they are, which tell fixed frequencies and formants, the network hears them counted from the
    key, so that what a partial says need not be learnt for each key anew; see `FromKey`. That takes a feature whose
    bands are equally spaced in pitch, such as ``constant_q:per_octave=12``.

    Convolutions over frames with bands as channels are products of large matrices, which a processor does at several
    times the speed of a small CNN over both.

    Args:
        shape: ``(channels, bands, frames)`` of a feature.
        tokens: Condition tokens.
        width: Of a token.
        per_octave: Bands in an octave, a multiple of 12.
        below: Semitones below the key that are heard.
        above: Semitones above the key that are heard.
        widths: Channels of the stages; each has half the frames of the one before.
        blocks: Residual blocks of a stage.
        times: Slots in time that are kept at most.
        squeezed: Channels of a slot.
        hidden: Width of the residual MLP behind.
        heard: Each row levelled, or ``plain`` as it comes; see `Leveller`.

    Raises:
        ValueError: A semitone is no whole number of bands, or there is no band to be heard.

    Attributes:
        hears_key: Whether it takes the keys.
    """

    hears_key = True

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        tokens: int = 1,
        width: int = 128,
        per_octave: int = 12,
        below: int = 12,
        above: int = 84,
        widths: Sequence[int] = (128, 160, 192),
        blocks: int = 1,
        times: int = 13,
        squeezed: int = 48,
        hidden: int = 512,
        heard: Heard = "levelled",
    ) -> None:
        super().__init__()
        channels, bands, frames = expect_shape(shape, "channels", "bands", "frames")
        self.from_key = FromKey(per_octave, below, above)
        self.leveller = Leveller(heard, 3)
        self.stem = nn.Conv1d(channels * (bands + self.from_key.bands), widths[0], STEM, stride=STEM)
        places = after_stride(frames, STEM)
        self.stages = nn.Sequential()
        for i, here in enumerate(widths):
            if i:
                self.stages.append(nn.Conv1d(widths[i - 1], here, 3, stride=STEP, padding=1))
                places = after_stride(places, STEP)
            self.stages.extend(ResidualConv(nn.Conv1d, here) for _ in range(blocks))
        self.squeeze = nn.Sequential(group_norm(widths[-1]), nn.Conv1d(widths[-1], squeezed, 1))
        slots = min(places, times)
        self.register_buffer("averaging", averaging(places, slots), persistent=False)
        initialize(self)
        self.head = TokenHead(squeezed * slots + self.leveller.told, tokens, width, hidden=hidden)

    averaging: Tensor

    def forward(self, features: Tensor, keys: Tensor | None = None) -> Tensor:
        """Tokens ``(n, tokens, width)`` of spectrograms ``(n, channels, bands, frames)`` and keys ``(n,)``.

        Keys are MIDI numbers; without them all are middle C.
        """
        if keys is None:
            keys = torch.full_like(features[:, 0, 0, 0], MIDDLE_C)
        values, told = self.leveller(features)
        values = torch.cat([values, self.from_key(values, keys)], dim=2).flatten(1, 2)
        values = nn.functional.pad(values, (0, -values.shape[-1] % STEM))
        values = self.squeeze(self.stages(self.stem(values))) @ self.averaging
        return self.head(torch.cat([values.flatten(1), told], dim=1))
